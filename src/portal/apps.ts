import type { Choice } from '../account/accounts.ts';
import type { OauthGrant } from '../auth/client.ts';
import { Problem } from '../fhir/problem.ts';
import { whoseOf } from './choice.ts';
import { type Html, html } from './html.ts';
import { button, buttons, card, day, definitions, form, linkButton, list, notice } from './pieces.ts';
import type { PortalParts, Reply, Route } from './route.ts';
import { sentencesOf } from './scopes-view.ts';

type Granted = OauthGrant & { readonly clientName: string };

/** The apps that the person has connected, and their end. */
export const appRoutes = (parts: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/apps',
    who: 'somebody',
    async answer({ account, query }) {
      const granted = await parts.authorizations.granted(account);
      return appsPage(granted, await parts.accounts.choices(account), query.has('ended'));
    },
  },
  {
    method: 'GET',
    path: '/apps/:id/end',
    who: 'somebody',
    async answer({ account, params, csrf }) {
      const app = (await parts.authorizations.granted(account)).find(({ id }) => id === params.id);
      if (app === undefined) throw new Problem('not-found', 'the account has given no such authorization');
      return endPage(app, await parts.accounts.choices(account), csrf);
    },
  },
  {
    method: 'POST',
    path: '/apps/:id/end',
    who: 'somebody',
    async answer({ account, params, from }) {
      await parts.authorizations.end(params.id ?? '', account, from);
      return { redirect: '/apps?ended' };
    },
  },
];

/** Whose record an app uses: of the choices that the account has, by what the authorization acts as. */
function recordOf({ patient, fhirUser }: Granted, choices: readonly Choice[]): { readonly text?: string; readonly whose: string } {
  if (patient === undefined) return { whose: 'your' };
  const choice = choices.find(({ hat, record }) => record === `Patient/${patient}` && (fhirUser === undefined || hat === fhirUser));
  if (choice?.kind === 'patient') return { text: 'Your own', whose: 'your' };
  if (choice?.kind === 'caregiver') return { text: choice.name, whose: whoseOf(choice) };
  return { text: 'Of a patient', whose: 'the patient’s' };
}

function appsPage(granted: readonly Granted[], choices: readonly Choice[], ended: boolean): Reply {
  return {
    title: 'Apps',
    body: html`<h1>Apps</h1>
${ended && notice('good', 'The app is disconnected. It can use nothing here any more.')}
${
  granted.length === 0
    ? html`<p>No app is connected. When one asks you to connect it, you decide here what it may do.</p>`
    : html`<p>You have connected these. Each of them can do what is written below, and never more than you may do yourself.</p>`
}
${granted.map(app => {
  const { text, whose } = recordOf(app, choices);
  return card(app.clientName, [
    definitions([
      ['Record', text],
      ['Since', app.created === undefined ? undefined : day(app.created)],
      ['How long', howLong(app)],
      ['May', list(sentencesOf(app.scope.split(' '), { possessive: whose }))],
    ]),
    buttons(linkButton('Disconnect', `/apps/${encodeURIComponent(app.id)}/end`, 'danger')),
  ]);
})}`,
  };
}
const howLong = ({ scope, session }: Granted): string =>
  scope.split(' ').includes('offline_access')
    ? 'Until you disconnect it'
    : session !== undefined
      ? 'While you are signed in'
      : 'For an hour after you let it in';

function endPage(app: Granted, choices: readonly Choice[], csrf: Html): Reply {
  const title = `Disconnect ${app.clientName}?`;
  const { whose } = recordOf(app, choices);
  return {
    title,
    body: html`<div class="text"><h1>${title}</h1>
<p>From that moment on it can use nothing of ${whose} record. What it has already taken stays with whoever makes the app. You can connect it again later.</p>
${form({
  action: `/apps/${encodeURIComponent(app.id)}/end`,
  csrf,
  body: buttons(button('Disconnect', { kind: 'danger' }), linkButton('Keep it', '/apps', 'quiet')),
})}</div>`,
  };
}
