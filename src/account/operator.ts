import { keyOf } from '../fhir/reference.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import { type Account, caredFor, type Hat, type HatKind } from './account.ts';
import { ownRecord } from './lines.ts';
import { findAccount, foldName, isName, keepAccount } from './names.ts';
import { type AccountParts, accountSettings, clock } from './parts.ts';
import { hashPassword } from './password.ts';
import { mistakeInPassword } from './password-rules.ts';
import { revise } from './revise.ts';
import { momentOf } from './sessions.ts';
import { isEmail } from './sign-up.ts';
import { forget, keys, lockedUntil } from './throttle.ts';

/** What whoever runs the server does with accounts. A value that is a list of texts tells what is wrong. */
export type OperatorParts = Pick<AccountParts, 'store' | 'now' | 'note'>;

/** What a hat of each kind is about; undefined: about nothing but its organization. */
const resourceOfHat: Readonly<Record<HatKind, string | undefined>> = {
  patient: 'Patient',
  caregiver: 'RelatedPerson',
  practitioner: 'Practitioner',
  'front-desk': undefined,
  'privacy-officer': undefined,
};
export const hatKinds = Object.keys(resourceOfHat) as readonly HatKind[];

export interface NewAccount {
  readonly username: string;
  readonly password?: string;
  readonly hats: readonly Hat[];
  readonly email?: string;
  readonly name?: string;
}
/** Makes an account for what there is already: every hat names a live resource, which is nobody else's. */
export async function addAccount(asked: NewAccount, parts: OperatorParts): Promise<Account | readonly string[]> {
  const username = foldName(asked.username);
  const { email, name, hats } = asked;
  const known = [username, name ?? '', email ?? '', 'kindred'];
  const inPassword = asked.password === undefined ? undefined : mistakeInPassword(asked.password, known);
  const mistakes = [
    ...(isName(username) ? [] : ['a user name has 3 to 64 letters, digits, dots and dashes']),
    ...(inPassword === undefined ? [] : [inPassword]),
    ...(email === undefined || isEmail(email) ? [] : ['that is not an e-mail address']),
    ...(await Promise.all(hats.map(hat => mistakesInHat(hat, parts.store)))).flat(),
    ...(new Set(hats.map(({ resource, kind, organization }) => resource ?? `${kind} ${organization}`)).size < hats.length ? ['a hat is named twice'] : []),
  ];
  if (mistakes.length > 0) return mistakes;
  const account: Account = {
    username,
    hats,
    ...(asked.password === undefined ? {} : { password: await hashPassword(asked.password) }),
    ...(email === undefined ? {} : { email }),
    ...(name === undefined ? {} : { name }),
    created: parts.now(),
  };
  const worn = hats.flatMap(hat => hat.resource ?? []);
  return revise<Account | readonly string[]>([['account', username], ...worn.map(hat => ['hat', hat] as const)], parts, async ([found, ...wearers]) => {
    const taken = [
      ...(found === undefined && (await findAccount(asked.username, parts.store)) === undefined ? [] : [`there is an account \`${username}\` already`]),
      ...worn.filter((_, at) => wearers[at] !== undefined).map(hat => `somebody has the hat of \`${hat}\` already`),
    ];
    if (taken.length > 0) return { changes: [], result: taken };
    const kept = worn.map((hat): Change => ({ op: 'document', kind: 'hat', id: hat, value: username }));
    return { changes: [keepAccount(account), ...kept, ...line(account, 'added', parts)], result: account };
  });
}

async function mistakesInHat({ kind, resource, organization }: Hat, store: ResourceStore): Promise<readonly string[]> {
  const type = resourceOfHat[kind];
  const mistakes: string[] = [];
  if (type === undefined && resource !== undefined) mistakes.push(`a ${kind} acts for an organization, not as \`${resource}\``);
  if (type !== undefined && !(await isLive(resource, type, store))) mistakes.push(`a ${kind} acts as a ${type} that is stored, not as \`${resource ?? ''}\``);
  else if (kind === 'caregiver' && (await caredFor(resource!, store)) === undefined) mistakes.push(`\`${resource}\` is not active, or of no patient`);
  const works = type === undefined || kind === 'practitioner';
  if (works && organization === undefined && type === undefined) mistakes.push(`a ${kind} acts for an organization`);
  if (!works && organization !== undefined) mistakes.push(`a ${kind} acts for no organization`);
  if (works && organization !== undefined && (await store.document('organization', organization)) === undefined)
    mistakes.push(`there is no organization \`${organization}\``);
  return mistakes;
}
async function isLive(resource: string | undefined, type: string, store: ResourceStore): Promise<boolean> {
  const key = resource?.startsWith(`${type}/`) ? keyOf(resource) : undefined;
  const version = key === undefined ? undefined : await store.read(key);
  return version !== undefined && !version.deleted;
}

/** Nobody gets in any more: sessions, half-done sign-ins and tokens end with the next request. Undefined: there is no such account. */
export const disableAccount = (username: string, parts: OperatorParts): Promise<Account | undefined> =>
  alter(username, 'disabled', parts, account =>
    account.disabled === undefined ? { ...account, disabled: parts.now(), signedOutAt: new Date(momentOf(account, parts)).toISOString() } : account,
  );
/** What has ended stays so: the person signs in anew. */
export const enableAccount = (username: string, parts: OperatorParts): Promise<Account | undefined> =>
  alter(username, 'enabled', parts, account => {
    const { disabled, ...rest } = account;
    return disabled === undefined ? account : rest;
  });
/** Forgets what has failed. */
export const unlockAccount = (username: string, parts: OperatorParts): Promise<Account | undefined> =>
  alter(
    username,
    'unlocked',
    parts,
    account => account,
    account => lockKeys(account).map(([key]) => forget(key, parts)),
  );

async function alter(
  username: string,
  done: string,
  parts: OperatorParts,
  change: (account: Account) => Account,
  also: (account: Account) => readonly Change[] = () => [],
): Promise<Account | undefined> {
  const found = await findAccount(username, parts.store);
  if (found === undefined) return undefined;
  return revise<Account | undefined>([['account', found.username]], parts, ([value]) => {
    const account = value as Account | undefined;
    if (account === undefined) return { changes: [], result: undefined };
    const changed = change(account);
    const changes = [...(changed === account ? [] : [keepAccount(changed)]), ...also(account)];
    return { changes: changes.length === 0 ? [] : [...changes, ...line(account, done, parts)], result: changed };
  });
}
/** In the person's own log, as done by the server and not by the person. */
const line = (account: Account, done: string, parts: OperatorParts): readonly Change[] => {
  const record = ownRecord(account);
  return parts.note({ code: 'account', client: 'kindred', text: `account ${account.username}: ${done}`, ...(record === undefined ? {} : { record }) });
};

/** An account as it is listed: no secrets. */
export interface Listed {
  readonly username: string;
  readonly hats: readonly Hat[];
  readonly factors: readonly string[];
  readonly disabled?: string;
  /** Until when. */
  readonly locked?: string;
}
export async function listAccounts(parts: OperatorParts): Promise<readonly Listed[]> {
  const accounts = (await parts.store.documents('account')).map(({ value }) => value as Account);
  return Promise.all(
    accounts.map(async account => {
      const { username, hats, password, totp, passkeys = [], disabled } = account;
      const until = await Promise.all(lockKeys(account).map(([key, limit]) => lockedUntil(key, limit, parts)));
      const locked = Math.max(0, ...until.filter(one => one !== undefined));
      return {
        username,
        hats,
        factors: [...(password === undefined ? [] : ['password']), ...(totp === undefined ? [] : ['totp']), ...passkeys.map(() => 'passkey')],
        ...(disabled === undefined ? {} : { disabled }),
        ...(locked > clock(parts) ? { locked: new Date(locked).toISOString() } : {}),
      };
    }),
  );
}
const lockKeys = ({ username }: Account) =>
  [
    [keys.password(username), accountSettings.limits.password],
    [keys.second(username), accountSettings.limits.second],
  ] as const;
