import { referenceName } from '../access/elements.ts';
import type { KeyName } from '../fhir/types.ts';
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
export interface Account {
  readonly username: string;
  readonly hats: readonly Hat[];
  /** scrypt, as `salt.hash`; absent: the account cannot confirm anything itself. */
  readonly password?: string;
  /** Base32, as authenticator apps take it. */
  readonly totp?: string;
}
export interface Client {
  readonly client_id: string;
  readonly client_name: string;
  readonly kind: 'system' | 'app';
  readonly organization?: string;
  readonly scope: string;
  readonly [other: string]: unknown;
}
/** One authorization of one client: what a token comes from. Ending it ends every token at once. */
export interface OauthGrant {
  readonly id: string;
  readonly client: string;
  readonly account?: string;
  readonly scope: string;
  readonly active: boolean;
}

/** The patient for whom a RelatedPerson stands now; undefined where it is deleted or no longer active. */
export async function caredFor(relatedPerson: KeyName, store: ResourceStore): Promise<KeyName | undefined> {
  const [type = '', id = ''] = relatedPerson.split('/');
  const version = await store.read({ type, id });
  if (version === undefined || version.deleted) return undefined;
  const { active, patient } = version.parsed();
  return active === false ? undefined : referenceName(patient);
}
