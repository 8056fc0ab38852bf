import type { Resource, ResourceType } from '../fhir/types.ts';
import { compile } from './expression.ts';
import { indexString } from './kinds/string.ts';
import { indexToken } from './kinds/token.ts';
import { listOf, recordOf, textOf } from './kinds/value.ts';
import type { IndexValue } from './query.ts';

/** What a modifier asks of a value instead of what its parameter does. */
export type Modifier = 'text' | 'identifier' | 'of-type';

/** The FHIR types whose values have something for the modifier, and what that is. */
export const modifiers: Readonly<
  Record<Modifier, { readonly kind: 'string' | 'token'; readonly of: readonly string[]; index(type: string, value: unknown): readonly IndexValue[] }>
> = {
  /** What a code is called: the text of the concept, the names of its codings, the type of an identifier. */
  text: {
    kind: 'string',
    of: ['CodeableConcept', 'Coding', 'Identifier'],
    index(type, value) {
      const whole = recordOf(value);
      const codings = type === 'CodeableConcept' ? listOf(whole?.coding).map(recordOf) : [];
      const text = type === 'Coding' ? whole?.display : type === 'Identifier' ? recordOf(whole?.type)?.text : whole?.text;
      return [text, ...codings.map(coding => coding?.display)].flatMap(each => indexString('string', each));
    },
  },
  /** How what is referred to is known elsewhere. */
  identifier: { kind: 'token', of: ['Reference'], index: (_, value) => indexToken('Identifier', recordOf(value)?.identifier) },
  /** The value of an identifier; its type as `system|code` in place of a system. */
  'of-type': {
    kind: 'token',
    of: ['Identifier'],
    index(_, value) {
      const identifier = recordOf(value);
      const code = textOf(identifier?.value);
      const types = listOf(recordOf(identifier?.type)?.coding).map(recordOf);
      return code === undefined ? [] : types.map(type => ({ kind: 'token', system: `${textOf(type?.system) ?? ''}|${textOf(type?.code) ?? ''}`, code }));
    },
  },
};

/** A part of a composite: what its values are, and where. */
export interface Component {
  readonly expression: string;
  /** How a value of a FHIR type is indexed. */
  index(type: string, value: unknown): readonly IndexValue[];
}
/** Values that one occurrence gives at most: all codes of one part with all of another are many, where somebody means harm. */
const MOST = 10_000;
const ofResource = '%resource.';

/** Compiles a composite (http://hl7.org/fhir/R4/search.html#composite): each occurrence gives every combination of the values of its parts. */
export function compileComposite(expression: string, components: readonly Component[], type: ResourceType): (resource: Resource) => readonly IndexValue[] {
  const parts = (at: string): readonly ((value: Resource, resource: Resource) => readonly IndexValue[])[] =>
    components.map(({ expression: path, index }) => {
      const leaf = (of: string) => (value: unknown, into: IndexValue[]) => void into.push(...index(of, value));
      if (!path.startsWith(ofResource)) return compile<IndexValue>(path, at, leaf);
      const whole = compile<IndexValue>(`${type}.${path.slice(ofResource.length)}`, type, leaf);
      return (_, resource) => whole(resource);
    });
  const occurrences = compile<(resource: Resource) => readonly IndexValue[]>(expression, type, at => {
    const extractors = parts(at);
    return (value, into) => void into.push(resource => combined(extractors.map(extract => extract(value as Resource, resource))));
  });
  return resource => occurrences(resource).flatMap(occurrence => occurrence(resource));
}
function combined(parts: readonly (readonly IndexValue[])[]): readonly IndexValue[] {
  let found: readonly (readonly IndexValue[])[] = [[]];
  for (const values of parts) found = found.flatMap(before => values.map(value => [...before, value])).slice(0, MOST);
  return found.map(values => ({ kind: 'composite', parts: values as Extract<IndexValue, { kind: 'composite' }>['parts'] }));
}
