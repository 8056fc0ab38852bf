import { confirmFirst } from './confirm.ts';
import { html } from './html.ts';
import { button, buttons, form, linkButton, notice } from './pieces.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** Recovery codes: made anew, shown once. */
export const recoveryRoutes = ({ accounts, now }: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/account/recovery', who: 'somebody', answer: async asked => confirmFirst(asked, now()) ?? beginPage(asked) },
  {
    method: 'POST',
    path: '/account/recovery',
    who: 'somebody',
    answer: async asked => confirmFirst(asked, now()) ?? codesPage(await accounts.newRecoveryCodes(asked.session, asked.from)),
  },
];

const beginPage = ({ csrf, account }: AskedBySomebody): Reply => ({
  title: 'Recovery codes',
  body: html`<div class="narrow"><h1>Recovery codes</h1>
<p>Each code can stand in once for your second step, on the day when you have neither your phone nor a passkey.</p>
${(account.recovery?.length ?? 0) > 0 && notice('warning', 'The codes that you have now will not be taken any more.')}
<p>They are shown only once. Have pen and paper ready, or a printer.</p>
${form({ action: '/account/recovery', csrf, body: buttons(button('Show new codes'), linkButton('Not now', '/account', 'quiet')) })}</div>`,
});

const codesPage = (codes: readonly string[]): Reply => ({
  title: 'Your recovery codes',
  body: html`<div class="text"><h1>Your recovery codes</h1>
${notice('warning', 'Write these down or print them now. They are not shown again.')}
<div class="card"><ul class="codes">${codes.map(code => html`<li><code>${code}</code></li>\n`)}</ul></div>
<p>Keep them where only you can find them, and not on the phone that they are meant to replace.</p>
${buttons(linkButton('I have kept them', '/account'))}</div>`,
});
