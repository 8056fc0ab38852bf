import type { Change, ResourceStore } from '../store/store.ts';
import type { Account } from './account.ts';

/** A user name as it is kept: case does not count. */
export const foldName = (username: string): string => username.trim().toLowerCase();
/** Whether somebody may choose it: no letters that look like others. */
export const isName = (folded: string): boolean => /^[a-z0-9](?:[a-z0-9.-]{1,62})[a-z0-9]$/.test(folded);

/** As it is kept; names that the operator has given in other ways are found as they are. */
export async function findAccount(username: string, store: Pick<ResourceStore, 'document'>): Promise<Account | undefined> {
  if (username === '' || username.length > 256) return undefined;
  const exact = (await store.document('account', username)) as Account | undefined;
  if (exact !== undefined) return exact;
  const folded = foldName(username);
  return folded === username || folded === '' ? undefined : ((await store.document('account', folded)) as Account | undefined);
}

export const keepAccount = (account: Account): Change => ({ op: 'document', kind: 'account', id: account.username, value: account });
