import type { Caller } from '../access/caller.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import type { Instant } from '../fhir/types.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Mail } from './mail.ts';

/** What accounts stand on. */
export interface AccountParts {
  readonly store: ResourceStore;
  /** Public URL, without a slash at the end: passkeys are bound to its host. */
  url(): string;
  now(): Instant;
  newId(): string;
  /** A line of the log, for the commit of what it tells. */
  note(occurrence: Occurrence): readonly Change[];
  /** The one road. */
  run(request: FhirRequest, caller: Caller): Promise<Answer>;
  readonly mail: Mail;
  readonly settings: AccountSettings;
}

/** So many in a while; then none until it is over. Times in milliseconds. */
export interface Limit {
  readonly most: number;
  readonly within: number;
  readonly lock: number;
}
export interface AccountSettings {
  /** Years of age from which somebody may have an account. */
  readonly adult: number;
  /** The version of the terms that sign-up accepts. */
  readonly terms: string;
  /** Milliseconds after which a session ends: whatever happens, and when nothing was asked. */
  readonly session: { readonly absolute: number; readonly idle: number };
  /** Milliseconds that a half-done sign-in or a challenge is good for. */
  readonly ticket: number;
  readonly limits: {
    /** Wrong passwords of one account. */
    readonly password: Limit;
    /** Wrong second factors of one account at sign-in. */
    readonly second: Limit;
    /** Wrong factors or passwords within one session. */
    readonly confirm: Limit;
    /** Whatever is wrong from one address. */
    readonly address: Limit;
    /** Sign-ups from one address, also those whose name is taken. */
    readonly signUp: Limit;
  };
}
const minute = 60_000;
export const accountSettings: AccountSettings = {
  adult: 18,
  terms: '1',
  session: { absolute: 12 * 60 * minute, idle: 30 * minute },
  ticket: 10 * minute,
  limits: {
    // NIST SP 800-63B-4 §3.2.2 allows 100 failures in a row at most; a lock that ends by itself keeps nobody out for ever.
    password: { most: 10, within: 15 * minute, lock: 15 * minute },
    second: { most: 5, within: 15 * minute, lock: 15 * minute },
    confirm: { most: 5, within: 15 * minute, lock: 15 * minute },
    address: { most: 50, within: 15 * minute, lock: 15 * minute },
    signUp: { most: 20, within: 60 * minute, lock: 60 * minute },
  },
};

/** Epoch ms. */
export const clock = ({ now }: Pick<AccountParts, 'now'>): number => Date.parse(now());
