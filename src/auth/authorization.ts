import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from '../account/account.ts';
import type { Choice, From } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import type { Client, OauthGrant } from './client.ts';
import type { Launch } from './launch.ts';

/** What an app asks a person for: an OAuth authorization request that waits for its answer. */
export interface Asking {
  readonly uid: string;
  readonly client: Client;
  /** What the client may be given of what it asked for, as it wrote it, in its order. */
  readonly scopes: readonly string[];
  /** What it asked for and cannot be given. */
  readonly dropped: readonly string[];
  /** The EHR's launch, where it began there. */
  readonly launch?: Launch;
  /** It is about one patient: `patient/` scopes or `launch/patient`. */
  readonly needsRecord: boolean;
  readonly needsEncounter: boolean;
  /** Who has signed in before this moment (epoch ms) signs in again: `prompt=login`, `max_age`. */
  readonly signedInSince: number;
  readonly loginHint?: string;
}

/** What the person decided. `scopes` ⊆ what was asked for; or narrower, as parts of it. */
export interface Allowed {
  readonly session: Session;
  readonly account: Account;
  readonly choice: Choice;
  readonly scopes: readonly string[];
  readonly encounter?: string;
}

/** The pages' side of the authorization server. */
export interface Authorizations {
  /** The request behind a page. Throws Problem 'not-found' where it is not there, has expired, or is another browser's. */
  asking(request: IncomingMessage, response: ServerResponse): Promise<Asking>;
  /** Makes the authorization (and its Consent) and sends the browser back to the app. */
  allow(request: IncomingMessage, response: ServerResponse, allowed: Allowed, from: From): Promise<void>;
  /** Sends the browser back to the app with `access_denied`. */
  deny(request: IncomingMessage, response: ServerResponse, from: From & { readonly session?: Session }): Promise<void>;
  /** The authorizations that the account has given and that stand. */
  granted(account: Account): Promise<readonly (OauthGrant & { readonly clientName: string })[]>;
  /** Ends one of them: its tokens at once, and its Consent. Throws Problem 'not-found' where it is not the account's. */
  end(id: string, account: Account, from: From): Promise<void>;
}
