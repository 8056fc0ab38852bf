import type { Coding, KeyName, Range, Resource, ResourceType } from '../fhir/types.ts';

/** One human's record, named by the Patient it began with (`Patient/mary`). */
export type RecordId = KeyName;

/** Who made the first version of a resource: set from the token, kept for ever, never read from a body. */
export type Origin =
  | { readonly kind: 'organization'; readonly by: string }
  | { readonly kind: 'patient' | 'caregiver'; readonly by: KeyName; readonly record: RecordId }
  | { readonly kind: 'server'; readonly by: string };

/** U, L, M, N, R, V of v3-Confidentiality, as a number from 0 to 5. */
export type Confidentiality = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * What the server knows about a resource and its body does not say, or says only together with what it refers to. Stamped at commit, never taken
 * from a body; rules and grants may look at nothing else besides the resource itself.
 */
export interface Facets {
  /** The records that the resource belongs to. More than one: each of them must permit. None: directory, or its contributor's only. */
  readonly records: readonly RecordId[];
  readonly origin: Origin;
  readonly confidentiality: Confidentiality;
  /** v3-ActCode sensitivities (`HIV`, `SUD`, …), without the ones that they imply. */
  readonly sensitivity: readonly string[];
  /** Every coding of the clinical code elements, those of contained and cited Medications and of Provenance targets too. */
  readonly codes: readonly Coding[];
  /** effective, onset, performed …; else asserted, authored; else the moment of the commit. */
  readonly clinicalDate: Range;
  /** Authors and information sources, as `Type/id`. */
  readonly authors: readonly KeyName[];
  /** What the resource stands for when it is judged instance by instance: itself; a Provenance: its targets; a line of the log: what it is about. */
  readonly about: readonly KeyName[];
  /** The types of those targets, for a Provenance; for a line of the log `AuditEvent` and the types of what it is about. */
  readonly targetTypes?: readonly ResourceType[];
  /** The Consents that a Provenance cites: it is hidden from whoever may not read them. */
  readonly cites?: readonly KeyName[];
}

/** What can be judged and searched: a resource together with its facets. */
export interface Indexed {
  readonly resource: Resource;
  readonly facets: Facets;
  /** lastUpdated in epoch milliseconds; absent while it is not stored yet. */
  readonly updated?: number;
}
