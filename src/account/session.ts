import type { KeyName } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';

/** Somebody who has signed in to our pages with a browser. */
export interface Session {
  /** SHA-256 of the cookie's value, base64url: what it is kept under. */
  readonly id: string;
  readonly account: string;
  /** As whom the person acts, and for which record, once chosen. */
  readonly acting?: { readonly hat: KeyName; readonly record?: RecordId };
  /** Epoch ms. */
  readonly signedInAt: number;
  /** When a second factor was last shown. Absent: not in this session. */
  readonly confirmedAt?: number;
  /** RFC 8176: `pwd`, `otp`, `hwk` … */
  readonly amr: readonly string[];
  /** Epoch ms at which it ends whatever happens; and when nothing was asked for a while. */
  readonly expires: number;
  readonly seenAt: number;
}

/** Milliseconds for which a confirmation counts, and, of an account without a second factor, signing in. */
export const CONFIRMED_FOR = 5 * 60_000;
/** Whether the person has shown just now who she is: before factors are changed, or something else that matters. `now`: epoch ms. */
export const isConfirmed = ({ confirmedAt, signedInAt }: Session, hasSecondFactor: boolean, now: number): boolean =>
  now - (hasSecondFactor ? (confirmedAt ?? 0) : Math.max(confirmedAt ?? 0, signedInAt)) < CONFIRMED_FOR;
