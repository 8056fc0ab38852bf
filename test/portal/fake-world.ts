import express from 'express';
import type { Account } from '../../src/account/account.ts';
import type { Choice } from '../../src/account/accounts.ts';
import { makePortal } from '../../src/portal/portal.ts';
import type { PortalParts } from '../../src/portal/route.ts';
import { type FakeAccounts, fakeAccounts } from './fake-accounts.ts';

/** Mary, her daughter Anna and Dr Lee, as they are known to the pages. */
const people: readonly Account[] = [
  {
    username: 'mary',
    password: 'correct-horse-battery-1',
    name: 'Mary Reyes',
    email: 'mary@example.org',
    hats: [{ kind: 'patient', resource: 'Patient/mary' }],
    totp: 'JBSWY3DPEHPK3PXP',
    recovery: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
    passkeys: [{ id: 'cGFzc2tleQ', publicKey: 'AA', counter: 0, name: "Mary's phone", created: '2026-05-04T10:00:00.000Z' }],
    created: '2026-01-02T10:00:00.000Z',
  },
  {
    username: 'anna',
    password: 'correct-horse-battery-2',
    name: 'Anna Reyes',
    hats: [
      { kind: 'patient', resource: 'Patient/anna' },
      { kind: 'caregiver', resource: 'RelatedPerson/anna-for-mary' },
    ],
  },
  {
    username: 'dr-lee',
    password: 'correct-horse-battery-3',
    name: 'Dr Lee',
    hats: [{ kind: 'practitioner', resource: 'Practitioner/lee', organization: 'ima' }],
    totp: 'JBSWY3DPEHPK3PXP',
  },
];
const choices: Readonly<Record<string, readonly Choice[]>> = {
  mary: [{ kind: 'patient', hat: 'Patient/mary', record: 'Patient/mary', name: 'Mary Reyes', standing: true }],
  anna: [
    { kind: 'patient', hat: 'Patient/anna', record: 'Patient/anna', name: 'Anna Reyes', standing: true },
    { kind: 'caregiver', hat: 'RelatedPerson/anna-for-mary', record: 'Patient/mary', name: 'Mary Reyes', standing: true },
  ],
  'dr-lee': [{ kind: 'practitioner', hat: 'Practitioner/lee', name: 'Internal Medicine Associates', standing: true }],
};
export const actingForMary = { hat: 'RelatedPerson/anna-for-mary', record: 'Patient/mary' } as const;

export interface FakeWorld {
  readonly app: express.Express;
  readonly accounts: FakeAccounts;
  /** What the operator would read. */
  readonly lines: unknown[];
}
const nothing = (): never => {
  throw new Error('this world has none of that');
};

/** The pages on accounts in memory. `parts`: in place of what is made up here, such as `run` and `authorizations`; `more`: of the people above. */
export function fakeWorld(parts: Partial<PortalParts> = {}, more: readonly Account[] = []): FakeWorld {
  const now = parts.now ?? ((): number => Date.parse('2026-06-01T12:00:00.000Z'));
  const accounts = fakeAccounts([...people, ...more], choices, now);
  const lines: unknown[] = [];
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(
    makePortal({
      url: 'http://localhost:8080',
      accounts,
      authorizations: { asking: nothing, allow: nothing, deny: nothing, granted: async () => [], end: nothing },
      now,
      addressOf: () => '192.0.2.1',
      signUp: true,
      run: nothing,
      activate: nothing,
      log: line => lines.push(line),
      ...parts,
    }),
  );
  return { app, accounts, lines };
}
