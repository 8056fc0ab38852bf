import { createHash } from 'node:crypto';
import { elements, readRange } from '../access/elements.ts';
import type { Account } from '../account/account.ts';
import { accountSettings } from '../account/parts.ts';
import type { Session } from '../account/session.ts';
import type { KeyName } from '../fhir/types.ts';
import type { EpochName, ResourceStore } from '../store/store.ts';
import type { Client, OauthGrant } from './client.ts';

/** What secrets that were handed out are kept under, and compared by. */
export const digestOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

export interface Standing {
  readonly grant: OauthGrant;
  /** Epoch ms at which its Consent lapses, or the sign-in that it lives as long as. */
  readonly until: number;
}

/**
 * The authorization, as long as it stands: it has not been ended, its Consent is in force, and the sign-in that it lives as long as goes on. `now`: epoch ms.
 */
export async function standingGrant(id: string, store: ResourceStore, now: number): Promise<Standing | undefined> {
  const grant = (await store.document('grant', id)) as OauthGrant | undefined;
  if (grant === undefined || !grant.active) return undefined;
  // Both lapse with time alone, so that until when they stand is told as well.
  const online = grant.session === undefined ? Infinity : await sessionStands(grant.session, store, now);
  const agreed = grant.consent === undefined ? Infinity : await consentStands(grant.consent, store, now);
  return online === undefined || agreed === undefined ? undefined : { grant, until: Math.min(online, agreed) };
}

/** Until when the Consent is in force; undefined where it is not. */
async function consentStands(consent: KeyName, store: ResourceStore, now: number): Promise<number | undefined> {
  const [type = '', id = ''] = consent.split('/');
  const version = await store.read({ type, id });
  if (version === undefined || version.deleted) return undefined;
  const { status, provision } = version.parsed();
  if (status !== 'active') return undefined;
  const [root] = elements(provision);
  if (root?.period === undefined) return Infinity;
  const period = readRange(root.period);
  return period !== undefined && period.low <= now && now <= period.high ? period.high : undefined;
}

/** Until when the sign-in goes on, if nothing more is asked in it; undefined where it has ended. */
async function sessionStands(id: string, store: ResourceStore, now: number): Promise<number | undefined> {
  // One that has ended says nothing of whose it was.
  const { account: username, expires, signedInAt, seenAt } = ((await store.document('session', id)) as Partial<Session> | null | undefined) ?? {};
  if (username === undefined || expires === undefined || signedInAt === undefined || seenAt === undefined) return undefined;
  const until = Math.min(expires, seenAt + accountSettings.session.idle);
  const account = (await store.document('account', username)) as Account | undefined;
  const goesOn = account !== undefined && account.disabled === undefined && !(Date.parse(account.signedOutAt ?? '') >= signedInAt);
  return goesOn && until > now ? until : undefined;
}

/** The client, while it may be used. */
export async function usableClient(id: string, store: ResourceStore): Promise<Client | undefined> {
  const client = (await store.document('client', id)) as Client | undefined;
  return client?.status === undefined ? client : undefined;
}
/** The account, while anybody may get in with it. */
export async function usableAccount(username: string, store: ResourceStore): Promise<Account | undefined> {
  const account = (await store.document('account', username)) as Account | undefined;
  return account?.disabled === undefined ? account : undefined;
}

/** The epochs by which it shows that what a token rests on has changed. */
export const epochsOf = ({ id, client, account, consent, patient, session }: OauthGrant): readonly EpochName[] => [
  `grant:${id}`,
  `client:${client}`,
  ...(account === undefined ? [] : [`account:${account}` as const]),
  ...(consent === undefined || patient === undefined ? [] : [`record:Patient/${patient}` as const]),
  ...(session === undefined ? [] : [`session:${session}` as const]),
];
