import type { Account } from './account.ts';
import type { Factor } from './accounts.ts';
import type { AccountParts } from './parts.ts';
import { clock } from './parts.ts';
import { checkPasskey, credentialOf, type Owner } from './passkeys.ts';
import { totpStep } from './password.ts';
import { withoutCode } from './recovery.ts';
import { secondFactors } from './sign-in.ts';
import { takeTicket } from './tickets.ts';

/** A factor that was right: what the account is afterwards, and how that is called (RFC 8176). */
export interface Shown {
  readonly account: Account;
  readonly amr: readonly string[];
}
/** A factor with what it takes to judge it: a challenge has been taken, and is good for nobody else. */
type Judge = (account: Account) => Promise<Shown | undefined>;

/**
 * What judges the factor that was shown, on whatever the account is then. `by`: whose challenge it must be; undefined: that of whoever has a passkey.
 * A TOTP code, a recovery code and a counter are good once, since the account that comes of them is committed on what it was.
 */
export async function judgeOf(factor: Factor, by: string | undefined, parts: AccountParts): Promise<Judge> {
  if (factor.method === 'passkey') {
    const ticket = await takeTicket(factor.ticket, 'passkey', parts);
    const owner = await ownerOf(factor.response, parts);
    if (ticket === undefined || ticket.account !== by) return async () => undefined;
    return account => showPasskey(account, owner, factor.response, ticket.challenge, parts);
  }
  return async account => (secondFactors(account).includes(factor.method) ? showCode(account, factor.method, factor.code, parts) : undefined);
}

/** Whose the credential is that a browser's answer names. */
export async function ownerOf(response: unknown, { store }: AccountParts): Promise<Owner | undefined> {
  const id = credentialOf(response);
  return id === undefined ? undefined : ((await store.document('passkey', id)) as Owner | undefined);
}

async function showPasskey(account: Account, owner: Owner | undefined, response: unknown, challenge: string, parts: AccountParts): Promise<Shown | undefined> {
  const checked = await checkPasskey(account, owner, response, challenge, parts);
  if (checked === undefined) return undefined;
  const { passkey, oneDevice } = checked;
  const passkeys = account.passkeys!.map(one => (one.id === passkey.id ? passkey : one));
  return { account: { ...account, passkeys }, amr: [oneDevice ? 'hwk' : 'swk', 'user'] };
}

function showCode(account: Account, method: 'totp' | 'recovery', code: string, parts: AccountParts): Shown | undefined {
  if (method === 'recovery') {
    const recovery = withoutCode(account.recovery ?? [], code);
    return recovery === undefined ? undefined : { account: { ...account, recovery }, amr: ['otp'] };
  }
  const step = account.totp === undefined ? undefined : totpStep(account.totp, code.replace(/\s/g, ''), clock(parts));
  // RFC 6238 §5.2: a code that was taken once is not taken again, nor is one before it.
  if (step === undefined || step <= (account.totpStep ?? -1)) return undefined;
  return { account: { ...account, totpStep: step }, amr: ['otp'] };
}
