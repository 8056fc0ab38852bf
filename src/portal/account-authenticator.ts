import { secondFactors } from '../account/sign-in.ts';
import { confirmOwner } from './confirm.ts';
import { html } from './html.ts';
import { ownPath } from './own-path.ts';
import { button, buttons, field, form, formButton, hidden, linkButton, type Mistake, mistakeSummary, notice } from './pieces.ts';
import { qrPicture } from './qr.ts';
import { tooMany } from './refusals.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** Adding and removing an authenticator app. `to`: the path of ours to go on to once it is there. */
export const authenticatorRoutes = ({ accounts, now }: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/account/authenticator', who: 'somebody', answer: async asked => confirmOwner(asked, now()) ?? beginPage(asked) },
  {
    method: 'POST',
    path: '/account/authenticator',
    who: 'somebody',
    async answer(asked) {
      const to = ownPath(asked.form.get('to'));
      return confirmOwner(asked, now()) ?? scanPage(asked, { ...(await accounts.beginTotp(asked.session)), to });
    },
  },
  { method: 'GET', path: '/account/authenticator/code', who: 'somebody', answer: async () => ({ redirect: '/account/authenticator' }) },
  {
    method: 'POST',
    path: '/account/authenticator/code',
    who: 'somebody',
    async answer(asked) {
      const { form: given, session, from } = asked;
      const first = confirmOwner(asked, now(), '/account/authenticator');
      if (first !== undefined) return first;
      const [ticket, to] = [given.get('scanned') ?? '', ownPath(given.get('to'))];
      const result = await accounts.addTotp(session, ticket, (given.get('code') ?? '').replace(/\s+/g, ''), from);
      if (result.outcome === 'done') return { redirect: to ?? '/account?done=authenticator' };
      if (result.outcome === 'throttled') return tooMany(asked, result.retryAfter);
      const scanned = { ticket, secret: given.get('secret') ?? '', uri: given.get('uri') ?? '', to };
      return scanPage(asked, scanned, [{ field: 'code', text: 'This code is not right. Wait for the next one and try again.' }]);
    },
  },
  {
    method: 'GET',
    path: '/account/authenticator/remove',
    who: 'somebody',
    answer: async asked => confirmOwner(asked, now()) ?? removePage(asked),
  },
  {
    method: 'POST',
    path: '/account/authenticator/remove',
    who: 'somebody',
    async answer(asked) {
      const first = confirmOwner(asked, now());
      if (first !== undefined) return first;
      await accounts.removeTotp(asked.session, asked.from);
      return { redirect: '/account?done=authenticator-removed' };
    },
  },
];

const beginPage = ({ csrf, query }: AskedBySomebody): Reply => {
  const to = ownPath(query.get('to'));
  return {
    title: 'Add an authenticator app',
    body: html`<div class="narrow"><h1>Add an authenticator app</h1>
<p>An authenticator app on your phone shows a new code every 30 seconds. When you sign in, you type it after your password.</p>
<p>Many password managers can do this too. If you have neither, install an authenticator app from your phone’s store first.</p>
${form({ action: '/account/authenticator', csrf, body: [...(to === undefined ? [] : [hidden('to', to)]), buttons(button('My app is ready'), linkButton('Not now', '/account', 'quiet'))] })}</div>`,
  };
};

function scanPage(
  { csrf }: AskedBySomebody,
  { ticket, secret, uri, to }: { readonly ticket: string; readonly secret: string; readonly uri: string; readonly to: string | undefined },
  mistakes?: readonly Mistake[],
): Reply {
  const safe = uri.startsWith('otpauth://totp/');
  return {
    title: mistakes === undefined ? 'Add an authenticator app' : 'Mistake: Add an authenticator app',
    status: mistakes === undefined ? 200 : 422,
    body: html`<div class="narrow"><h1>Add an authenticator app</h1>
${mistakeSummary(mistakes, 'The app has not been added yet')}
<h2>1. Scan this with the app</h2>
${safe && qrPicture(uri, 'QR code for your authenticator app')}
${safe && html`<p>Is the app on this device? <a href="${uri}">Open it</a></p>`}
<details><summary>Or type this key into the app</summary>
<p><code class="secret">${(secret.match(/.{1,4}/g) ?? []).join(' ')}</code></p></details>
<h2>2. Type the code that it shows</h2>
${form({
  action: '/account/authenticator/code',
  csrf,
  body: [
    hidden('scanned', ticket),
    hidden('secret', secret),
    hidden('uri', uri),
    ...(to === undefined ? [] : [hidden('to', to)]),
    field({ name: 'code', label: 'Code', hint: 'Six digits.', inputmode: 'numeric', autocomplete: 'one-time-code', short: true, mistakes }),
    buttons(button('Add the app'), linkButton('Not now', '/account', 'quiet')),
  ],
})}</div>`,
  };
}

const removePage = ({ csrf, account: { totp: _gone, ...left } }: AskedBySomebody): Reply => ({
  title: 'Remove the authenticator app',
  body: html`<div class="narrow"><h1>Remove the authenticator app?</h1>
<p>Its codes will not be taken any more.</p>
${secondFactors(left).length === 0 && lastStep}
${buttons(formButton({ action: '/account/authenticator/remove', csrf, text: 'Remove it', kind: 'danger' }), linkButton('Keep it', '/account', 'quiet'))}</div>`,
});
/** Before the last second step goes. */
export const lastStep = notice(
  'warning',
  'It is your only second step. Without one, your password alone opens your account, and you cannot allow an app or a person anything.',
);
