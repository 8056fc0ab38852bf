import type { Caller } from '../access/caller.ts';
import type { Action, Decision } from '../access/decision.ts';
import type { Instant, Resource, ResourceKey, ResourceType } from '../fhir/types.ts';
import type { SearchQuery } from '../search/query.ts';
import type { Change, ResourceReader, Version } from '../store/store.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A FHIR request, freed of HTTP. A Bundle entry becomes one too. */
export interface FhirRequest {
  readonly method: Method;
  /** The path under the base, split: `['MedicationStatement', '1', '_history']`. */
  readonly path: readonly string[];
  readonly query: readonly (readonly [string, string])[];
  /** Lower-case names: if-match, if-none-exist, if-none-match, if-modified-since, prefer. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parsed body of a POST or PUT. */
  readonly body?: unknown;
}
/** A member of a Bundle answer: bytes that are stored, or a resource that was made. */
export interface Entry {
  readonly fullUrl?: string;
  readonly body?: Uint8Array | Resource;
  readonly search?: { readonly mode: 'match' | 'include' | 'outcome' };
  readonly request?: { readonly method: string; readonly url: string };
  readonly response?: {
    readonly status: string;
    readonly location?: string;
    readonly etag?: string;
    readonly lastModified?: Instant;
    readonly outcome?: Resource;
  };
}
export interface BundleLink {
  readonly relation: string;
  readonly url: string;
}
export type Body =
  | { readonly raw: Uint8Array }
  | { readonly resource: Resource }
  | { readonly bundle: { readonly type: string; readonly total?: number; readonly link?: readonly BundleLink[] }; readonly entries: readonly Entry[] };

export interface Answer {
  readonly status: number;
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** The versions that it shows, for the log. */
  readonly shows: readonly Version[];
}

/** What a request means to do, before anything is loaded or decided. */
export interface ReadPlan {
  readonly action: Extract<Action, 'read' | 'search'>;
  /** What it is about: each is asked about by itself. A refusal for one refuses all, unless `whichever`: then those are left out, while any is left. */
  readonly types: readonly ResourceType[];
  readonly whichever?: boolean;
  /** Absent: a search. */
  readonly key?: ResourceKey;
  /** Types without which it cannot be answered: ends of chains. A refusal for one refuses all. */
  readonly alsoNeeds: readonly ResourceType[];
  /** Types that it may bring along: includes. A refusal for one leaves it out. */
  readonly alsoBrings: readonly ResourceType[];
  /** As the client wrote it, for the log. */
  readonly text?: string;
}
/** What is stored plus what earlier entries of the same request will change. */
export type Overlay = (key: ResourceKey) => Version | undefined;

/** One intended write. */
export type Draft =
  /**
   * `unless`: the name of the criterion that found nothing, and must still find nothing in the commit. `chosen`: the client chose the id.
   */
  | {
      readonly op: 'put';
      readonly action: 'create' | 'update';
      readonly key: ResourceKey;
      readonly resource: Resource;
      readonly ifMatch?: string;
      readonly unless?: string;
      readonly chosen?: true;
    }
  | { readonly op: 'delete'; readonly key: ResourceKey; readonly ifMatch?: string }
  /** Nothing is written: the conditional create found this one. */
  | { readonly op: 'found'; readonly key: ResourceKey };

/** What comes from outside of a pure plan. */
export interface Given {
  readonly now: Instant;
  newId(): string;
  /** Account, client and record: whom a cursor is for. */
  readonly bound: string;
  /** Who asks. What may be seen is decided on the road; this is for what is answered to one and not to another. */
  readonly caller: Caller;
}
export type Permit = Extract<Decision, { effect: 'permit' }>;

interface Named {
  /** FHIR's code: http://hl7.org/fhir/R4/valueset-restful-interaction.html */
  readonly code: string;
}
export interface ReadInteraction<P extends ReadPlan = ReadPlan> extends Named {
  readonly effect: 'read';
  /** Pure. */
  plan(request: FhirRequest, given: Given): P;
  /** The reader shows only what was permitted. */
  answer(plan: P, reader: ResourceReader, given: Given): Promise<Answer>;
}
export interface WritePlan {
  /** The stored resources its drafts depend on. */
  readonly keys: readonly ResourceKey[];
  /** Criteria that are searched (narrowed) before the drafts are made: conditional creates and references. */
  readonly criteria: ReadonlyMap<string, SearchQuery>;
  /** What is not FHIR and goes into the same commit: documents, lines of the log. */
  readonly also?: readonly Change[];
}
/** What the criteria found, by the same names. */
export type Found = ReadonlyMap<string, readonly ResourceKey[]>;

export interface WriteInteraction<P extends WritePlan = WritePlan> extends Named {
  readonly effect: 'write';
  /** Pure. */
  plan(request: FhirRequest, given: Given): P;
  /** Pure: what to write, given what is stored now. */
  drafts(plan: P, current: Overlay, found: Found): readonly Draft[];
  /** What went wrong with the draft at this place, as the client is told it: a transaction names its entry. Absent: as it is. */
  tell?(plan: P, place: number, error: unknown): unknown;
  /** `made` has the version of each draft, in their order; `readable` says which of them the caller may read. */
  answer(plan: P, made: readonly Version[], drafts: readonly Draft[], readable: readonly boolean[]): Answer;
}
export type Interaction = ReadInteraction | WriteInteraction;
