import { referenceName } from '../access/elements.ts';
import type { Instant, KeyName } from '../fhir/types.ts';
import type { ResourceStore } from '../store/store.ts';

/** What is kept about those who may get in: documents, not FHIR. */
export interface Organization {
  readonly id: string;
  readonly name: string;
  readonly partOf?: string;
}
export type HatKind = 'patient' | 'caregiver' | 'practitioner' | 'front-desk' | 'privacy-officer';
/** What an account may act as. */
export interface Hat {
  readonly kind: HatKind;
  readonly resource?: KeyName;
  readonly organization?: string;
}
/** A login. The user name is the key; an e-mail address may be shared and proves nothing. */
export interface Account {
  readonly username: string;
  readonly hats: readonly Hat[];
  /** argon2id, in the PHC format (`$argon2id$…`). Absent: nobody can sign in with a password. */
  readonly password?: string;
  /** Base32, as authenticator apps take it. */
  readonly totp?: string;
  /** The step of the last TOTP code that was taken: each is good once. */
  readonly totpStep?: number;
  readonly passkeys?: readonly Passkey[];
  /** SHA-256 of each recovery code that is left, base64url. */
  readonly recovery?: readonly string[];
  readonly email?: string;
  /** As people write it, for the pages. */
  readonly name?: string;
  /** The terms that were accepted, and when. */
  readonly terms?: { readonly version: string; readonly at: Instant };
  readonly created?: Instant;
  /** Authorizations that it gave over no record, and so without a Consent: a practitioner's. Some may have ended. */
  readonly connections?: readonly string[];
  /** Nobody gets in any more, and every token ends. */
  readonly disabled?: Instant;
  /** Sessions that began before this have ended: sign-out everywhere, a new password. */
  readonly signedOutAt?: Instant;
}
/** A WebAuthn credential. */
export interface Passkey {
  /** base64url. */
  readonly id: string;
  /** COSE public key, base64url. */
  readonly publicKey: string;
  readonly counter: number;
  readonly transports?: readonly string[];
  readonly name: string;
  readonly created: Instant;
}

/** The patient for whom a RelatedPerson stands now; undefined where it is deleted or no longer active. */
export async function caredFor(relatedPerson: KeyName, store: ResourceStore): Promise<KeyName | undefined> {
  const [type = '', id = ''] = relatedPerson.split('/');
  const version = await store.read({ type, id });
  if (version === undefined || version.deleted) return undefined;
  const { active, patient } = version.parsed();
  return active === false ? undefined : referenceName(patient);
}
