import type { KeyName } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import type { Change } from '../store/store.ts';
import { type Account, caredFor } from './account.ts';
import type { SignedIn } from './accounts.ts';
import { type AccountParts, clock } from './parts.ts';
import { revise } from './revise.ts';
import { hashOf, isSecret, newSecret } from './secrets.ts';
import type { Session } from './session.ts';

/** How often, in milliseconds, a session is noted as seen at most. */
const SEEN_EVERY = 60_000;

/** The next moment of the account: later than the last end of all its sessions, so that none that begins now is taken for one that has ended. */
export const momentOf = ({ signedOutAt }: Account, parts: Pick<AccountParts, 'now'>): number =>
  Math.max(clock(parts), signedOutAt === undefined ? 0 : Date.parse(signedOutAt) + 1);

/** Whether something that began then (epoch ms) still counts for the account. */
export const stands = ({ disabled, signedOutAt }: Account, began: number): boolean =>
  disabled === undefined && (signedOutAt === undefined || began > Date.parse(signedOutAt));

/** A new session and the change that keeps it. `second`: a second factor was shown. */
export function beginSession(
  account: Account,
  amr: readonly string[],
  second: boolean,
  parts: AccountParts,
): { readonly signedIn: SignedIn; readonly change: Change } {
  const cookie = newSecret();
  const now = momentOf(account, parts);
  const session: Session = {
    id: hashOf(cookie),
    account: account.username,
    signedInAt: now,
    ...(second ? { confirmedAt: now } : {}),
    amr,
    expires: now + parts.settings.session.absolute,
    seenAt: now,
  };
  return { signedIn: { outcome: 'signed-in', cookie, session }, change: keepSession(session, parts) };
}

export const keepSession = (session: Session, { settings }: Pick<AccountParts, 'settings'>): Change => ({
  op: 'document',
  kind: 'session',
  id: session.id,
  value: session,
  expires: Math.min(session.expires, session.seenAt + settings.session.idle),
});

/** The stored value as a session that has not ended by itself. */
export function asSession(value: unknown, { settings, now }: Pick<AccountParts, 'settings' | 'now'>): Session | undefined {
  const session = value as Session | null | undefined;
  const at = Date.parse(now());
  if (session === null || session === undefined || at >= session.expires || at >= session.seenAt + settings.session.idle) return undefined;
  return session;
}

/** The session of a cookie, without what the account may no longer act as. */
export async function readSession(cookie: string | undefined, parts: AccountParts): Promise<Session | undefined> {
  if (!isSecret(cookie)) return undefined;
  const id = hashOf(cookie);
  const [epoch = 0] = await parts.store.epochs([`session:${id}`]);
  const session = asSession(await parts.store.document('session', id), parts);
  if (session === undefined) return undefined;
  const account = (await parts.store.document('account', session.account)) as Account | undefined;
  if (account === undefined || !stands(account, session.signedInAt)) return undefined;
  const now = clock(parts);
  const seen = now - session.seenAt < SEEN_EVERY ? session : { ...session, seenAt: now };
  // Whoever was quicker has written something that counts more, such as its end.
  if (seen !== session) await parts.store.commit([{ op: 'epoch', of: `session:${id}`, is: epoch }, keepSession(seen, parts)], parts.now());
  const { acting, ...rest } = seen;
  if (acting === undefined) return seen;
  const still = await actingAs(account, acting.hat, acting.record, parts);
  return still === undefined ? rest : { ...rest, acting: still };
}

/** As whom and for which record; undefined where the account has no such hat. A practitioner's record its consents decide about. */
async function actingAs(account: Account, hat: KeyName, record: RecordId | undefined, { store }: AccountParts): Promise<Session['acting']> {
  const worn = account.hats.find(one => one.resource === hat);
  if (worn === undefined) return undefined;
  if (worn.kind === 'practitioner') return { hat, ...(record === undefined ? {} : { record }) };
  const own = worn.kind === 'patient' ? hat : worn.kind === 'caregiver' ? await caredFor(hat, store) : undefined;
  return own === undefined || (record !== undefined && record !== own) ? undefined : { hat, record: own };
}

/** Takes a record: what `act` promises. */
export const actAs = (session: Session, hat: KeyName, record: RecordId | undefined, parts: AccountParts): Promise<Session | undefined> =>
  revise(
    [
      ['session', session.id],
      ['account', session.account],
    ],
    parts,
    async ([kept, found]) => {
      const stored = asSession(kept, parts);
      const account = found as Account | undefined;
      const none = { changes: [], result: undefined };
      if (stored === undefined || account === undefined || !stands(account, stored.signedInAt)) return none;
      const acting = await actingAs(account, hat, record, parts);
      if (acting === undefined) return none;
      const result = { ...stored, acting };
      return { changes: [keepSession(result, parts)], result };
    },
  );
