import { all } from '../../search/query.ts';
import type { Caller } from '../caller.ts';
import type { Finding } from '../decision.ts';
import { isUnbound } from './level.ts';

const everything = ['c', 'r', 'u', 'd', 's'] as const;

/** Whether the caller may set the server's own work going, which is about everybody's records and shows none: a system with all scopes there are. */
export function mayOperate(caller: Caller, grantEpoch: number): Finding {
  if (isUnbound(caller)) return { effect: 'permit', only: all, because: 'the caller is the server itself', sources: [] };
  const sources = [`grant:${caller.grant}`];
  const refuse = (because: string): Finding => ({ effect: 'deny', because, sources, plain: true });
  if (grantEpoch !== caller.grantEpoch) return refuse('the authorization that the token came from has been withdrawn');
  const whole = caller.scopes.some(
    ({ level, type, where, may }) => level === 'system' && type === '*' && where.length === 0 && everything.every(letter => may.has(letter)),
  );
  if (caller.kind !== 'system' || !whole) return refuse('this is for a system whose token has the scope system/*.cruds');
  return { effect: 'permit', only: all, because: 'the caller is a system with all scopes', sources };
}
