import type { Instant, KeyName } from '../fhir/types.ts';

/** An app or a system as it is registered: RFC 7591's metadata, and what is ours. */
export interface Client {
  readonly client_id: string;
  readonly client_name: string;
  readonly kind: 'system' | 'app';
  /** The one organization that a system works for. */
  readonly organization?: string;
  /** The most that it may be granted. */
  readonly scope: string;
  /** Absent: it may be used. `held`: registered by itself, and waiting for somebody to approve it. */
  readonly status?: 'held' | 'revoked';
  readonly [other: string]: unknown;
}

/** What an authorization is about, as the token response tells it (SMART App Launch 2.2 §Launch context). */
export interface LaunchContext {
  /** Id of the Patient. */
  readonly patient?: string;
  readonly encounter?: string;
  readonly fhirUser?: KeyName;
  readonly fhirContext?: readonly { readonly reference: string; readonly role?: string }[];
  readonly need_patient_banner?: boolean;
  readonly intent?: string;
}

/**
 * One authorization of one client: what a token comes from. Ending it ends every token at once. Where a person gave it over a patient's record it is mirrored
 * in a Consent of kind `app`, and stands only while that is in force.
 */
export interface OauthGrant extends LaunchContext {
  readonly id: string;
  readonly client: string;
  readonly account?: string;
  readonly scope: string;
  readonly active: boolean;
  readonly consent?: KeyName;
  /** Hash of the session that it lives as long as (`online_access`). */
  readonly session?: string;
  readonly created?: Instant;
}
