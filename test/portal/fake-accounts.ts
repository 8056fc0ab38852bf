import { createHash, randomBytes } from 'node:crypto';
import type { Account } from '../../src/account/account.ts';
import type { Accounts, Choice, Factor, HalfWay, SecondFactor, SignedIn } from '../../src/account/accounts.ts';
import type { Session } from '../../src/account/session.ts';

/** Accounts in memory for looking at pages: passwords are kept as they are, 123456 is everybody's code, and any passkey will do. */
export interface FakeAccounts extends Accounts {
  readonly kept: Map<string, Account>;
  /** The cookie of a session that has just begun. */
  enter(username: string, of?: Partial<Session>): string;
  /** From now on every try is one too many. */
  throttle: boolean;
}

const nameOf = (cookie: string): string => createHash('sha256').update(cookie).digest('base64url');
const random = (): string => randomBytes(24).toString('base64url');

export function fakeAccounts(people: readonly Account[], choices: Readonly<Record<string, readonly Choice[]>>, now: () => number): FakeAccounts {
  const kept = new Map(people.map(one => [one.username, one]));
  const sessions = new Map<string, Session>();
  const tickets = new Map<string, string>();
  const begin = (username: string, of: Partial<Session> = {}): SignedIn => {
    const cookie = random();
    const session = { id: nameOf(cookie), account: username, signedInAt: now(), amr: ['pwd'], expires: now() + 3_600_000, seenAt: now(), ...of };
    sessions.set(session.id, session);
    return { outcome: 'signed-in', cookie, session };
  };
  const methodsOf = (account: Account): readonly SecondFactor[] => [
    ...(account.totp === undefined ? [] : (['totp'] as const)),
    ...((account.passkeys?.length ?? 0) === 0 ? [] : (['passkey'] as const)),
    ...((account.recovery?.length ?? 0) === 0 ? [] : (['recovery'] as const)),
  ];
  const isFactor = (factor: Factor): boolean =>
    factor.method === 'passkey' ? factor.response !== null : factor.code === '123456' || factor.code === 'abcd-efgh';
  const ticketFor = (what: string): string => {
    const ticket = random();
    tickets.set(ticket, what);
    return ticket;
  };
  const change = ({ account }: Session, by: (was: Account) => Account): { outcome: 'done' } => {
    kept.set(account, by(kept.get(account)!));
    return { outcome: 'done' };
  };
  const throttled = { outcome: 'throttled', retryAfter: 90 } as const;
  const challenge = { challenge: random(), rpId: 'localhost', userVerification: 'preferred', allowCredentials: [] };

  const accounts: FakeAccounts = {
    kept,
    throttle: false,
    enter: (username, of) => begin(username, of).cookie,
    find: async username => kept.get(username),
    async signUp(form) {
      if (accounts.throttle) return throttled;
      const mistakes = [
        ...(kept.has(form.username) ? [{ field: 'username', text: 'This user name is taken.' }] : []),
        ...(form.password.length < 12 ? [{ field: 'password', text: 'The password needs at least 12 characters.' }] : []),
        ...(form.terms ? [] : [{ field: 'terms', text: 'Please accept the terms.' }]),
      ];
      if (mistakes.length > 0) return { outcome: 'mistakes', mistakes };
      kept.set(form.username, {
        username: form.username,
        password: form.password,
        name: `${form.given} ${form.family}`,
        hats: [{ kind: 'patient', resource: `Patient/${form.username}` }],
      });
      return begin(form.username);
    },
    async signIn(username, password) {
      if (accounts.throttle) return throttled;
      const account = kept.get(username);
      if (account?.password === undefined || account.password !== password) return { outcome: 'refused' };
      const methods = methodsOf(account);
      return methods.length === 0 ? begin(username) : ({ outcome: 'second-factor', ticket: ticketFor(username), methods } satisfies HalfWay);
    },
    async secondFactor(ticket, factor) {
      if (accounts.throttle) return throttled;
      const username = tickets.get(ticket);
      return username !== undefined && isFactor(factor) ? begin(username, { confirmedAt: now() }) : { outcome: 'refused' };
    },
    passkeySignIn: async () => begin('mary', { confirmedAt: now() }),
    passkeyChallenge: async () => ({ ticket: ticketFor('passkey'), options: challenge }),
    async confirm(session, factor) {
      if (accounts.throttle) return throttled;
      if (!isFactor(factor)) return { outcome: 'refused' };
      sessions.set(session.id, { ...session, confirmedAt: now() });
      return { outcome: 'done' };
    },
    session: async cookie => (cookie === undefined ? undefined : sessions.get(nameOf(cookie))),
    async act(session, hat, record) {
      const choice = (choices[session.account] ?? []).find(one => one.hat === hat);
      if (choice === undefined) return undefined;
      const fresh = { ...session, acting: { hat, ...(record === undefined ? {} : { record }) } };
      sessions.set(session.id, fresh);
      return fresh;
    },
    choices: async account => choices[account.username] ?? [],
    signOut: async session => void sessions.delete(session.id),
    async signOutEverywhere({ account }) {
      for (const [id, session] of sessions) if (session.account === account) sessions.delete(id);
    },
    async beginTotp({ account }) {
      const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
      return { ticket: ticketFor(account), secret, uri: `otpauth://totp/Kindred:${account}?issuer=Kindred&secret=${secret}&algorithm=SHA1&digits=6&period=30` };
    },
    addTotp: async (session, _ticket, code) => (code === '123456' ? change(session, was => ({ ...was, totp: 'JBSWY3DPEHPK3PXP' })) : { outcome: 'refused' }),
    removeTotp: async session => change(session, ({ totp: _gone, ...rest }) => rest),
    beginPasskey: async ({ account }) => ({
      ticket: ticketFor(account),
      options: {
        challenge: random(),
        rp: { id: 'localhost', name: 'Kindred' },
        user: { id: random(), name: account, displayName: account },
        pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      },
    }),
    addPasskey: async (session, _ticket, name) =>
      change(session, was => ({
        ...was,
        passkeys: [...(was.passkeys ?? []), { id: random(), publicKey: 'AA', counter: 0, name, created: new Date(now()).toISOString() }],
      })),
    removePasskey: async (session, id) => change(session, was => ({ ...was, passkeys: (was.passkeys ?? []).filter(one => one.id !== id) })),
    async newRecoveryCodes(session) {
      const codes = ['abcd-efgh', 'bcde-fghi', 'cdef-ghij', 'defg-hijk', 'efgh-ijkl', 'fghi-jklm', 'ghij-klmn', 'hijk-lmno', 'ijkl-mnop', 'jklm-nopq'];
      change(session, was => ({ ...was, recovery: codes }));
      return codes;
    },
    async changePassword(session, old, fresh) {
      if (kept.get(session.account)!.password !== old) return { outcome: 'refused' };
      if (fresh.length < 12) return { outcome: 'mistakes', mistakes: [{ field: 'password', text: 'The password needs at least 12 characters.' }] };
      return change(session, was => ({ ...was, password: fresh }));
    },
  };
  return accounts;
}
