import type { Account } from './account.ts';
import type { From } from './accounts.ts';
import { lineOf } from './lines.ts';
import { keepAccount } from './names.ts';
import { type AccountParts, clock } from './parts.ts';
import { revise, spend } from './revise.ts';
import type { Session } from './session.ts';
import { momentOf } from './sessions.ts';

/** Ends this session. Nothing happens where it has ended. */
export const signOut = (session: Session, from: From, parts: AccountParts): Promise<void> =>
  revise(
    [
      ['session', session.id],
      ['account', session.account],
    ],
    parts,
    ([kept, found]) => {
      const account = found as Account | undefined;
      if (kept === undefined) return { changes: [], result: undefined };
      return {
        changes: [spend('session', session.id, clock(parts)), ...(account === undefined ? [] : lineOf(account, { code: 'sign-out' }, from, parts))],
        result: undefined,
      };
    },
  );

/** Ends all that began until now: sessions, half-done sign-ins. */
export const signOutEverywhere = (session: Session, from: From, parts: AccountParts): Promise<void> =>
  revise([['account', session.account]], parts, ([found]) => {
    const account = found as Account | undefined;
    if (account === undefined) return { changes: [], result: undefined };
    return {
      changes: [
        keepAccount({ ...account, signedOutAt: new Date(momentOf(account, parts)).toISOString() }),
        spend('session', session.id, clock(parts)),
        ...lineOf(account, { code: 'sign-out', text: 'everywhere' }, from, parts),
      ],
      result: undefined,
    };
  });
