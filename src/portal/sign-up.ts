import { MAX_PASSWORD } from '../account/password.ts';
import { MIN_PASSWORD } from '../account/password-rules.ts';
import { html } from './html.ts';
import { ownPath, withQuery } from './own-path.ts';
import { button, buttons, checkbox, field, form, hidden, type Mistake, mistakeSummary } from './pieces.ts';
import { tooMany } from './refusals.ts';
import type { Asked, PortalParts, Reply, Route } from './route.ts';

/** What a password must be, said before one is chosen. */
export const passwordRules = `At least ${MIN_PASSWORD} characters, of any kind. Four words that do not belong together are good and easy to remember. You may paste it.`;

/** Making an account; where people may not do so by themselves, there is no such page. */
export const signUpRoutes = (parts: PortalParts): readonly Route[] => (parts.signUp ? openRoutes(parts) : []);

const openRoutes = ({ accounts }: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/sign-up',
    who: 'anybody',
    async answer(asked) {
      const to = ownPath(asked.query.get('to'));
      return asked.account === undefined ? signUpPage(asked, to, new URLSearchParams()) : { redirect: to ?? '/' };
    },
  },
  {
    method: 'POST',
    path: '/sign-up',
    who: 'anybody',
    async answer(asked) {
      const to = ownPath(asked.form.get('to'));
      // Sent twice: the first time has made the account.
      if (asked.account !== undefined) return { redirect: to ?? '/account?done=signed-up' };
      const text = (name: string): string => (asked.form.get(name) ?? '').trim();
      const email = text('email');
      const result = await accounts.signUp(
        {
          username: text('username'),
          password: asked.form.get('password') ?? '',
          given: text('given'),
          family: text('family'),
          birthDate: text('birthDate'),
          ...(email === '' ? {} : { email }),
          terms: asked.form.get('terms') === 'yes',
        },
        asked.from,
      );
      switch (result.outcome) {
        case 'signed-in':
          return { redirect: to ?? '/account?done=signed-up', cookie: result.cookie };
        case 'throttled':
          return tooMany(asked, result.retryAfter);
        case 'mistakes':
          return signUpPage(asked, to, asked.form, result.mistakes);
      }
    },
  },
];

function signUpPage({ csrf }: Asked, to: string | undefined, given: URLSearchParams, mistakes?: readonly Mistake[]): Reply {
  const value = (name: string): string | undefined => given.get(name) ?? undefined;
  return {
    title: mistakes === undefined ? 'Make an account' : 'Mistake: Make an account',
    status: mistakes === undefined ? 200 : 422,
    body: html`<div class="narrow"><h1>Make an account</h1>
${mistakeSummary(mistakes)}
<p>With an account comes a health record of your own. If a practice has a record of you already, sign up first; the practice joins the two.</p>
${form({
  action: '/sign-up',
  csrf,
  body: [
    to === undefined ? html`` : hidden('to', to),
    html`<h2>About you</h2>`,
    field({ name: 'given', label: 'Given name', value: value('given'), autocomplete: 'given-name', maxlength: 200, mistakes }),
    field({ name: 'family', label: 'Family name', value: value('family'), autocomplete: 'family-name', maxlength: 200, mistakes }),
    field({ name: 'birthDate', label: 'Date of birth', type: 'date', value: value('birthDate'), autocomplete: 'bday', short: true, mistakes }),
    field({
      name: 'email',
      label: 'E-mail address',
      type: 'email',
      value: value('email'),
      hint: 'So that we can tell you when something about your account changes.',
      autocomplete: 'email',
      optional: true,
      mistakes,
    }),
    html`<h2>How you sign in</h2>`,
    field({
      name: 'username',
      label: 'User name',
      value: value('username'),
      hint: 'Letters a to z, digits, dots and dashes. It need not be your real name.',
      autocomplete: 'username',
      maxlength: 64,
      mistakes,
    }),
    field({ name: 'password', label: 'Password', type: 'password', hint: passwordRules, autocomplete: 'new-password', maxlength: MAX_PASSWORD, mistakes }),
    checkbox({
      name: 'terms',
      label: html`I am 18 or older and agree to the <a href="/terms" target="_blank">terms<span class="unseen"> (in a new window)</span></a>`,
      checked: given.get('terms') === 'yes',
      required: true,
      mistakes,
    }),
    buttons(button('Make the account')),
  ],
})}
<p class="after">Have one already? <a href="${withQuery('/sign-in', { to })}">Sign in</a></p></div>`,
  };
}
