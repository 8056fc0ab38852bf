import type { Account } from './account.ts';
import type { Done, Factor, From, Refused, SignedIn, Throttled } from './accounts.ts';
import { judgeOf, ownerOf, type Shown } from './factors.ts';
import { lineOf, linesOfRefusal } from './lines.ts';
import { keepAccount } from './names.ts';
import { type AccountParts, clock } from './parts.ts';
import { askForPasskey } from './passkeys.ts';
import { type Revision, revise, spend } from './revise.ts';
import { hashOf } from './secrets.ts';
import type { Session } from './session.ts';
import { asSession, beginSession, keepSession, stands } from './sessions.ts';
import { forget, giveBack, keys, takeAll } from './throttle.ts';
import { asTicket, newTicket, readTicket } from './tickets.ts';

const refused: Refused = { outcome: 'refused' };
/** What a revision tells beside its result: nothing was right. */
type Judged<T> = T | 'wrong' | 'gone';
const names = { totp: 'a code of the authenticator app', passkey: 'a passkey', recovery: 'a recovery code' } as const;

/** The other half of a sign-in. The ticket lasts for as many tries as there are, and for one that is right. */
export async function signInBySecondFactor(ticket: string, factor: Factor, from: From, parts: AccountParts): Promise<SignedIn | Refused | Throttled> {
  const { limits } = parts.settings;
  const half = await readTicket(ticket, 'second-factor', parts);
  if (half === undefined) return refused;
  const key = keys.second(half.account);
  const address = keys.address(from.address);
  const taken = await takeAll(
    [
      [address, limits.address],
      [key, limits.second],
    ],
    parts,
  );
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  const judge = await judgeOf(factor, half.account, parts);
  const id = hashOf(ticket);
  const result = await revise<Judged<SignedIn>>(
    [
      ['account', half.account],
      ['ticket', id],
    ],
    parts,
    async ([found, kept]): Promise<Revision<Judged<SignedIn>>> => {
      const account = found as Account | undefined;
      const still = asTicket(kept, 'second-factor', clock(parts));
      if (account === undefined || still === undefined || !stands(account, still.at)) return { changes: [], result: 'gone' };
      const shown = await judge(account);
      if (shown === undefined) return { changes: [], result: 'wrong' };
      const { signedIn, change } = beginSession(shown.account, [...still.amr, ...shown.amr, 'mfa'], true, parts);
      const line = lineOf(account, { code: 'sign-in', text: `by password and ${names[factor.method]}` }, from, parts);
      return { changes: [keepAccount(shown.account), spend('ticket', id, clock(parts)), change, forget(key, parts), ...line], result: signedIn };
    },
  );
  return tell(result, half.account, factor, taken.last, { code: 'sign-in', address }, from, parts);
}

/** A passkey alone. Nobody's failures count against an account here: a passkey cannot be guessed, so its owner gets in while the password is locked. */
export async function signInByPasskey(
  factor: Extract<Factor, { method: 'passkey' }>,
  from: From,
  parts: AccountParts,
): Promise<SignedIn | Refused | Throttled> {
  const { limits } = parts.settings;
  const address = keys.address(from.address);
  const taken = await takeAll([[address, limits.address]], parts);
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  const judge = await judgeOf(factor, undefined, parts);
  const owner = await ownerOf(factor.response, parts);
  if (owner === undefined) {
    await parts.store.commit(parts.note({ code: 'sign-in', outcome: '8', why: 'no such passkey', address: from.address }), parts.now());
    return refused;
  }
  const result = await revise<Judged<SignedIn>>([['account', owner.account]], parts, async ([found]): Promise<Revision<Judged<SignedIn>>> => {
    const account = found as Account | undefined;
    if (account === undefined || account.disabled !== undefined) return { changes: [], result: 'gone' };
    const shown = await judge(account);
    if (shown === undefined) return { changes: [], result: 'wrong' };
    const { signedIn, change } = beginSession(shown.account, [...shown.amr, 'mfa'], true, parts);
    return { changes: [keepAccount(shown.account), change, ...lineOf(account, { code: 'sign-in', text: 'by a passkey' }, from, parts)], result: signedIn };
  });
  return tell(result, owner.account, factor, false, { code: 'sign-in', address }, from, parts);
}

/** A factor shown again in a session. Failures count within that session alone, so that nobody outside locks its owner out of it. */
export async function confirmSession(session: Session, factor: Factor, from: From, parts: AccountParts): Promise<Done | Refused | Throttled> {
  const { limits } = parts.settings;
  const key = keys.confirm(session.id);
  const taken = await takeAll([[key, limits.confirm]], parts);
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  const judge = await judgeOf(factor, session.account, parts);
  const result = await revise<Judged<Done>>(
    [
      ['account', session.account],
      ['session', session.id],
    ],
    parts,
    async ([found, kept]): Promise<Revision<Judged<Done>>> => {
      const account = found as Account | undefined;
      const stored = asSession(kept, parts);
      if (account === undefined || stored === undefined || !stands(account, stored.signedInAt)) return { changes: [], result: 'gone' };
      const shown = await judge(account);
      if (shown === undefined) return { changes: [], result: 'wrong' };
      const line = lineOf(account, { code: 'sign-in', text: `confirmed by ${names[factor.method]}` }, from, parts);
      return {
        changes: [keepAccount(shown.account), keepSession(confirmed(stored, shown, parts), parts), forget(key, parts), ...line],
        result: { outcome: 'done' },
      };
    },
  );
  return tell(result, session.account, factor, false, { code: 'sign-in' }, from, parts);
}
const confirmed = (session: Session, { amr }: Shown, parts: AccountParts): Session => ({
  ...session,
  confirmedAt: clock(parts),
  amr: [...new Set([...session.amr, ...amr, 'mfa'])],
});

/** What follows on a factor that was judged: the log of a wrong one, the mail, the address that has its try back. */
async function tell<T extends { readonly outcome: string }>(
  result: Judged<T>,
  username: string,
  { method }: Factor,
  last: boolean,
  { code, address }: { readonly code: 'sign-in'; readonly address?: string },
  from: From,
  parts: AccountParts,
): Promise<T | Refused> {
  const account = (await parts.store.document('account', username)) as Account | undefined;
  if (result === 'wrong' || result === 'gone') {
    if (account === undefined) return refused;
    const why = result === 'gone' ? 'the account is disabled, or was signed out' : `not right: ${names[method]}`;
    await parts.store.commit(linesOfRefusal(account, code, why, last, from, parts), parts.now());
    if (last) parts.mail.tell(account, 'account-locked');
    return refused;
  }
  if (method === 'recovery' && account !== undefined) parts.mail.tell(account, 'recovery-code-used');
  if (address !== undefined) await giveBack(address, parts.settings.limits.address, parts);
  return result;
}

/** A challenge for a passkey: of the account of a half-done sign-in or a session, or of whoever has one. */
export async function challengePasskey(
  of: { readonly ticket?: string; readonly account?: string },
  parts: AccountParts,
): Promise<{ readonly ticket: string; readonly options: unknown }> {
  const half = of.ticket === undefined ? undefined : await readTicket(of.ticket, 'second-factor', parts);
  const username = of.ticket === undefined ? of.account : (half?.account ?? '');
  const account = username === undefined ? undefined : ((await parts.store.document('account', username)) as Account | undefined);
  const options = await askForPasskey(account, parts);
  const about = { for: 'passkey', challenge: options.challenge, ...(username === undefined ? {} : { account: username }) } as const;
  const { ticket, change } = newTicket(about, parts);
  await parts.store.commit([change], parts.now());
  return { ticket, options };
}
