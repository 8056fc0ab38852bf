import { randomUUID } from 'node:crypto';
import { makeRules } from '../../src/access/rules/index.ts';
import type { Account } from '../../src/account/account.ts';
import type { Accounts, From, SignedIn, SignUpForm } from '../../src/account/accounts.ts';
import type { Mail, News } from '../../src/account/mail.ts';
import { makeAccounts } from '../../src/account/make-accounts.ts';
import { type AccountParts, type AccountSettings, accountSettings } from '../../src/account/parts.ts';
import { hashPassword } from '../../src/account/password.ts';
import type { App } from '../../src/cli/command.ts';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import { plant } from '../../src/cli/seeding.ts';
import { makeGrantCache } from '../../src/interaction/facts.ts';
import { makeInteractions } from '../../src/interaction/interactions.ts';
import { makeNote } from '../../src/interaction/occurrence.ts';
import type { Parts } from '../../src/interaction/parts.ts';
import { openReindexer } from '../../src/interaction/reindex.ts';
import { routeFor, run } from '../../src/interaction/run.ts';
import { openScratch, registry } from '../engine.ts';
import { good } from './words.ts';

/** Accounts on a store in memory, with a clock that stands still until it is moved. */
export interface AccountWorld {
  readonly parts: AccountParts;
  readonly road: Parts;
  readonly accounts: Accounts;
  /** What was mailed. */
  readonly news: [to: string, what: News][];
  /** Moves the clock. */
  pass(ms: number): void;
  /** Puts an account there. */
  put(account: Partial<Account> & { readonly username: string }, password?: string): Promise<Account>;
  /** Lines of the log. */
  lines(): Promise<readonly Line[]>;
  end(): Promise<void>;
}
export interface Line {
  readonly code: string;
  readonly outcome: string;
  readonly why?: string;
  readonly record?: string;
  readonly address?: string;
  /** Of whom it is told; beside the caller where nobody was authenticated. */
  readonly account?: string;
  readonly caller?: { readonly account?: string };
  readonly [other: string]: unknown;
}

export const here: From = { address: '192.0.2.7' };
export { good, minutes } from './words.ts';

export async function openAccounts(
  settings: Partial<AccountSettings> = {},
  wrap: (parts: AccountParts) => AccountParts = parts => parts,
): Promise<AccountWorld> {
  let time = Date.parse('2026-11-28T12:00:00.000Z');
  const now = (): string => new Date(time).toISOString();
  const url = 'http://localhost:8080';
  const store = await openScratch();
  const reindexer = await openReindexer({ store, registry, wanted: {}, owner: 'test', alone: true, now, newId: randomUUID, tell: () => {} });
  const road: Parts = {
    store,
    registry,
    grantCache: makeGrantCache(),
    reindexer,
    rulesFor: makeRules(registry),
    base: () => `${url}/fhir`,
    now,
    newId: randomUUID,
    audit: true,
    provenance: true,
  };
  const interactions = makeInteractions(road, Buffer.alloc(32), url);
  const answer: AccountParts['run'] = (request, caller) => run(routeFor(request), request, caller, road, interactions);
  await plant(family as Seed, { store, run: answer, now } as App);
  const news: [string, News][] = [];
  const mail: Mail = { tell: ({ email }, what) => void (email === undefined || news.push([email, what])) };
  const parts = wrap({
    store,
    url: () => url,
    now,
    newId: randomUUID,
    note: makeNote(road),
    run: answer,
    mail,
    settings: { ...accountSettings, ...settings },
  });
  return {
    parts,
    road,
    news,
    accounts: makeAccounts(parts),
    pass: ms => {
      time += ms;
    },
    async put(account, password) {
      const whole: Account = { hats: [], ...account, ...(password === undefined ? {} : { password: await hashPassword(password) }) };
      await store.commit([{ op: 'document', kind: 'account', id: whole.username, value: whole }], now());
      return whole;
    },
    async lines() {
      const lines: Line[] = [];
      for await (const link of store.chain()) for (const { body } of link.events) lines.push(JSON.parse(Buffer.from(body).toString()) as Line);
      return lines;
    },
    async end() {
      await reindexer.close();
      await store.close();
    },
  };
}

export const form = (changes: Partial<SignUpForm> = {}): SignUpForm => ({
  username: 'mary-r',
  password: good,
  given: 'Mary',
  family: 'Reyes',
  birthDate: '1980-05-31',
  email: 'mary@example.org',
  terms: true,
  ...changes,
});

/** What must be a session. */
export function signedIn(answer: { readonly outcome: string }): SignedIn {
  if (answer.outcome !== 'signed-in') throw new Error(`not signed in: ${JSON.stringify(answer)}`);
  return answer as SignedIn;
}

/** The same on a store that takes its time, each answer another, so that what happens at once really meets. */
export function slowly(parts: AccountParts): AccountParts {
  const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.random() * 8));
  const { store } = parts;
  return {
    ...parts,
    store: {
      ...store,
      async epochs(names) {
        const epochs = await store.epochs(names);
        await pause();
        return epochs;
      },
      async document(kind, id) {
        const value = await store.document(kind, id);
        await pause();
        return value;
      },
      async commit(changes, at) {
        await pause();
        return store.commit(changes, at);
      },
    },
  };
}
