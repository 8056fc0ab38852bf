import type { Caller } from '../access/caller.ts';
import { rangeOf } from '../fhir/datetime.ts';
import type { KeyName } from '../fhir/types.ts';
import type { Account } from './account.ts';
import type { From, Mistakes, SignedIn, SignUpForm, Throttled } from './accounts.ts';
import { lineOf } from './lines.ts';
import { findAccount, foldName, isName, keepAccount } from './names.ts';
import { type AccountParts, clock } from './parts.ts';
import { hashPassword } from './password.ts';
import { mistakeInPassword } from './password-rules.ts';
import { revise, spend } from './revise.ts';
import { beginSession } from './sessions.ts';
import { keys, take } from './throttle.ts';

type Mistake = Mistakes['mistakes'][number];
const taken: Mistakes = { outcome: 'mistakes', mistakes: [{ field: 'username', text: 'This user name is taken. Choose another.' }] };
/** For how many milliseconds a user name is held for whoever is signing up under it. */
const HELD = 60_000;

/**
 * The name is held, the Patient made through the road, and then account, hat and session in one commit. What ends in between leaves no account: the name is
 * free again in a minute, and the Patient is in nobody's reach.
 */
export async function signUp(form: SignUpForm, from: From, parts: AccountParts): Promise<SignedIn | Mistakes | Throttled> {
  const { settings, store } = parts;
  const mistakes = mistakesIn(form, parts);
  if (mistakes.length > 0) return { outcome: 'mistakes', mistakes };
  // From here on the answer tells whether there is such an account, so it is not to be had often.
  const tried = await take(keys.signUp(from.address), settings.limits.signUp, parts);
  if (!tried.taken) return { outcome: 'throttled', retryAfter: tried.retryAfter };
  const username = foldName(form.username);
  if ((await findAccount(username, store)) !== undefined) return taken;
  const password = await hashPassword(form.password);
  const patient = parts.newId();
  if (!(await hold(username, patient, parts))) return taken;
  const who: KeyName = `Patient/${patient}`;
  const account: Account = {
    username,
    hats: [{ kind: 'patient', resource: who }],
    password,
    ...(form.email === undefined || form.email.trim() === '' ? {} : { email: form.email.trim() }),
    name: `${form.given.trim()} ${form.family.trim()}`,
    terms: { version: settings.terms, at: parts.now() },
    created: parts.now(),
  };
  await parts.run(putPatient(patient, form), handOf(account, who, from));
  const signedIn = await keepNew(account, who, from, parts);
  if (signedIn === undefined) await parts.run({ method: 'DELETE', path: ['Patient', patient], query: [], headers: {} }, handOf(account, who, from));
  return signedIn ?? taken;
}

const heldAs = (username: string): string => `name:${username}`;
const documentsOf = (username: string) =>
  [
    ['ticket', heldAs(username)],
    ['account', username],
  ] as const;
/** Of many who want it one holds the name, while nobody has it. */
const hold = (username: string, by: string, parts: AccountParts): Promise<boolean> =>
  revise<boolean>(documentsOf(username), parts, ([value, account]) => {
    const held = value as { readonly by: string; readonly until: number } | undefined;
    if (account !== undefined || (held !== undefined && held.by !== by && held.until > clock(parts))) return { changes: [], result: false };
    const until = clock(parts) + HELD;
    return { changes: [{ op: 'document', kind: 'ticket', id: heldAs(username), value: { by, until }, expires: until }], result: true };
  });

/** All of the account at once; undefined where somebody else has the name by now. */
const keepNew = (account: Account, who: KeyName, from: From, parts: AccountParts): Promise<SignedIn | undefined> =>
  revise<SignedIn | undefined>([['account', account.username]], parts, ([value]) => {
    if (value !== undefined) return { changes: [], result: undefined };
    const { signedIn, change } = beginSession(account, ['pwd'], false, parts);
    return {
      changes: [
        keepAccount(account),
        { op: 'document', kind: 'hat', id: who, value: account.username },
        change,
        spend('ticket', heldAs(account.username), clock(parts)),
        ...lineOf(account, { code: 'sign-up', text: `terms ${parts.settings.terms} accepted` }, from, parts),
        ...lineOf(account, { code: 'sign-in', text: 'by sign-up' }, from, parts),
      ],
      result: signedIn,
    };
  });

const putPatient = (id: string, { given, family, birthDate }: SignUpForm) =>
  ({
    method: 'PUT',
    path: ['Patient', id],
    query: [],
    headers: {},
    body: { resourceType: 'Patient', id, active: true, name: [{ use: 'official', family: family.trim(), given: [given.trim()] }], birthDate },
  }) as const;

/** The server's own hand: it writes for the person whose record it is. */
const handOf = (account: Account, who: KeyName, { address }: From): Caller => ({
  kind: 'server',
  client: 'kindred',
  account: account.username,
  who,
  actors: [],
  purpose: 'PATRQT',
  scopes: [],
  grant: 'kindred',
  token: 'sign-up',
  grantEpoch: 0,
  origin: { kind: 'patient', by: who, record: who as `Patient/${string}` },
  address,
});

/** What is wrong with the form by itself, all at once. */
export function mistakesIn(form: SignUpForm, parts: Pick<AccountParts, 'settings' | 'now'>): readonly Mistake[] {
  const { adult } = parts.settings;
  const username = foldName(form.username);
  const email = form.email?.trim() ?? '';
  const checks: readonly (readonly [field: string, text: string | undefined])[] = [
    ['username', isName(username) ? undefined : 'A user name has 3 to 64 letters (a to z), digits, dots and dashes, with a letter or digit at both ends.'],
    ['password', mistakeInPassword(form.password, [username, form.given, form.family, email, 'kindred'])],
    ['given', isPersonName(form.given) ? undefined : 'Write your given name.'],
    ['family', isPersonName(form.family) ? undefined : 'Write your family name.'],
    ['birthDate', mistakeInBirthDate(form.birthDate, adult, Date.parse(parts.now()))],
    ['email', email === '' || isEmail(email) ? undefined : 'This is not an e-mail address.'],
    ['terms', form.terms ? undefined : 'An account needs your agreement to the terms.'],
  ];
  return checks.flatMap(([field, text]) => (text === undefined ? [] : [{ field, text }]));
}
const isPersonName = (name: string): boolean => name.trim() !== '' && name.length <= 200 && !/\p{Cc}/u.test(name);
/** No more than a mail server could make something of, on one line. */
export const isEmail = (email: string): boolean => email.length <= 254 && /^[^\s@<>"(),:;\\[\]]+@[^\s@<>"(),:;\\[\]]+\.[^\s@<>"(),:;\\[\]]+$/.test(email);

const OLDEST = 130;
function mistakeInBirthDate(birthDate: string, adult: number, now: number): string | undefined {
  const born = /^\d{4}-\d{2}-\d{2}$/.test(birthDate) ? rangeOf(birthDate) : undefined;
  if (born === undefined) return 'Write your date of birth as year-month-day, such as 1980-05-31.';
  const [year = 0, month = 1, day = 1] = birthDate.split('-').map(Number);
  if (Date.UTC(year, month - 1, day) > now || Date.UTC(year + OLDEST, month - 1, day) < now) return 'Check the year of your date of birth.';
  // The day begins last in UTC−12: of age there, of age everywhere. Who was born on February 29 is so on March 1.
  return Date.UTC(year + adult, month - 1, day) > now - 12 * 3_600_000 ? `Somebody who signs up is at least ${adult} years old.` : undefined;
}
