import type { KeyName, Resource, ResourceType } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import type { Predicate, SearchQuery } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import type { Change } from '../../store/store.ts';
import type { Action, Facts, Question, Rule } from '../decision.ts';
import type { ScopeLetter } from '../scope.ts';

/** What must be known before the type's rules can be asked. */
export interface Needs {
  /** Resources to look up (Known.resources). */
  readonly keys?: readonly KeyName[];
  /** References to look for among the accounts' hats (Known.hats). */
  readonly hats?: readonly KeyName[];
  /** Searches over everything stored, not over what the caller may see (Known.searches). */
  readonly searches?: Readonly<Record<string, SearchQuery>>;
}

/** What is particular about one type. Everything left out is as for all types. */
export interface Policy {
  readonly type: ResourceType;
  /** What a `*` scope covers of it at patient and user level; left out: everything. */
  readonly wildcard?: readonly ScopeLetter[];
  /** Refused to every client with 405, before the body is read. */
  readonly notAllowed?: readonly Action[];
  /** Ids of the common rules that have no say. */
  readonly silent?: readonly string[];
  readonly notByCaregivers?: true;
  /** No client chooses the id of one: it is made by POST. */
  readonly noChosenIds?: true;
  /** A change of it gets no Provenance of its own. */
  readonly unattributed?: true;
  /** Its own rules say who writes it in which record; the record rule only keeps a token in its record. */
  readonly judgesWrites?: true;
  /** What may be read besides what consents permit; their denials still hold. */
  base?(question: Question, registry: Registry): Predicate | undefined;
  needs?(question: Question, before: Indexed | undefined, after: Indexed | undefined, registry: Registry): Needs;
  /** What is stored in place of `facts.after`: content that the server sets. Throws a Problem for content that is refused whoever sends it. */
  prepare?(question: Question, facts: Facts & { readonly after: Indexed }): Resource;
  rules?(registry: Registry): readonly Rule[];
  /** Other writes that must be permitted too. */
  also?(after: Indexed): { readonly writes: readonly { readonly action: Action; readonly key: KeyName }[]; readonly refusal: string };
  /** What must hold in the commit besides. Throws a Problem where it does not hold already. */
  conditions?(question: Question, facts: Facts, registry: Registry): readonly Extract<Change, { op: 'when' | 'expect' }>[];
  /** The grant rows that follow from what is stored. */
  grants?(after: Indexed | undefined): readonly Change[];
}
