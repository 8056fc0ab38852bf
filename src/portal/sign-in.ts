import type { HalfWay, SecondFactor, SignedIn } from '../account/accounts.ts';
import { factorForms, passkeyForm, readFactor, readPasskey, wrongFactor } from './factor-forms.ts';
import { html } from './html.ts';
import { ownPath, withQuery } from './own-path.ts';
import { button, buttons, field, form, hidden, type Mistake, mistakeSummary, notice } from './pieces.ts';
import { tooMany } from './refusals.ts';
import type { Asked, PortalParts, Reply, Route } from './route.ts';

/**
 * Signing in and out. `to`: the path of ours to go on to; `again`: somebody who has signed in already does so anew, as an app may want; `username` fills in
 * the name.
 */
export const signInRoutes = ({ accounts, signUp }: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/sign-in',
    who: 'anybody',
    async answer(asked) {
      const to = ownPath(asked.query.get('to'));
      if (asked.account !== undefined && asked.query.get('again') === null) return { redirect: to ?? '/' };
      return signInPage(asked, signUp, { to, username: asked.query.get('username') ?? asked.account?.username });
    },
  },
  {
    method: 'POST',
    path: '/sign-in',
    who: 'anybody',
    async answer(asked) {
      const { form: given, from } = asked;
      const [username, to] = [(given.get('username') ?? '').trim(), ownPath(given.get('to'))];
      const result = await accounts.signIn(username, given.get('password') ?? '', from);
      switch (result.outcome) {
        case 'signed-in':
          return goOn(result, to);
        case 'second-factor':
          return secondStepPage(asked, result, to);
        case 'throttled':
          return tooMany(asked, result.retryAfter);
        case 'refused':
          return signInPage(asked, signUp, { to, username, mistakes: [{ field: 'username', text: 'User name and password do not fit together.' }] });
      }
    },
  },
  {
    method: 'POST',
    path: '/sign-in/passkey',
    who: 'anybody',
    async answer(asked) {
      const to = ownPath(asked.form.get('to'));
      const passkey = readPasskey(asked.form);
      const result = passkey === undefined ? ({ outcome: 'refused' } as const) : await accounts.passkeySignIn(passkey, asked.from);
      if (result.outcome === 'signed-in') return goOn(result, to);
      if (result.outcome === 'throttled') return tooMany(asked, result.retryAfter);
      return signInPage(asked, signUp, { to, mistakes: [{ field: '', text: 'The passkey was not accepted. Sign in with your password instead.' }] });
    },
  },
  { method: 'GET', path: '/sign-in/second', who: 'anybody', answer: async () => ({ redirect: '/sign-in' }) },
  {
    method: 'POST',
    path: '/sign-in/second',
    who: 'anybody',
    async answer(asked) {
      const { form: given, from } = asked;
      const [ticket, to] = [given.get('ticket') ?? '', ownPath(given.get('to'))];
      const factor = readFactor(given);
      const result = factor === undefined ? ({ outcome: 'refused' } as const) : await accounts.secondFactor(ticket, factor, from);
      if (result.outcome === 'signed-in') return goOn(result, to);
      if (result.outcome === 'throttled') return tooMany(asked, result.retryAfter);
      const methods = (given.get('methods') ?? '').split(' ') as readonly SecondFactor[];
      return secondStepPage(asked, { ticket, methods }, to, wrongFactor(given));
    },
  },
  {
    method: 'POST',
    path: '/sign-out',
    who: 'anybody',
    async answer({ session, from }) {
      if (session !== undefined) await accounts.signOut(session, from);
      return { redirect: '/sign-in?out', cookie: null };
    },
  },
];

const goOn = ({ cookie }: SignedIn, to: string | undefined): Reply => ({ redirect: to ?? '/', cookie });

function signInPage(
  { csrf, query, account }: Asked,
  signUp: boolean,
  { to, username, mistakes }: { readonly to: string | undefined; readonly username?: string | undefined; readonly mistakes?: readonly Mistake[] },
): Reply {
  const carried = to === undefined ? html`` : hidden('to', to);
  return {
    title: mistakes === undefined ? 'Sign in' : 'Mistake: Sign in',
    status: mistakes === undefined ? 200 : 422,
    body: html`<div class="narrow"><h1>Sign in</h1>
${query.get('out') !== null && notice('good', 'You have signed out.')}
${account !== undefined && notice('plain', 'Please sign in once more to go on.')}
${mistakeSummary(mistakes, 'You are not signed in')}
${form({
  action: '/sign-in',
  csrf,
  body: [
    carried,
    field({
      name: 'username',
      label: 'User name',
      value: username,
      autocomplete: 'username webauthn',
      autofocus: mistakes === undefined && username === undefined,
    }),
    field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' }),
    buttons(button('Sign in')),
  ],
})}
${passkeyForm({ action: '/sign-in/passkey', purpose: 'sign-in', csrf, text: 'Sign in with a passkey', body: carried })}
${signUp && html`<p class="after">New here? <a href="${withQuery('/sign-up', { to })}">Make an account</a></p>`}</div>`,
  };
}

function secondStepPage({ csrf }: Asked, half: Pick<HalfWay, 'ticket' | 'methods'>, to: string | undefined, mistakes?: readonly Mistake[]): Reply {
  const carried = [hidden('ticket', half.ticket), hidden('methods', half.methods.join(' ')), ...(to === undefined ? [] : [hidden('to', to)])];
  return {
    title: mistakes === undefined ? 'Second step' : 'Mistake: Second step',
    status: mistakes === undefined ? 200 : 422,
    body: html`<div class="narrow"><h1>Second step</h1>
${mistakeSummary(mistakes, 'You are not signed in yet')}
<p>Your password was right. One more step keeps everybody else out.</p>
${factorForms({ action: '/sign-in/second', purpose: 'second-step', methods: half.methods, csrf, carried, mistakes })}
<p class="after"><a href="${withQuery('/sign-in', { to })}">Start again</a></p></div>`,
  };
}
