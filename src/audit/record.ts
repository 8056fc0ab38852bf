import type { Coding, Instant, KeyName, ResourceKey, ResourceType } from '../fhir/types.ts';
import type { Confidentiality, RecordId } from '../search/indexed.ts';

/** 0 success, 4 refused for what it is, 8 refused for who asks, 12 failed here. */
export type AuditOutcome = '0' | '4' | '8' | '12';

/** Of a request of FHIR's all are there but `account` and `onBehalfOf`; of what happened beside the road (occurrence.ts) those that are known. */
export interface AuditCaller {
  readonly kind: string;
  readonly client?: string;
  readonly account?: string;
  readonly who?: KeyName;
  readonly onBehalfOf?: KeyName;
  readonly purpose?: string;
  readonly token?: string;
}

/** A line of the log, compact: rendered as a BALP AuditEvent when it is read. References, rule ids and consent ids; never clinical content. */
export interface AuditRecord {
  readonly id: string;
  readonly at: Instant;
  /** http://hl7.org/fhir/restful-interaction code, or `consent-activate`, `unauthenticated`, an operation's name, or an OccurrenceCode (occurrence.ts). */
  readonly code: string;
  readonly outcome: AuditOutcome;
  /** Why it was refused, as the caller was told or as the rules had it. */
  readonly why?: string;
  /** Absent: nobody was authenticated. */
  readonly caller?: AuditCaller;
  /** The account that was named where nobody was authenticated. */
  readonly account?: string;
  readonly address?: string;
  /** The public FHIR base of this server. */
  readonly server: string;
  readonly request: string;
  readonly target?: ResourceKey & { readonly versionId?: string };
  /** The record it touched. */
  readonly record?: RecordId;
  /** The Consents that the decision rests on. */
  readonly consents: readonly string[];
  /** A search as it was asked; kept only where it concerns this record alone. */
  readonly query?: string;
  /** Of what happened beside the road: what was asked for or given. */
  readonly text?: string;
  /** How many requests this line stands for, where it sums up. */
  readonly count?: number;
  readonly labels: AuditLabels;
}

/** The facets of all that the line is about, put together: it is read by nobody who may not read that. Never rendered. */
export interface AuditLabels {
  readonly confidentiality: Confidentiality;
  readonly sensitivity: readonly string[];
  /** What it touched, and what was asked for, found or not. */
  readonly types: readonly ResourceType[];
  readonly codes?: readonly Coding[];
  /** Epoch ms; null is an open end. */
  readonly dates?: { readonly low: number | null; readonly high: number | null };
  readonly authors?: readonly KeyName[];
  /** Absent: the line itself. */
  readonly about?: readonly KeyName[];
}
