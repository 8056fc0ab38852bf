import { Secret, TOTP } from 'otpauth';
import { Problem } from '../fhir/problem.ts';
import type { Change } from '../store/store.ts';
import type { Account } from './account.ts';
import type { Done, From, Mistakes, Refused, Throttled } from './accounts.ts';
import { lineOf, linesOfRefusal } from './lines.ts';
import { keepAccount } from './names.ts';
import { type AccountParts, clock } from './parts.ts';
import { askForNewPasskey, type Owner, readNewPasskey } from './passkeys.ts';
import { hashPassword, isPassword, nobodysHash, totpStep } from './password.ts';
import { mistakeInPassword } from './password-rules.ts';
import { newRecoveryCodes, recoveryHash } from './recovery.ts';
import { revise, spend } from './revise.ts';
import { hashOf, isSecret } from './secrets.ts';
import { isConfirmed, type Session } from './session.ts';
import { asSession, keepSession, momentOf, stands } from './sessions.ts';
import { secondFactors } from './sign-in.ts';
import { forget, keys, take } from './throttle.ts';
import { asTicket, newTicket, takeTicket } from './tickets.ts';

const done: Done = { outcome: 'done' };
const refused: Refused = { outcome: 'refused' };
const MOST_PASSKEYS = 20;

/** What becomes of an account, with what is told of it; a text: why nothing does. */
interface Changed<T> {
  readonly account: Account;
  readonly text: string;
  readonly result: T;
  readonly also?: readonly Change[];
  /** What the session becomes. */
  readonly session?: Session;
}

/**
 * Changes the account of a session that stands: one commit with its line of the log, and a mail. Throws Problem 'login' where the session has ended, 'forbidden'
 * where
 * `confirmed` is asked and the person has not shown just now who she is ('login', where the account has nothing to show it with).
 */
async function change<T>(
  { id, account: username }: Session,
  also: readonly (readonly ['ticket' | 'passkey', string])[],
  confirmed: boolean,
  from: From,
  parts: AccountParts,
  choose: (account: Account, session: Session, values: readonly unknown[]) => Promise<Changed<T> | { readonly none: T }> | Changed<T> | { readonly none: T },
  news: 'credentials-changed' | 'password-changed' = 'credentials-changed',
): Promise<T> {
  const { result, tell } = await revise<{ readonly result: T; readonly tell?: Account }>(
    [['session', id], ['account', username], ...also],
    parts,
    async ([kept, found, ...values]) => {
      const { session, account } = standing(kept, found as Account | undefined, parts);
      if (confirmed) demandConfirmed(session, account, parts);
      const changed = await choose(account, session, values);
      if ('none' in changed) return { changes: [], result: { result: changed.none } };
      return {
        changes: [
          keepAccount(changed.account),
          ...(changed.session === undefined ? [] : [keepSession(changed.session, parts)]),
          ...(changed.also ?? []),
          ...lineOf(account, { code: 'credentials', text: changed.text }, from, parts),
        ],
        result: { result: changed.result, tell: account },
      };
    },
  );
  if (tell !== undefined) parts.mail.tell(tell, news);
  return result;
}
function standing(kept: unknown, account: Account | undefined, parts: AccountParts): { readonly session: Session; readonly account: Account } {
  const session = asSession(kept, parts);
  if (session === undefined || account === undefined || !stands(account, session.signedInAt)) throw new Problem('login', 'Sign in first.');
  return { session, account };
}
function demandConfirmed(session: Session, account: Account, parts: AccountParts): void {
  const second = secondFactors(account).length > 0;
  if (isConfirmed(session, second, clock(parts))) return;
  throw second ? new Problem('forbidden', 'Confirm first that it is you.') : new Problem('login', 'You have been signed in for a while: sign in again first.');
}
/** The account behind a session that stands and is confirmed. */
async function confirmedAccount({ id, account }: Session, parts: AccountParts): Promise<Account> {
  const [kept, found] = await Promise.all([parts.store.document('session', id), parts.store.document('account', account)]);
  const standingNow = standing(kept, found as Account | undefined, parts);
  demandConfirmed(standingNow.session, standingNow.account, parts);
  return standingNow.account;
}

/** A secret for an authenticator app; it counts once its first code was shown. */
export async function beginTotp(session: Session, parts: AccountParts): Promise<{ readonly ticket: string; readonly secret: string; readonly uri: string }> {
  const account = await confirmedAccount(session, parts);
  // RFC 4226 §4 recommends 160 bits.
  const secret = new Secret({ size: 20 }).base32;
  const { ticket, change: kept } = newTicket({ for: 'new-totp', account: account.username, secret }, parts);
  await parts.store.commit([kept], parts.now());
  return { ticket, secret, uri: new TOTP({ issuer: 'Kindred', label: account.username, secret }).toString() };
}
export async function addTotp(session: Session, ticket: string, code: string, from: From, parts: AccountParts): Promise<Done | Refused | Throttled> {
  if (!isSecret(ticket)) return refused;
  const key = keys.confirm(session.id);
  const taken = await take(key, parts.settings.limits.confirm, parts);
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  const id = hashOf(ticket);
  return change<Done | Refused>(session, [['ticket', id]], true, from, parts, (account, stored, [value]) => {
    const now = clock(parts);
    const fresh = asTicket(value, 'new-totp', now);
    const step = fresh?.account === account.username ? totpStep(fresh.secret, code.replace(/\s/g, ''), now) : undefined;
    if (fresh === undefined || step === undefined) return { none: refused };
    return {
      account: { ...account, totp: fresh.secret, totpStep: step },
      session: { ...stored, confirmedAt: now, amr: [...new Set([...stored.amr, 'otp', 'mfa'])] },
      also: [spend('ticket', id, now), forget(key, parts)],
      text: 'an authenticator app was added',
      result: done,
    };
  });
}
export const removeTotp = (session: Session, from: From, parts: AccountParts): Promise<Done> =>
  change(session, [], true, from, parts, account => {
    if (account.totp === undefined) return { none: done };
    const { totp: _totp, totpStep: _step, ...rest } = account;
    return { account: withoutIdleCodes(rest), text: 'the authenticator app was removed', result: done };
  });

export async function beginPasskey(session: Session, parts: AccountParts): Promise<{ readonly ticket: string; readonly options: unknown }> {
  const account = await confirmedAccount(session, parts);
  const [other] = account.passkeys ?? [];
  const owner = other === undefined ? undefined : ((await parts.store.document('passkey', other.id)) as Owner | undefined);
  const options = await askForNewPasskey(account, owner?.user, parts);
  const { ticket, change: kept } = newTicket({ for: 'new-passkey', account: account.username, challenge: options.challenge, user: options.user.id }, parts);
  await parts.store.commit([kept], parts.now());
  return { ticket, options };
}
export async function addPasskey(session: Session, ticket: string, name: string, response: unknown, from: From, parts: AccountParts): Promise<Done | Refused> {
  const asked = await takeTicket(ticket, 'new-passkey', parts);
  if (asked === undefined || asked.account !== session.account) return refused;
  const called =
    name
      .replace(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, 64) || 'Passkey';
  const passkey = await readNewPasskey(response, asked.challenge, called, parts);
  if (passkey === undefined) return refused;
  return change<Done | Refused>(session, [['passkey', passkey.id]], true, from, parts, (account, stored, [owner]) => {
    // A credential is one account's only (WebAuthn §7.1, step 26).
    if (owner !== undefined || (account.passkeys?.length ?? 0) >= MOST_PASSKEYS) return { none: refused };
    const mine: Owner = { account: account.username, user: asked.user };
    return {
      account: { ...account, passkeys: [...(account.passkeys ?? []), passkey] },
      session: { ...stored, confirmedAt: clock(parts) },
      also: [{ op: 'document', kind: 'passkey', id: passkey.id, value: mine }],
      text: 'a passkey was added',
      result: done,
    };
  });
}
export const removePasskey = (session: Session, id: string, from: From, parts: AccountParts): Promise<Done> =>
  change(session, [], true, from, parts, account => {
    const { passkeys = [], ...rest } = account;
    const left = passkeys.filter(one => one.id !== id);
    if (left.length === passkeys.length) return { none: done };
    return {
      account: withoutIdleCodes({ ...rest, ...(left.length === 0 ? {} : { passkeys: left }) }),
      also: [{ op: 'document', kind: 'passkey', id, value: undefined }],
      text: 'a passkey was removed',
      result: done,
    };
  });

/** Recovery codes stand in for a factor: without one they are good for nothing. */
function withoutIdleCodes(account: Account): Account {
  if (secondFactors(account).length > 0) return account;
  const { recovery: _recovery, ...rest } = account;
  return rest;
}
export const renewRecoveryCodes = (session: Session, from: From, parts: AccountParts): Promise<readonly string[]> => {
  const codes = newRecoveryCodes();
  return change(session, [], true, from, parts, account => ({
    account: { ...account, recovery: codes.map(recoveryHash) },
    text: 'new recovery codes were made',
    result: codes,
  }));
};

/** Ends all other sessions, and half-done sign-ins; this one begins anew. */
export async function changePassword(
  session: Session,
  old: string,
  fresh: string,
  from: From,
  parts: AccountParts,
): Promise<Done | Refused | Mistakes | Throttled> {
  const account = (await parts.store.document('account', session.account)) as Account | undefined;
  if (account === undefined) return refused;
  const text = mistakeInPassword(fresh, [account.username, account.name ?? '', account.email ?? '', 'kindred']);
  if (text !== undefined) return { outcome: 'mistakes', mistakes: [{ field: 'password', text }] };
  const key = keys.confirm(session.id);
  const taken = await take(key, parts.settings.limits.confirm, parts);
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  const right = await isPassword(account.password ?? (await nobodysHash()), old);
  if (!right || account.password === undefined) {
    await parts.store.commit(linesOfRefusal(account, 'credentials', 'the old password was wrong', false, from, parts), parts.now());
    return refused;
  }
  const password = await hashPassword(fresh);
  return change<Done | Refused>(
    session,
    [],
    false,
    from,
    parts,
    (now, stored) => {
      if (now.password !== account.password) return { none: refused };
      const ended = { ...now, password, signedOutAt: new Date(momentOf(now, parts)).toISOString() };
      return {
        account: ended,
        session: { ...stored, signedInAt: momentOf(ended, parts) },
        also: [forget(key, parts)],
        text: 'the password was changed',
        result: done,
      };
    },
    'password-changed',
  );
}
