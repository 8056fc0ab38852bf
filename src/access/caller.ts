import type { KeyName } from '../fhir/types.ts';
import type { Origin, RecordId } from '../search/indexed.ts';
import type { Scope } from './scope.ts';

export type CallerKind = 'patient' | 'caregiver' | 'practitioner' | 'system' | 'privacy-officer' | 'server';

/** The person or system behind a verified token, and the app it came through. */
export interface Caller {
  readonly kind: CallerKind;
  /** OAuth client id. */
  readonly client: string;
  readonly account?: string;
  /** As whom it acts: `Patient/mary`, `RelatedPerson/anna-for-mary`, `Practitioner/lee`, `Organization/ima`. */
  readonly who: KeyName;
  /** Where Consents may name it: `who`, and a practitioner's or system's organisation. */
  readonly actors: readonly KeyName[];
  /** The one record that every answer of a `patient/` token is about. */
  readonly record?: RecordId;
  /** Id of the organisation it works for. */
  readonly organization?: string;
  /** v3-ActReason, set by the server. */
  readonly purpose: string;
  readonly scopes: readonly Scope[];
  /** The OAuth grant that the token came from, and the token's own id. */
  readonly grant: string;
  readonly token: string;
  /** The revocation epoch of that grant when the token was verified. */
  readonly grantEpoch: number;
  /** The server's own hand writes for somebody: the origin of what it makes. Of no other caller. */
  readonly origin?: Origin;
  /** The peer's address, for the log. */
  readonly address?: string;
  /** The one caller of a server that is run without authorization: all records are open to it. */
  readonly open?: true;
}

/** The server's own hand does what a caregiver does in our own pages. */
export const isHandOfCaregiver = ({ kind, origin }: Caller): boolean => kind === 'server' && origin?.kind === 'caregiver';

/** Purpose of use by the kind of caller (ACCESS §2): the server sets it, no request does. */
export const purposes = {
  patient: 'PATRQT',
  caregiver: 'FAMRQT',
  practitioner: 'TREAT',
  system: 'TREAT',
  'privacy-officer': 'HOPERAT',
} as const satisfies Partial<Record<CallerKind, string>>;
