import { hash } from 'node:crypto';
import { networkOf } from '../network.ts';
import type { Change } from '../store/store.ts';
import { type AccountParts, clock, type Limit } from './parts.ts';
import { revise, spend } from './revise.ts';

// Counted by ourselves and not by rate-limiter-flexible: its store adapter is a class that reads the process's clock, and its count could not be cleared in
// the commit of the sign-in that clears it.

/** How often something was tried, until (epoch ms) it is forgotten. */
interface Count {
  readonly count: number;
  readonly until: number;
}
export type Taken = { readonly taken: true /** No other is left. */; readonly last: boolean } | { readonly taken: false; readonly retryAfter: number };

/**
 * Takes one of the tries that there are, before it is known whether it is right: of many at once no more get through than there are. With the last the lock
 * begins. Nothing is written for whoever has none left.
 */
export const take = (key: string, limit: Limit, parts: AccountParts): Promise<Taken> =>
  revise<Taken>([['throttle', key]], parts, ([value]) => {
    const now = clock(parts);
    const found = value as Count | undefined;
    const count = found !== undefined && found.until > now ? found.count : 0;
    if (count >= limit.most) return { changes: [], result: { taken: false, retryAfter: Math.ceil((found!.until - now) / 1000) } };
    const last = count + 1 >= limit.most;
    const until = last ? now + limit.lock : count === 0 ? now + limit.within : found!.until;
    return { changes: [keep(key, { count: count + 1, until })], result: { taken: true, last } };
  });

/** Takes of several; the first that has none left says so. */
export async function takeAll(keys: readonly (readonly [string, Limit])[], parts: AccountParts): Promise<Taken> {
  let last = false;
  for (const [key, limit] of keys) {
    const taken = await take(key, limit, parts);
    if (!taken.taken) return taken;
    ({ last } = taken);
  }
  return { taken: true, last };
}

/** Epoch ms until which nothing more is taken of the key; undefined: it is not locked. */
export async function lockedUntil(key: string, { most }: Limit, { store, now }: Pick<AccountParts, 'store' | 'now'>): Promise<number | undefined> {
  const found = (await store.document('throttle', key)) as Count | null | undefined;
  return found && found.count >= most && found.until > Date.parse(now()) ? found.until : undefined;
}

/** Gives one back that was right after all. */
export const giveBack = (key: string, limit: Limit, parts: AccountParts): Promise<void> =>
  revise([['throttle', key]], parts, ([value]) => {
    const found = value as Count | undefined;
    if (found === undefined || found.count === 0) return { changes: [], result: undefined };
    // What was the last try began the lock, which is over then.
    const until = found.count >= limit.most ? Math.min(found.until, clock(parts) + limit.within) : found.until;
    return { changes: [keep(key, { count: found.count - 1, until })], result: undefined };
  });
/** Forgets all, in the commit of what was right. */
export const forget = (key: string, parts: Pick<AccountParts, 'now'>): Change => spend('throttle', key, clock(parts));

const keep = (id: string, value: Count): Change => ({ op: 'document', kind: 'throttle', id, value, expires: value.until });

export const keys = {
  password: (username: string): string => `password:${username}`,
  // People type passwords where a user name belongs: so little is kept of it that nobody can tell what it was.
  unknown: (typed: string): string => `unknown:${hash('sha256', typed, 'hex').slice(0, 8)}`,
  second: (username: string): string => `second:${username}`,
  confirm: (session: string): string => `confirm:${session}`,
  address: (address: string): string => `address:${networkOf(address)}`,
  signUp: (address: string): string => `sign-up:${networkOf(address)}`,
};
