import type { Account } from './account.ts';
import type { From, HalfWay, Refused, SecondFactor, SignedIn, Throttled } from './accounts.ts';
import { lineOf, linesOfRefusal } from './lines.ts';
import { findAccount, foldName, isName, keepAccount } from './names.ts';
import type { AccountParts } from './parts.ts';
import { hashPassword, isOutdated, isPassword, nobodysHash } from './password.ts';
import { type Revision, revise } from './revise.ts';
import { beginSession, momentOf } from './sessions.ts';
import { forget, giveBack, keys, takeAll } from './throttle.ts';
import { newTicket } from './tickets.ts';

const refused: Refused = { outcome: 'refused' };

/** What the account can show as a second factor. Recovery codes stand in for one that is lost. */
export function secondFactors({ totp, passkeys = [], recovery = [] }: Account): readonly SecondFactor[] {
  const own: readonly SecondFactor[] = [...(passkeys.length > 0 ? (['passkey'] as const) : []), ...(totp === undefined ? [] : (['totp'] as const))];
  return own.length > 0 && recovery.length > 0 ? [...own, 'recovery'] : own;
}

/** By password; whether it suffices or is half the way, the account says. */
export async function signInByPassword(username: string, password: string, from: From, parts: AccountParts): Promise<SignedIn | HalfWay | Refused | Throttled> {
  const { limits } = parts.settings;
  const account = await findAccount(username, parts.store);
  const folded = foldName(username);
  const key = account === undefined ? keys.unknown(folded) : keys.password(account.username);
  const address = keys.address(from.address);
  const counted = account !== undefined || isName(folded) ? ([[key, limits.password]] as const) : [];
  const taken = await takeAll([[address, limits.address], ...counted], parts);
  if (!taken.taken) return { outcome: 'throttled', retryAfter: taken.retryAfter };
  // One hash, whatever there is.
  const kept = account?.password ?? (await nobodysHash());
  const right = (await isPassword(kept, password)) && account?.password !== undefined;
  if (account === undefined) {
    await parts.store.commit(parts.note({ code: 'sign-in', outcome: '8', why: 'no such account', address: from.address }), parts.now());
    return refused;
  }
  const refuse = async (why: string): Promise<Refused> => {
    await parts.store.commit(linesOfRefusal(account, 'sign-in', why, taken.last, from, parts), parts.now());
    if (taken.last) parts.mail.tell(account, 'account-locked');
    return refused;
  };
  if (!right) return refuse('wrong password');
  if (account.disabled !== undefined) return refuse('the account is disabled');
  const fresh = isOutdated(kept) ? await hashPassword(password) : undefined;
  const result = await revise<SignedIn | HalfWay | undefined>([['account', account.username]], parts, ([value]) => {
    const now = value as Account | undefined;
    // Somebody may have taken away or changed what was right.
    if (now === undefined || now.password !== kept || now.disabled !== undefined) return { changes: [], result: undefined };
    return letIn(fresh === undefined ? now : { ...now, password: fresh }, fresh !== undefined, key, from, parts);
  });
  if (result === undefined) return refuse('the account was changed meanwhile');
  await giveBack(address, limits.address, parts);
  return result;
}

/** The password was right: a session, or the ticket for the other half. */
function letIn(account: Account, changed: boolean, key: string, from: From, parts: AccountParts): Revision<SignedIn | HalfWay> {
  const kept = changed ? [keepAccount(account)] : [];
  const methods = secondFactors(account);
  if (methods.length > 0) {
    const { ticket, change } = newTicket({ for: 'second-factor', account: account.username, amr: ['pwd'] }, parts, momentOf(account, parts));
    const line = lineOf(account, { code: 'sign-in', text: 'the password was right; a second factor is asked for' }, from, parts);
    return { changes: [...kept, change, forget(key, parts), ...line], result: { outcome: 'second-factor', ticket, methods } };
  }
  const { signedIn, change } = beginSession(account, ['pwd'], false, parts);
  return { changes: [...kept, change, forget(key, parts), ...lineOf(account, { code: 'sign-in', text: 'by password' }, from, parts)], result: signedIn };
}
