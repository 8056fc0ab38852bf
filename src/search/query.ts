import type { Instant, KeyName, ResourceKey, ResourceType } from '../fhir/types.ts';
import type { Indexed } from './indexed.ts';

/**
 * What the values of a search parameter are (http://hl7.org/fhir/R4/search.html#ptypes). A `number` is a `quantity` without a unit; of the `special` ones
 * there are `position` (near) and `words` (_text, _content).
 */
export type Kind = 'token' | 'string' | 'date' | 'reference' | 'uri' | 'quantity' | 'composite' | 'position' | 'words';

/** What a resource offers a parameter. */
export type IndexValue =
  | PlainValue
  /** The values of one occurrence, one for each component. */
  | { readonly kind: 'composite'; readonly parts: readonly PlainValue[] }
  /** A place on a sphere of radius 1. */
  | { readonly kind: 'position'; readonly x: number; readonly y: number; readonly z: number }
  /** All that are in the text, each once. */
  | { readonly kind: 'words'; readonly words: readonly string[] };
/** What a component of a composite can be too. */
export type PlainValue =
  /** `system` is '' where there is none. */
  | { readonly kind: 'token'; readonly system: string; readonly code: string }
  /** `text` without accents and case, white space folded; `exact` as written. */
  | { readonly kind: 'string'; readonly text: string; readonly exact: string }
  /** Epoch milliseconds, both ends included; open ends are ±8.64e15. */
  | { readonly kind: 'date'; readonly low: number; readonly high: number }
  /** Ours: `type` and `id`. Anything else (absolute, urn, canonical): `type` '' and the whole text as `id`. */
  | { readonly kind: 'reference'; readonly type: ResourceType; readonly id: string }
  | { readonly kind: 'uri'; readonly uri: string }
  /** Both ends included; open ends are ±Number.MAX_VALUE. `unit` as in kinds/quantity.ts; '' is the number by itself. */
  | { readonly kind: 'quantity'; readonly unit: string; readonly low: number; readonly high: number };

/** http://hl7.org/fhir/R4/search.html#prefix */
export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap';

/** What one value must satisfy. */
export type Atom =
  | PlainAtom
  /** Each part of one occurrence. */
  | { readonly kind: 'composite'; readonly parts: readonly PlainAtom[] }
  /** `reach`: the square of the straight way through the sphere. */
  | { readonly kind: 'position'; readonly x: number; readonly y: number; readonly z: number; readonly reach: number }
  /** All of them. */
  | { readonly kind: 'words'; readonly words: readonly string[] };
export type PlainAtom =
  /** A member left out is not asked; `system: ''` asks for no system. */
  | { readonly kind: 'token'; readonly system?: string; readonly code?: string }
  /** `starts` and `contains` compare `text`, `exact` compares `exact`. */
  | { readonly kind: 'string'; readonly how: 'starts' | 'contains' | 'exact'; readonly text: string }
  | { readonly kind: 'date'; readonly how: Prefix; readonly low: number; readonly high: number }
  /** A `type` left out matches the id in any type of ours. */
  | { readonly kind: 'reference'; readonly type?: ResourceType; readonly id: string }
  /** `under`: the uri itself, or what goes on after it with a slash. */
  | { readonly kind: 'uri'; readonly how: 'is' | 'under'; readonly uri: string }
  | { readonly kind: 'quantity'; readonly unit: string; readonly how: Prefix; readonly low: number; readonly high: number };

/** A long list of values stays one term. */
export interface Test {
  readonly anyOf: readonly Atom[];
  /** Where the atoms have to be found first (terms.ts); until then there are none, so that nothing is found. */
  readonly terms?: TermSet;
}
/** Codes by what a terminology says of them: those in a value set, or a code with all that are above or below it. */
export type TermSet = { readonly how: 'in'; readonly valueSet: string } | { readonly how: 'above' | 'below'; readonly system?: string; readonly code: string };

/** A search parameter compiled once from its definition, or one of the server's own facets (`.record`): those no client can name. */
export interface SearchParam {
  readonly code: string;
  readonly kind: Kind;
  /** The types that carry it; empty: all. */
  readonly base: readonly ResourceType[];
  /** What a reference may point to; empty: anything. */
  readonly targets: readonly ResourceType[];
  /** What each part of a composite is like. */
  readonly components?: readonly SearchParam[];
  extract(of: Indexed): readonly IndexValue[];
}

/** Who asks for what: the part of a question that a Consent's provisions are held against. */
export interface Ask {
  /** The references by which Consents may name the caller. */
  readonly actors: readonly KeyName[];
  /** v3-ActReason code of the request. */
  readonly purpose: string;
  readonly action: 'access' | 'correct';
  readonly at: Instant;
}

/** A condition on one resource by itself. */
export type Predicate =
  | { readonly op: 'all' }
  | { readonly op: 'none' }
  | { readonly op: 'and' | 'or'; readonly terms: readonly Predicate[] }
  | { readonly op: 'not'; readonly term: Predicate }
  /** Some value of the parameter passes some atom. */
  | { readonly op: 'some'; readonly param: SearchParam; readonly test: Test }
  /** The parameter has a value (`:missing=false`). */
  | { readonly op: 'has'; readonly param: SearchParam }
  /** One of these resources. */
  | { readonly op: 'keys'; readonly keys: readonly ResourceKey[] }
  /** lastUpdated passes some atom, which are dates. */
  | { readonly op: 'updated'; readonly test: Test }
  /** The Consents in force (search/grant.ts) permit, or deny, this ask. */
  | { readonly op: 'granted'; readonly effect: GrantedEffect; readonly ask: Ask };

/**
 * `permit`: in each of the resource's records some Consent permits. `deny`: in one of them some Consent denies. `share`, for what several records share: in
 * one of them some Consent permits and none denies.
 */
export type GrantedEffect = 'permit' | 'deny' | 'share';

/** A chain (`refers-to`) or a `_has` (`referred-by`). Only ever anded, so rules need not know it. Its ends are ored. */
export interface Link {
  readonly how: 'refers-to' | 'referred-by';
  readonly param: SearchParam;
  readonly ends: readonly Branch[];
}
export interface Branch {
  readonly type: ResourceType;
  readonly where: Predicate;
  readonly links: readonly Link[];
}
export interface SortKey {
  /** `updated` sorts by lastUpdated. */
  readonly by: SearchParam | 'updated';
  readonly descending: boolean;
}
/** Where a page begins: the sort keys of the last entry before it (null = missing, sorts last) and its row. */
export interface Cursor {
  readonly keys: readonly (string | number | null)[];
  readonly rid: number | string;
}
export interface SearchQuery {
  /** Several: the union (searches over more than one type). */
  readonly branches: readonly Branch[];
  readonly sort: readonly SortKey[];
  readonly limit: number;
  readonly from?: Cursor;
}

export const all: Predicate = { op: 'all' };
export const none: Predicate = { op: 'none' };

/** Both of all terms, with constants folded away. */
export function and(...terms: readonly Predicate[]): Predicate {
  if (terms.some(term => term.op === 'none')) return none;
  const kept = terms.flatMap(term => (term.op === 'and' ? term.terms : [term])).filter(term => term.op !== 'all');
  if (kept.length === 0) return all;
  return kept.length === 1 ? kept[0]! : { op: 'and', terms: kept };
}
/** Any of the terms, with constants folded away. */
export function or(...terms: readonly Predicate[]): Predicate {
  if (terms.some(term => term.op === 'all')) return all;
  const kept = terms.flatMap(term => (term.op === 'or' ? term.terms : [term])).filter(term => term.op !== 'none');
  if (kept.length === 0) return none;
  return kept.length === 1 ? kept[0]! : { op: 'or', terms: kept };
}
/** The opposite, with constants folded away. */
export function not(term: Predicate): Predicate {
  if (term.op === 'all') return none;
  if (term.op === 'none') return all;
  return term.op === 'not' ? term.term : { op: 'not', term };
}
/** A query over one type, for the server's own questions. */
export const queryOf = (type: ResourceType, where: Predicate, limit: number): SearchQuery => ({
  branches: [{ type, where, links: [] }],
  sort: [],
  limit,
});
