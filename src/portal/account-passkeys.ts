import { secondFactors } from '../account/sign-in.ts';
import { Problem } from '../fhir/problem.ts';
import { lastStep } from './account-authenticator.ts';
import { confirmOwner } from './confirm.ts';
import { passkeyForm, readPasskey } from './factor-forms.ts';
import { html } from './html.ts';
import { ownPath } from './own-path.ts';
import { buttons, field, formButton, hidden, linkButton, type Mistake, mistakeSummary } from './pieces.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** Adding and removing passkeys. `to`: the path of ours to go on to once one is there. */
export const passkeyPages = ({ accounts, now }: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/account/passkeys',
    who: 'somebody',
    answer: async asked => confirmOwner(asked, now()) ?? addPage(asked, ownPath(asked.query.get('to'))),
  },
  {
    method: 'POST',
    path: '/account/passkeys',
    who: 'somebody',
    async answer(asked) {
      const { form, session, from } = asked;
      const first = confirmOwner(asked, now());
      if (first !== undefined) return first;
      const to = ownPath(form.get('to'));
      const shown = readPasskey(form);
      const name = (form.get('name') ?? '').trim().slice(0, LONGEST_NAME) || 'Passkey';
      const result = shown === undefined ? ({ outcome: 'refused' } as const) : await accounts.addPasskey(session, shown.ticket, name, shown.response, from);
      if (result.outcome === 'done') return { redirect: to ?? '/account?done=passkey' };
      return addPage(asked, to, [{ field: '', text: 'The passkey was not accepted. Please try again.' }]);
    },
  },
  {
    method: 'GET',
    path: '/account/passkeys/:id/remove',
    who: 'somebody',
    answer: async asked => confirmOwner(asked, now()) ?? removePage(asked),
  },
  {
    method: 'POST',
    path: '/account/passkeys/:id/remove',
    who: 'somebody',
    async answer(asked) {
      const first = confirmOwner(asked, now());
      if (first !== undefined) return first;
      await accounts.removePasskey(asked.session, asked.params.id ?? '', asked.from);
      return { redirect: '/account?done=passkey-removed' };
    },
  },
];

const LONGEST_NAME = 60;

const addPage = ({ csrf, form }: AskedBySomebody, to: string | undefined, mistakes?: readonly Mistake[]): Reply => ({
  title: mistakes === undefined ? 'Add a passkey' : 'Mistake: Add a passkey',
  status: mistakes === undefined ? 200 : 422,
  body: html`<div class="narrow"><h1>Add a passkey</h1>
${mistakeSummary(mistakes)}
<p>A passkey lets you sign in with what unlocks your phone or computer: your finger, your face or its PIN. None of that leaves the device.</p>
<p data-passkey-missing>This needs a browser that can use passkeys, with scripts allowed. You can <a href="/account/authenticator">add an authenticator app</a> instead.</p>
${passkeyForm({
  action: '/account/passkeys',
  purpose: 'add',
  csrf,
  text: 'Add a passkey',
  main: true,
  body: [
    ...(to === undefined ? [] : [hidden('to', to)]),
    field({
      name: 'name',
      label: 'A name for it',
      hint: 'So that you know it again, such as “My phone”.',
      value: form.get('name') ?? undefined,
      autocomplete: 'off',
      maxlength: LONGEST_NAME,
    }),
  ],
})}
<p class="after"><a href="/account">Not now</a></p></div>`,
});

function removePage({ account, params, csrf }: AskedBySomebody): Reply {
  const { passkeys = [] } = account;
  const passkey = passkeys.find(({ id }) => id === params.id);
  if (passkey === undefined) throw new Problem('not-found', 'the account has no such passkey');
  const left = { ...account, passkeys: passkeys.filter(one => one !== passkey) };
  return {
    title: 'Remove a passkey',
    body: html`<div class="narrow"><h1>Remove the passkey “${passkey.name}”?</h1>
<p>It will not open this account any more. Your device may go on offering it until you delete it there too.</p>
${secondFactors(left).length === 0 && lastStep}
${buttons(
  formButton({ action: `/account/passkeys/${encodeURIComponent(passkey.id)}/remove`, csrf, text: 'Remove it', kind: 'danger' }),
  linkButton('Keep it', '/account', 'quiet'),
)}</div>`,
  };
}
