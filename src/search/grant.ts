import type { Coding, KeyName, Range, ResourceType } from '../fhir/types.ts';
import type { Confidentiality, RecordId } from './indexed.ts';

/**
 * What a node of a Consent's provision tree covers. A member left out is no constraint; all that are there must hold; inside one, any value does.
 * `access/consent.ts` makes it, with what the node inherits; `search/match.ts` and the stores read it.
 */
export interface Criteria {
  /**
   * Resource types (`http://hl7.org/fhir/resource-types` codes). What has target types (a Provenance, a line of the log) is covered by a permit iff all of
   * them are, by a deny iff any is.
   */
  readonly classes?: readonly ResourceType[];
  /** Profile canonicals, beside `classes`: one of either suffices. */
  readonly profiles?: readonly string[];
  /** Types never covered unless `classes` names them. */
  readonly notClasses?: readonly ResourceType[];
  /** One of these codings is among the facet `codes`. A code without system matches in any system. */
  readonly codes?: readonly Coding[];
  /** Permits: the highest confidentiality covered. */
  readonly upTo?: Confidentiality;
  /** Permits: every sensitivity of the resource must be one of these (already with all they imply). */
  readonly onlySensitivities?: readonly string[];
  /** Permits: no sensitivity of the resource may be one of these (they must be named, and are not). */
  readonly notSensitivities?: readonly string[];
  /** Denies, and what permits inherit from one: at least this confidentiality, or any of these sensitivities. */
  readonly labelled?: { readonly atLeast?: Confidentiality; readonly anyOf: readonly string[] };
  /** Overlaps the clinical date. */
  readonly dates?: Range;
  /** One of these holds. `related`: the named one and what it refers to. `dependents`: the named one and what refers to it. */
  readonly data?: {
    readonly instances: readonly KeyName[];
    readonly related: readonly KeyName[];
    readonly dependents: readonly KeyName[];
    readonly authors: readonly KeyName[];
  };
}

/** One node of one Consent in status `active`: a row that the store keeps in step with the Consent. */
export interface Grant {
  readonly consent: KeyName;
  readonly record: RecordId;
  readonly effect: 'permit' | 'deny';
  /** 0 at the root. The deepest node that covers decides; ties deny. */
  readonly depth: number;
  /** The references it names; 'anyone' only on denies (no actor, or one that cannot be resolved). */
  readonly actors: readonly KeyName[] | 'anyone';
  /** v3-ActReason codes with all below them; left out: any. */
  readonly purposes?: readonly string[];
  readonly actions: readonly ('access' | 'correct')[];
  /** In force from and until, epoch milliseconds, both included (already cut to the ancestors' periods). */
  readonly during: Range;
  readonly what: Criteria;
}

/** A grant as it is loaded: `related` names resolved to what they refer to now. */
export interface LoadedGrant extends Grant {
  /** For `what.data.related`: the keys that the named resources refer to, themselves included. */
  readonly relatedTo?: readonly KeyName[];
}
