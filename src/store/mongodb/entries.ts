import type { ResourceType } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { IndexValue, SearchParam } from '../../search/query.ts';
import { clamp } from '../ranges.ts';

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
 */
export interface Entry {
  readonly k: string;
  readonly h?: string;
}

/** What stands for the parameter of the type; undefined where the type does not carry it, though another of the same code. */
export const paramOf = ({ code, base }: SearchParam, type: ResourceType): string | undefined =>
  base.length === 0 || base.includes(type) ? `${type}/${code}` : undefined;

export const entryText = (p: string, value: string): string => `${p} ${value}`;
/** All texts of a parameter: from its first to before the next one's. */
export const textsOf = (p: string): { readonly $gte: string; readonly $lt: string } => ({ $gte: `${p} `, $lt: `${p}!` });

export const targetOf = (type: ResourceType, id: string): string => `${type}/${id}`;

/** Whoever refers to something through a parameter of all types is found by one text, whatever its type. */
export const joinOf = (code: string): string => `/${code}`;

/** A moment as a text of the same order. */
export function momentText(moment: number): string {
  return (BigInt(Math.round(clamp(moment))) + 8_640_000_000_000_000n).toString(36).padStart(11, '0');
}

export function entriesOf(indexed: Indexed, params: readonly SearchParam[]): readonly Entry[] {
  const type = indexed.resource.resourceType;
  const entries = new Map<string, Entry>();
  for (const param of params) {
    const p = `${type}/${param.code}`;
    for (const value of param.extract(indexed)) {
      const entry = entryOf(p, param, value);
      entries.set(`${entry.k}\0${entry.h}`, entry);
    }
  }
  return [...entries.values()];
}

function entryOf(p: string, { base, code }: SearchParam, value: IndexValue): Entry {
  const entry = (k: string, h: string): Entry => ({ k: entryText(p, k), h: entryText(p, h) });
  switch (value.kind) {
    case 'token':
      return entry(value.code, value.system);
    case 'string':
      return entry(value.text, value.exact);
    case 'date':
      return entry(momentText(value.low), momentText(value.high));
    case 'reference': {
      const target = targetOf(value.type, value.id);
      return base.length === 0 ? { k: entryText(p, target), h: entryText(joinOf(code), target) } : entry(target, value.id);
    }
    case 'uri':
      return { k: entryText(p, value.uri) };
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
