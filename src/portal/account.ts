import type { Account } from '../account/account.ts';
import { secondFactors } from '../account/sign-in.ts';
import { authenticatorRoutes } from './account-authenticator.ts';
import { passkeyPages } from './account-passkeys.ts';
import { passwordRoutes } from './account-password.ts';
import { recoveryRoutes } from './account-recovery.ts';
import { type Html, html } from './html.ts';
import { buttons, card, day, definitions, formButton, linkButton, notice, rows, tag } from './pieces.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** What has just been done, by the name that the address carries. */
const done: ReadonlyMap<string | null, string> = new Map(
  Object.entries({
    'signed-up': 'Welcome. Your account and your record are ready.',
    password: 'Your password has been changed. You have been signed out everywhere else.',
    authenticator: 'The authenticator app has been added.',
    'authenticator-removed': 'The authenticator app has been removed.',
    passkey: 'The passkey has been added.',
    'passkey-removed': 'The passkey has been removed.',
  }),
);

export const accountRoutes = (parts: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/account', who: 'somebody', answer: async asked => accountPage(asked) },
  {
    method: 'POST',
    path: '/account/sign-out-everywhere',
    who: 'somebody',
    async answer({ session, from }) {
      await parts.accounts.signOutEverywhere(session, from);
      return { redirect: '/sign-in?out', cookie: null };
    },
  },
  ...passwordRoutes(parts),
  ...authenticatorRoutes(parts),
  ...passkeyPages(parts),
  ...recoveryRoutes(parts),
];

function accountPage({ account, csrf, query }: AskedBySomebody): Reply {
  const told = done.get(query.get('done'));
  return {
    title: 'Account',
    body: html`<div class="text"><h1>Account</h1>
${told !== undefined && notice('good', told)}
${advice(account)}
${card('You', [
  definitions([
    ['Name', account.name],
    ['User name', account.username],
    ['E-mail address', account.email],
  ]),
])}
${card('Password', [buttons(linkButton('Change the password', '/account/password', 'quiet'))])}
${card('Second step', [
  html`<p>After the password you show one of these, and again before something that matters. A passkey works without the password too.</p>`,
  rows([authenticatorRow(account), ...passkeyRows(account), recoveryRow(account)].filter(row => row !== undefined)),
  buttons(linkButton('Add a passkey', '/account/passkeys', 'quiet')),
])}
${card('Everywhere else', [
  html`<p>Signs you out in every browser, this one too. Apps keep what you have allowed them; you end that under <a href="/apps">Apps</a>.</p>`,
  buttons(formButton({ action: '/account/sign-out-everywhere', csrf, text: 'Sign out everywhere', kind: 'danger' })),
])}</div>`,
  };
}

/** What the account lacks most. */
function advice(account: Account): Html | undefined {
  const ways = secondFactors(account);
  if (ways.length === 0)
    return notice('warning', [
      html`<h2>Your account has no second step yet</h2>`,
      html`<p>With one, a stolen password is not enough to get in. You need it before you can allow an app or a person anything.</p>`,
      buttons(linkButton('Add an authenticator app', '/account/authenticator')),
    ]);
  if (!ways.includes('recovery'))
    return notice('warning', [
      html`<h2>You have no recovery codes</h2>`,
      html`<p>If you lose your phone, they are the only way in. <a href="/account/recovery">Make recovery codes</a> and keep them on paper.</p>`,
    ]);
  return undefined;
}

type Row = Parameters<typeof rows>[0][number];
const authenticatorRow = ({ totp }: Account): Row => ({
  what: html`Authenticator app ${totp === undefined ? tag('off') : tag('on', 'good')}`,
  more: 'Shows a new six-digit code every 30 seconds.',
  action: totp === undefined ? linkButton('Add', '/account/authenticator', 'quiet') : linkButton('Remove', '/account/authenticator/remove', 'quiet'),
});
const passkeyRows = ({ passkeys = [] }: Account): readonly Row[] =>
  passkeys.map(({ id, name, created }) => ({
    what: html`Passkey: ${name}`,
    more: html`Added on ${day(created)}`,
    action: html`<a class="button quiet" href="/account/passkeys/${encodeURIComponent(id)}/remove">Remove<span class="unseen"> ${name}</span></a>`,
  }));
function recoveryRow(account: Account): Row | undefined {
  const left = account.recovery?.length ?? 0;
  if (secondFactors(account).length === 0) return undefined;
  return {
    what: html`Recovery codes ${left === 0 ? tag('none', 'warning') : tag(`${left} left`, left < 4 ? 'warning' : 'good')}`,
    more: 'For the day when you have neither phone nor passkey.',
    action: linkButton(left === 0 ? 'Make codes' : 'Make new codes', '/account/recovery', 'quiet'),
  };
}
