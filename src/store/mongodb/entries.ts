import type { ResourceType } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { IndexValue, SearchParam } from '../../search/query.ts';
import { clamp } from '../ranges.ts';

/**
 * One value that a resource is found by. All kinds have the same two fields, so that two indexes serve them all: (p, v) and (p, w).
 *
 * | kind      | v                                   | w                    |
 * | token     | code                                | system               |
 * | string    | text                                | exact                |
 * | date      | low                                 | high                 |
 * | reference | `Type/id`, or `/` and what is not ours | id, or what is not ours |
 * | uri       | uri                                 | ''                   |
 */
export interface Entry {
  readonly p: string;
  readonly v: string | number;
  readonly w: string | number;
  /** Of references: what a `$lookup` from the other end joins on, which takes one value only. */
  readonly k?: string;
}

/** What stands for the parameter of the type; undefined where the type does not carry it, though another of the same code. */
export const paramOf = ({ code, base }: SearchParam, type: ResourceType): string | undefined =>
  base.length === 0 || base.includes(type) ? `${type}/${code}` : undefined;

/** What `k` begins with, under which types refer to something through the parameter: one for all where it is everybody's. */
export const joinsOf = ({ code, base }: SearchParam): readonly string[] => (base.length === 0 ? [joinOf('', code)] : base.map(type => joinOf(type, code)));
const joinOf = (type: ResourceType | '', code: string): string => `${type}/${code} `;

export const targetOf = (type: ResourceType, id: string): string => `${type}/${id}`;

export function entriesOf(indexed: Indexed, params: readonly SearchParam[]): readonly Entry[] {
  const type = indexed.resource.resourceType;
  const entries = new Map<string, Entry>();
  for (const param of params) {
    const p = `${type}/${param.code}`;
    const join = joinOf(param.base.length === 0 ? '' : type, param.code);
    for (const value of param.extract(indexed)) {
      const entry = entryOf(p, join, value);
      entries.set(`${entry.p}\0${entry.v}\0${entry.w}`, entry);
    }
  }
  return [...entries.values()];
}

function entryOf(p: string, join: string, value: IndexValue): Entry {
  switch (value.kind) {
    case 'token':
      return { p, v: value.code, w: value.system };
    case 'string':
      return { p, v: value.text, w: value.exact };
    case 'date':
      return { p, v: clamp(value.low), w: clamp(value.high) };
    case 'reference': {
      const target = targetOf(value.type, value.id);
      return { p, v: target, w: value.id, k: join + target };
    }
    case 'uri':
      return { p, v: value.uri, w: '' };
  }
}

/** The `v` of a document's entries for a parameter, as an expression. `p`: one too. */
export const valuesExpression = (p: unknown): object => ({
  $map: { input: { $filter: { input: '$ix', as: 'e', cond: { $eq: ['$$e.p', p] } } }, as: 'e', in: '$$e.v' },
});
