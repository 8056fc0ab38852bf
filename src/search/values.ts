import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { parseDate } from './kinds/date.ts';
import { parsePosition } from './kinds/position.ts';
import { parseNumber, parseQuantity } from './kinds/quantity.ts';
import { parseReference } from './kinds/reference.ts';
import { parseString } from './kinds/string.ts';
import { parseToken } from './kinds/token.ts';
import { parseUri } from './kinds/uri.ts';
import { split, unescaped } from './kinds/value.ts';
import { parseSounds, parseWords } from './kinds/words.ts';
import type { Ends } from './limits.ts';
import { type Atom, and, or, type PlainAtom, type Predicate, type SearchParam, type TermSet } from './query.ts';
import type { Registry } from './registry.ts';

/** What reading a parameter depends on. */
export interface Reading {
  readonly registry: Registry;
  /** The public base URL: a reference that begins with it is ours. */
  readonly base?: string;
  /** Epoch milliseconds, for `ap`; without it `ap` is refused. */
  readonly now?: number;
  /** Counts the ends of chains; without it they are not limited. */
  readonly ends?: Ends;
}
/** How the values of a parameter are read, each by itself. `negated`: nothing of what they mean may be there. */
export interface Reader {
  readonly negated?: true;
  read(text: string): Predicate;
}

/** Values in one list; a longer list is refused. */
const maxValues = 1000;

/** The values of a list, none of them empty. */
export function listOf(name: string, value: string): readonly string[] {
  const values = split(value, ',');
  if (values.length > maxValues) throw new Problem('too-costly', `\`${name}\` has ${values.length} values; at most ${maxValues} are allowed`);
  // Leaving an empty value out would make the search mean more than the client wrote.
  if (values.includes('')) throw new Problem('value', `\`${name}=${value}\` has an empty value`);
  return values;
}
/** What is wrong with a value, the value as it was sent. */
export const badValue = (name: string, value: string, wanted: string): Problem => new Problem('value', `\`${name}=${value}\`: \`${value}\` is not ${wanted}`);

export function readId(name: string, text: string): string {
  const id = unescaped(text);
  if (!/^[A-Za-z0-9\-.]{1,64}$/.test(id)) throw badValue(name, text, 'an id');
  return id;
}
const aDate = 'a date, with a prefix such as `ge` or without';
export function dateReader(name: string, { now }: Reading): (text: string) => Atom {
  return text => parseDate(text, now) ?? fail(badValue(name, text, aDate));
}
function fail(problem: Problem): never {
  throw problem;
}

/** Throws where the parameter cannot refer to that type. */
export function checkTarget(targets: readonly ResourceType[], param: SearchParam, target: string, name: string): void {
  if (!resourceTypes.has(target)) throw new Problem('invalid', `\`${name}\`: \`${target}\` is neither a resource type nor a modifier that is supported`);
  if (targets.length > 0 && !targets.includes(target))
    throw new Problem('invalid', `\`${name}\`: \`${param.code}\` refers to ${targets.join(', ')}, never to \`${target}\``);
}

/** How the values of a parameter are read with the modifier, or without; undefined where the modifier is none of its kind. */
export function readerOf(type: ResourceType, param: SearchParam, modifier: string | undefined, name: string, reading: Reading): Reader | undefined {
  const atoms = plainReader(type, param, name, reading);
  if (modifier === undefined) return { read: text => versioned(type, param, text, reading) ?? some(param, atoms(text)) };
  switch (param.kind) {
    case 'token':
      return tokenReader(type, param, modifier, name, reading, atoms);
    case 'string':
      return stringReader(param, modifier, name);
    case 'uri':
      if (modifier !== 'above' && modifier !== 'below') return undefined;
      return { read: text => some(param, parseUri(text, modifier) ?? fail(badValue(name, text, 'a URL, which alone has others above and below it'))) };
    case 'reference': {
      if (modifier === 'identifier') return modifiedReader(type, param, modifier, name, reading, text => parseToken(text, false), aToken);
      const targets = reading.registry.targetsOf(type, param);
      checkTarget(targets, param, modifier, name);
      return { read: text => some(param, typedReference(text, modifier, name, reading)) };
    }
    default:
      return undefined;
  }
}
/** `ValueSet?url=http://…|1` is that url in that version (http://hl7.org/fhir/R4/search.html#uri). */
function versioned(type: ResourceType, param: SearchParam, text: string, { registry }: Reading): Predicate | undefined {
  const version = param.kind === 'uri' && param.code === 'url' ? registry.param(type, 'version') : undefined;
  const [url, code, ...more] = split(text, '|').map(unescaped);
  if (version === undefined || !url || !code || more.length > 0) return undefined;
  const whole = some(param, [{ kind: 'uri', how: 'is', uri: unescaped(text) }]);
  return or(whole, and(some(param, [{ kind: 'uri', how: 'is', uri: url }]), some(version, [{ kind: 'token', code }])));
}
const some = (param: SearchParam, anyOf: readonly Atom[]): Predicate => ({ op: 'some', param, test: { anyOf } });

const aToken = 'a code, `system|code`, `|code` or `system|`';
const aText = 'a text to compare';

/** Without a modifier: what one value means. */
function plainReader(type: ResourceType, param: SearchParam, name: string, reading: Reading): (text: string) => readonly Atom[] {
  const one = <A extends Atom>(read: (text: string) => A | undefined, wanted: string) => {
    return (text: string): readonly A[] => [read(text) ?? fail(badValue(name, text, wanted))];
  };
  switch (param.kind) {
    case 'token': {
      const implied = reading.registry.impliesSystem(type, param) ? { is: reading.registry.impliedSystem(type, param) } : undefined;
      // A system that is named must be the one that is implied, where that is known; what is stored never says it.
      const fits = (system: string): boolean => implied !== undefined && (implied.is === undefined || system === '' || implied.is === system);
      return one(text => parseToken(text, fits(unescaped(split(text, '|')[0]!))), aToken);
    }
    case 'string':
      return one(text => parseString(text, undefined), aText);
    case 'date':
      return one(text => parseDate(text, reading.now), aDate);
    case 'uri':
      return text => parseUri(text)!;
    case 'quantity':
      return reading.registry.definitionOf(param)?.type === 'number'
        ? one(parseNumber, 'a number, with a prefix such as `ge` or without')
        : one(parseQuantity, 'a number, `number|system|code` or `number||code`, with a prefix such as `ge` or without');
    case 'reference': {
      const targets = reading.registry.targetsOf(type, param);
      const target = targets.length === 1 ? targets[0] : undefined;
      return text => referenceOf(text, target, name, reading);
    }
    case 'composite': {
      const parts = param.components!.map(part => plainReader(type, part, name, reading));
      return one(
        text => {
          const texts = split(text, '$');
          if (texts.length !== parts.length) return undefined;
          // A part is never a composite, and each of them means one atom.
          return { kind: 'composite', parts: parts.map((part, at) => part(texts[at]!)[0] as PlainAtom) };
        },
        `${param.components!.map(part => part.code).join('$')}: ${param.components!.length} values with \`$\` between them`,
      );
    }
    case 'position':
      return one(parsePosition, '`latitude|longitude|distance|unit` (distance and unit may be left out)');
    case 'words':
      return one(param.code === 'phonetic' ? parseSounds : parseWords, 'a text with words in it (no logic: a comma stands between alternatives)');
  }
}
function referenceOf(text: string, target: ResourceType | undefined, name: string, { base }: Reading): readonly Atom[] {
  return [parseReference(text, target, base) ?? fail(badValue(name, text, `an id, \`${target ?? 'Type'}/id\` or an absolute URL`))];
}
/** `subject:Patient=1`: a value that names its type must name that one. */
function typedReference(text: string, target: ResourceType, name: string, reading: Reading): readonly Atom[] {
  const atoms = referenceOf(text, target, name, reading);
  const other = atoms.find(atom => atom.kind === 'reference' && atom.type !== undefined && atom.type !== '' && atom.type !== target);
  return other === undefined ? atoms : fail(badValue(name, text, `a reference to ${target}`));
}

/** A modifier that asks something else of the same values. */
function modifiedReader(
  type: ResourceType,
  param: SearchParam,
  modifier: 'text' | 'identifier' | 'of-type',
  name: string,
  { registry }: Reading,
  read: (text: string) => Atom | undefined,
  wanted: string,
): Reader | undefined {
  const modified = registry.modified(type, param, modifier);
  if (modified === undefined) return undefined;
  return { read: text => some(modified, [read(text) ?? fail(badValue(name, text, wanted))]) };
}

/** http://hl7.org/fhir/R4/search.html#token */
function tokenReader(
  type: ResourceType,
  param: SearchParam,
  modifier: string,
  name: string,
  reading: Reading,
  atoms: (text: string) => readonly Atom[],
): Reader | undefined {
  const of = (terms: TermSet): Predicate => ({ op: 'some', param, test: { anyOf: [], terms } });
  switch (modifier) {
    case 'not':
      return { negated: true, read: text => some(param, atoms(text)) };
    case 'text':
      return modifiedReader(type, param, modifier, name, reading, text => parseString(text, undefined), aText);
    case 'of-type':
      return modifiedReader(type, param, modifier, name, reading, readOfType, '`system|code|value`: the type of an identifier, and its value');
    case 'in':
      return { read: text => of({ how: 'in', valueSet: unescaped(text) }) };
    case 'not-in':
      return { negated: true, read: text => of({ how: 'in', valueSet: unescaped(text) }) };
    case 'above':
    case 'below':
      return {
        read(text) {
          const atom = parseToken(text, false);
          if (atom?.code === undefined) throw badValue(name, text, 'a code, or `system|code`');
          return of({ how: modifier, code: atom.code, ...(atom.system === undefined ? {} : { system: atom.system }) });
        },
      };
    default:
      return undefined;
  }
}
function readOfType(text: string): Atom | undefined {
  const parts = split(text, '|').map(unescaped);
  return parts.length === 3 && parts.every(part => part !== '') ? { kind: 'token', system: `${parts[0]}|${parts[1]}`, code: parts[2]! } : undefined;
}

/** http://hl7.org/fhir/R4/search.html#string; `:text`: each word begins one of the text. */
function stringReader(param: SearchParam, modifier: string, name: string): Reader | undefined {
  const read = (text: string, how: 'contains' | 'exact'): Atom => parseString(text, how) ?? fail(badValue(name, text, aText));
  switch (modifier) {
    case 'contains':
    case 'exact':
      return { read: text => some(param, [read(text, modifier)]) };
    case 'text':
      return { read: text => and(...(parseWords(text)?.words ?? fail(badValue(name, text, aText))).map(word => some(param, [read(word, 'contains')]))) };
    default:
      return undefined;
  }
}
