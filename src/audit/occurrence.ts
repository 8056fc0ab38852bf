import type { Instant, KeyName } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import type { AuditOutcome } from './record.ts';

/** What happens beside the road: who gets in, and what they are given. */
export type OccurrenceCode =
  | 'sign-up'
  | 'sign-in'
  | 'sign-out'
  /** A factor was added, changed or taken away; a password changed. */
  | 'credentials'
  | 'authorize'
  | 'token'
  | 'refresh'
  | 'introspect'
  | 'revoke'
  | 'launch'
  | 'register'
  | 'client'
  | 'account'
  | 'key';

/** A line of the log about it. A failure or refusal is told by `outcome` (4, 8) and `why`. Never a secret, a code, a token or a password. */
export interface Occurrence {
  readonly code: OccurrenceCode;
  /** '0' where absent. */
  readonly outcome?: AuditOutcome;
  readonly why?: string;
  readonly client?: string;
  readonly account?: string;
  /** As whom: `Patient/mary`, `RelatedPerson/anna-for-mary`, `Organization/ima`. */
  readonly who?: KeyName;
  readonly onBehalfOf?: KeyName;
  /** v3-ActReason. */
  readonly purpose?: string;
  /** The jti of a token. */
  readonly token?: string;
  /** In whose log it is read. */
  readonly record?: RecordId;
  readonly consents?: readonly KeyName[];
  /** What was asked for or given, such as the scopes; no secret. */
  readonly text?: string;
  readonly address?: string;
  /** Of several that are summed up. */
  readonly count?: number;
}

/** Where and when, and a name for the line. */
export interface Moment {
  readonly id: string;
  readonly at: Instant;
  /** Public FHIR base. */
  readonly server: string;
}
