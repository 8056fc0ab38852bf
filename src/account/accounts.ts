import type { KeyName } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import type { Account } from './account.ts';
import type { Session } from './session.ts';

/** From where somebody asks; for throttling and the log. */
export interface From {
  readonly address: string;
}
/** A session that has just begun, and the value of its cookie. */
export interface SignedIn {
  readonly outcome: 'signed-in';
  readonly cookie: string;
  readonly session: Session;
}
/** Wrong, in words that do not say what was wrong. */
export interface Refused {
  readonly outcome: 'refused';
}
export interface Throttled {
  readonly outcome: 'throttled';
  /** Seconds. */
  readonly retryAfter: number;
}
/** The password was right; a second factor is needed. `ticket` names this half-done sign-in, for a few minutes. */
export interface HalfWay {
  readonly outcome: 'second-factor';
  readonly ticket: string;
  readonly methods: readonly SecondFactor[];
}
export type SecondFactor = 'totp' | 'passkey' | 'recovery';
/** What is wrong with a form: the field, and a sentence. */
export interface Mistakes {
  readonly outcome: 'mistakes';
  readonly mistakes: readonly { readonly field: string; readonly text: string }[];
}
export interface Done {
  readonly outcome: 'done';
}

export interface SignUpForm {
  readonly username: string;
  readonly password: string;
  readonly given: string;
  readonly family: string;
  readonly birthDate: string;
  readonly email?: string;
  readonly terms: boolean;
}
/** A factor as it is shown: a code, or the browser's answer to a passkey challenge (with the ticket of the challenge). */
export type Factor =
  | { readonly method: 'totp' | 'recovery'; readonly code: string }
  | { readonly method: 'passkey'; readonly response: unknown; readonly ticket: string };

/** A record that an account may be about: the own one, or that of somebody cared for. A practitioner's hat names no record. */
export interface Choice {
  readonly kind: 'patient' | 'caregiver' | 'practitioner';
  readonly hat: KeyName;
  readonly record?: RecordId;
  /** The patient's name, or the organization's. */
  readonly name: string;
  /** For a caregiver: whether some consent in force lets her see anything there. */
  readonly standing: boolean;
}

/** Who gets in, and how. Every method writes its line of the log in the commit of what it tells. */
export interface Accounts {
  find(username: string): Promise<Account | undefined>;
  /** Makes the account, its Patient and so its record, and signs in. */
  signUp(form: SignUpForm, from: From): Promise<SignedIn | Mistakes | Throttled>;
  signIn(username: string, password: string, from: From): Promise<SignedIn | HalfWay | Refused | Throttled>;
  /** The other half. */
  secondFactor(ticket: string, factor: Factor, from: From): Promise<SignedIn | Refused | Throttled>;
  /** Sign-in by a passkey alone, which is two factors by itself. */
  passkeySignIn(factor: Extract<Factor, { method: 'passkey' }>, from: From): Promise<SignedIn | Refused | Throttled>;
  /** A challenge for a passkey: of the account of a half-done sign-in or a session, or of whoever has one. JSON for the browser. */
  passkeyChallenge(of?: { readonly ticket?: string; readonly account?: string }): Promise<{ readonly ticket: string; readonly options: unknown }>;
  /** A factor shown again in a session, before something that matters: sets `confirmedAt`. Accounts without a second factor cannot. */
  confirm(session: Session, factor: Factor, from: From): Promise<Done | Refused | Throttled>;
  /** The session of a cookie; undefined where there is none, it has ended, or the account has been disabled. Notes that it was seen, now and then. */
  session(cookie: string | undefined): Promise<Session | undefined>;
  /** Takes a record; undefined where the account has no such hat. */
  act(session: Session, hat: KeyName, record: RecordId | undefined): Promise<Session | undefined>;
  choices(account: Account): Promise<readonly Choice[]>;
  signOut(session: Session, from: From): Promise<void>;
  /** Ends all sessions of the account. */
  signOutEverywhere(session: Session, from: From): Promise<void>;

  /** A new authenticator app: what is to be scanned, then its first code. */
  beginTotp(session: Session): Promise<{ readonly ticket: string; readonly secret: string; readonly uri: string }>;
  addTotp(session: Session, ticket: string, code: string, from: From): Promise<Done | Refused | Throttled>;
  removeTotp(session: Session, from: From): Promise<Done>;
  beginPasskey(session: Session): Promise<{ readonly ticket: string; readonly options: unknown }>;
  addPasskey(session: Session, ticket: string, name: string, response: unknown, from: From): Promise<Done | Refused>;
  removePasskey(session: Session, id: string, from: From): Promise<Done>;
  /** New recovery codes, shown once; the old ones are void. */
  newRecoveryCodes(session: Session, from: From): Promise<readonly string[]>;
  changePassword(session: Session, old: string, fresh: string, from: From): Promise<Done | Refused | Mistakes | Throttled>;
}
