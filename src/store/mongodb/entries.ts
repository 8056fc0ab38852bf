import type { Indexed } from '../../search/indexed.ts';
import type { IndexValue, PlainValue, SearchParam } from '../../search/query.ts';
import { entryText, joinOf, momentText, numberText, targetOf, unitText, wordText } from './texts.ts';

/**
 * One value that a resource is found by: two texts, each of them the parameter, a space and one side of the value, in the order in which those are compared.
 * So two indexes of one field serve every kind of parameter.
 *
 * | kind      | k                                        | h                                              |
 * | token     | code                                     | system                                         |
 * | string    | text                                     | exact                                          |
 * | date      | low                                      | high                                           |
 * | reference | `Type/id`, or `/` and what is not ours   | id; of a parameter of all types see `joinOf`   |
 * | uri       | uri                                      |                                                |
 * | quantity  | unit and low                             | unit and high                                  |
 * | position  | z, which is how far north                |                                                |
 *
 * A composite has the sides of its first part, and those of the others beside them as k2, h2, k3 … without the parameter. Words are not among them (`wordsOf`).
 */
export interface Entry {
  readonly k: string;
  readonly h?: string;
  readonly [part: `${'k' | 'h'}${number}`]: string;
  /** Of a position. */
  readonly x?: number;
  readonly y?: number;
  readonly z?: number;
}

/** All that a resource is found by, as members of its document. */
export function foundBy(indexed: Indexed, params: readonly SearchParam[]): { readonly ix: readonly Entry[]; readonly w?: readonly string[] } {
  const w = wordsOf(indexed, params);
  return { ix: entriesOf(indexed, params), ...(w.length === 0 ? {} : { w }) };
}

export function entriesOf(indexed: Indexed, params: readonly SearchParam[]): readonly Entry[] {
  const type = indexed.resource.resourceType;
  const entries = new Map<string, Entry>();
  for (const param of params) {
    const p = `${type}/${param.code}`;
    for (const value of param.kind === 'words' ? [] : param.extract(indexed)) {
      const entry = entryOf(p, param, value);
      if (entry !== undefined) entries.set(JSON.stringify(entry), entry);
    }
  }
  return [...entries.values()];
}

/** The words that a resource is found by, each with its parameter. */
function wordsOf(indexed: Indexed, params: readonly SearchParam[]): readonly string[] {
  const type = indexed.resource.resourceType;
  return params.flatMap(param => {
    const values = param.kind === 'words' ? param.extract(indexed) : [];
    return values.flatMap(value => (value.kind === 'words' ? value.words.map(word => wordText(`${type}/${param.code}`, word)) : []));
  });
}

function entryOf(p: string, { base, code }: SearchParam, value: IndexValue): Entry | undefined {
  switch (value.kind) {
    case 'composite':
      return compositeEntry(p, value.parts);
    case 'position':
      return { k: entryText(p, numberText(value.z)), x: value.x, y: value.y, z: value.z };
    case 'words':
      return undefined;
    case 'reference':
      if (base.length > 0) break;
      return { k: entryText(p, targetOf(value.type, value.id)), h: entryText(joinOf(code), targetOf(value.type, value.id)) };
  }
  const [k, h] = sidesOf(value);
  return h === undefined ? { k: entryText(p, k) } : { k: entryText(p, k), h: entryText(p, h) };
}
function compositeEntry(p: string, [first, ...others]: readonly PlainValue[]): Entry {
  const [k, h = ''] = sidesOf(first!);
  const sides = others.flatMap((part, at) => sidesOf(part).map((text, side) => [`${side === 0 ? 'k' : 'h'}${at + 2}`, text] as const));
  return { k: entryText(p, k), h: entryText(p, h), ...Object.fromEntries(sides) };
}

/** The two sides of a value, or the only one. */
function sidesOf(value: PlainValue): readonly [k: string, h?: string] {
  switch (value.kind) {
    case 'token':
      return [value.code, value.system];
    case 'string':
      return [value.text, value.exact];
    case 'date':
      return [momentText(value.low), momentText(value.high)];
    case 'reference':
      return [targetOf(value.type, value.id), value.id];
    case 'uri':
      return [value.uri];
    case 'quantity':
      return [unitText(value.unit) + numberText(value.low), unitText(value.unit) + numberText(value.high)];
  }
}

/** What a text says besides the parameter, as an expression. */
const afterParam = (text: string): object => ({ $substrBytes: [text, { $add: [{ $indexOfBytes: [text, ' '] }, 1] }, { $strLenBytes: text }] });

/** One side of a document's entries for a parameter, as an expression. `p`: the parameter, or an expression for it. */
export const valuesExpression = (p: unknown, side: 'k' | 'h' = 'k'): object => {
  const text = `$$e.${side}`;
  const within = { $and: [{ $gte: [text, { $concat: [p, ' '] }] }, { $lt: [text, { $concat: [p, '!'] }] }] };
  return { $map: { input: { $filter: { input: '$ix', as: 'e', cond: within } }, as: 'e', in: afterParam(text) } };
};
