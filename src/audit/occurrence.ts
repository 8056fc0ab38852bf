import type { Instant, KeyName, ResourceType } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import type { AuditCaller, AuditOutcome, AuditRecord } from './record.ts';

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

/** What a line of each code is about: it is read by nobody but the patient who may not read that, and what is about a Consent by the patient alone. */
const about: Readonly<Record<OccurrenceCode, ResourceType>> = {
  'sign-up': 'Person',
  'sign-in': 'Person',
  'sign-out': 'Person',
  credentials: 'Person',
  account: 'Person',
  authorize: 'Consent',
  token: 'Consent',
  refresh: 'Consent',
  introspect: 'Consent',
  revoke: 'Consent',
  launch: 'Consent',
  register: 'Consent',
  client: 'Consent',
  key: 'Consent',
};
export const isOccurrence = (code: string): code is OccurrenceCode => Object.hasOwn(about, code);

/** An occurrence → the line that is kept. Pure. */
export function occurrenceRecord(occurrence: Occurrence, { id, at, server }: Moment): AuditRecord {
  const { code, outcome = '0', why, account, record, consents = [], text, address, count } = occurrence;
  const caller = callerOf(occurrence);
  return {
    id,
    at,
    code,
    outcome,
    ...(why === undefined ? {} : { why }),
    ...(caller === undefined ? {} : { caller }),
    ...(caller === undefined && account !== undefined ? { account } : {}),
    ...(address === undefined ? {} : { address }),
    server,
    request: id,
    ...(record === undefined ? {} : { record }),
    consents: [...new Set(consents)].sort(),
    ...(text === undefined ? {} : { text }),
    ...(count === undefined ? {} : { count }),
    labels: { confidentiality: 3, sensitivity: [], types: [about[code]] },
  };
}

const kinds: Readonly<Record<ResourceType, string>> = { Patient: 'patient', RelatedPerson: 'caregiver', Practitioner: 'practitioner', Organization: 'system' };

/** Where a sign-in failed nobody was authenticated, whatever name was given. */
function callerOf({ code, outcome = '0', client, account, who, onBehalfOf, purpose, token }: Occurrence): AuditCaller | undefined {
  const known = who !== undefined || (account !== undefined && !(outcome !== '0' && (code === 'sign-in' || code === 'sign-up')));
  if (!known && client === undefined) return undefined;
  const kind = who === undefined ? (known ? 'account' : 'client') : (kinds[who.slice(0, who.indexOf('/'))] ?? 'account');
  return {
    kind,
    ...(client === undefined ? {} : { client }),
    ...(known && account !== undefined ? { account } : {}),
    ...(who === undefined ? {} : { who }),
    ...(onBehalfOf === undefined ? {} : { onBehalfOf }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(token === undefined ? {} : { token }),
  };
}
