import type { Occurrence } from '../audit/occurrence.ts';
import type { RecordId } from '../search/indexed.ts';
import type { Change } from '../store/store.ts';
import type { Account } from './account.ts';
import type { From } from './accounts.ts';
import type { AccountParts } from './parts.ts';

/** The record that is the account's own: there its lines of the log are read. */
export const ownRecord = ({ hats }: Account): RecordId | undefined => hats.find(hat => hat.kind === 'patient')?.resource as RecordId | undefined;

/** A line of the log about an account. */
export function lineOf(
  account: Account,
  what: Pick<Occurrence, 'code' | 'outcome' | 'why' | 'text'>,
  from: From | undefined,
  parts: AccountParts,
): readonly Change[] {
  const record = ownRecord(account);
  const who = record ?? account.hats.find(hat => hat.resource !== undefined)?.resource;
  // Where a sign-in failed nobody is known to have been it.
  const known = who !== undefined && (what.code !== 'sign-in' || what.outcome === undefined);
  return parts.note({
    ...what,
    account: account.username,
    ...(known ? { who } : {}),
    ...(record === undefined ? {} : { record }),
    ...(from === undefined ? {} : { address: from.address }),
  });
}
/** Somebody was refused. `last`: with this try the account is locked for a while. */
export function linesOfRefusal(account: Account, code: Occurrence['code'], why: string, last: boolean, from: From, parts: AccountParts): readonly Change[] {
  return [
    ...lineOf(account, { code, outcome: '8', why }, from, parts),
    ...(last ? lineOf(account, { code: 'account', outcome: '8', why: 'failed too often: locked for a while' }, from, parts) : []),
  ];
}
