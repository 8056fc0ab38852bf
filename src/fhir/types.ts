/** The shapes of FHIR that every part of the server speaks of. */

export type ResourceType = string;
/** A moment as FHIR's `instant`: UTC, milliseconds, `2026-11-24T17:41:19.000Z`. */
export type Instant = string;

export interface Coding {
  readonly system?: string;
  readonly code?: string;
  readonly display?: string;
}
export interface CodeableConcept {
  readonly coding?: readonly Coding[];
  readonly text?: string;
}
export interface Reference {
  readonly reference?: string;
  readonly type?: string;
  readonly identifier?: { readonly system?: string; readonly value?: string };
  readonly display?: string;
}
export interface Meta {
  readonly versionId?: string;
  readonly lastUpdated?: Instant;
  readonly source?: string;
  readonly profile?: readonly string[];
  readonly security?: readonly Coding[];
  readonly tag?: readonly Coding[];
}
export interface Resource {
  readonly resourceType: ResourceType;
  readonly id?: string;
  readonly meta?: Meta;
  readonly [element: string]: unknown;
}
export interface ResourceKey {
  readonly type: ResourceType;
  readonly id: string;
}
/** `Type/id`, the way a reference names a resource of ours. */
export type KeyName = `${string}/${string}`;

/** A span of time in epoch milliseconds, both ends included; ±Infinity where open. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The key as a reference names it. */
export const nameOf = (key: ResourceKey): KeyName => `${key.type}/${key.id}`;
