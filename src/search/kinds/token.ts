import type { Coding } from '../../fhir/types.ts';
import type { Atom, IndexValue } from '../query.ts';
import { listOf, recordOf, split, textOf, unescaped } from './value.ts';

type TokenAtom = Extract<Atom, { kind: 'token' }>;
type TokenValue = Extract<IndexValue, { kind: 'token' }>;

/** The types whose system is only implied, by the element's binding: what is stored has none, what is asked for may name one. */
const unsystematic: ReadonlySet<string> = new Set(['code', 'boolean', 'id', 'uri', 'url', 'canonical', 'oid', 'uuid', 'string', 'markdown']);
/** Whether no value of these types ever has a system. */
export const impliesSystem = (types: readonly string[]): boolean => types.length > 0 && types.every(type => unsystematic.has(type));

/** The tokens of a value of the FHIR type (http://hl7.org/fhir/R4/search.html#token, the table). Odd data gives none. */
export function indexToken(type: string, value: unknown): readonly TokenValue[] {
  switch (type) {
    case 'CodeableConcept':
      return listOf(recordOf(value)?.coding).flatMap(coding => indexToken('Coding', coding));
    case 'Coding': {
      const coding = recordOf(value);
      return inSystem(coding?.system, coding?.code);
    }
    case 'Identifier': {
      const identifier = recordOf(value);
      return inSystem(identifier?.system, identifier?.value);
    }
    case 'ContactPoint':
      // Its `system` says phone or email and is no namespace: parameters that want one of them say so in their expression.
      return tokenOf(undefined, recordOf(value)?.value);
    case 'boolean':
      return typeof value === 'boolean' ? tokenOf(undefined, String(value)) : [];
    default:
      return tokenOf(undefined, value);
  }
}

/** What has only a system is found by that. */
const inSystem = (system: unknown, code: unknown): readonly TokenValue[] =>
  textOf(code) === undefined && textOf(system) !== undefined ? [{ kind: 'token', system: textOf(system)!, code: '' }] : tokenOf(system, code);

function tokenOf(system: unknown, code: unknown): readonly TokenValue[] {
  const text = textOf(code);
  return text === undefined ? [] : [{ kind: 'token', system: textOf(system) ?? '', code: text }];
}

/** The tokens of codings, for a facet. */
export const tokensOf = (codings: readonly Coding[]): readonly TokenValue[] => codings.flatMap(({ system, code }) => tokenOf(system, code));

/**
 * Reads `code`, `system|code`, `|code` (no system) or `system|` (any code of it); undefined where it is none of them. Where the system is
 * `implied` by the element, one that is named is not held against the data, which never says it.
 */
export function parseToken(text: string, implied: boolean): TokenAtom | undefined {
  const [first = '', ...rest] = split(text, '|');
  if (rest.length === 0) return { kind: 'token', code: unescaped(first) };
  const code = unescaped(rest.join('|'));
  if (first === '' && code === '') return undefined;
  return { kind: 'token', ...(implied ? {} : { system: unescaped(first) }), ...(code === '' ? {} : { code }) };
}

/** Whether a token has the system and the code that are asked for. Upper and lower case differ. */
export const passesToken = (atom: TokenAtom, value: TokenValue): boolean =>
  (atom.system === undefined || atom.system === value.system) && (atom.code === undefined || atom.code === value.code);
