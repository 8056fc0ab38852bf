import { MAX_PASSWORD } from '../account/password.ts';
import { confirmOwner } from './confirm.ts';
import { html } from './html.ts';
import { button, buttons, field, form, linkButton, type Mistake, mistakeSummary } from './pieces.ts';
import { tooMany } from './refusals.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';
import { passwordRules } from './sign-up.ts';

export const passwordRoutes = ({ accounts, now }: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/account/password', who: 'somebody', answer: async asked => confirmOwner(asked, now()) ?? passwordPage(asked) },
  {
    method: 'POST',
    path: '/account/password',
    who: 'somebody',
    async answer(asked) {
      const { form: given, session, from } = asked;
      const first = confirmOwner(asked, now());
      if (first !== undefined) return first;
      const result = await accounts.changePassword(session, given.get('old') ?? '', given.get('password') ?? '', from);
      switch (result.outcome) {
        case 'done':
          return { redirect: '/account?done=password' };
        case 'throttled':
          return tooMany(asked, result.retryAfter);
        case 'refused':
          return passwordPage(asked, [{ field: 'old', text: 'This is not your password now.' }]);
        case 'mistakes':
          return passwordPage(asked, result.mistakes);
      }
    },
  },
];

const passwordPage = ({ csrf, account }: AskedBySomebody, mistakes?: readonly Mistake[]): Reply => ({
  title: mistakes === undefined ? 'Change the password' : 'Mistake: Change the password',
  status: mistakes === undefined ? 200 : 422,
  body: html`<div class="narrow"><h1>Change the password</h1>
${mistakeSummary(mistakes)}
<p>You will be signed out in all other browsers.</p>
${form({
  action: '/account/password',
  csrf,
  body: [
    // Password managers keep the new password under the name that they find here.
    html`<input class="unseen" type="text" name="username" value="${account.username}" autocomplete="username" readonly tabindex="-1" aria-hidden="true">`,
    field({ name: 'old', label: 'Password now', type: 'password', autocomplete: 'current-password', mistakes }),
    field({ name: 'password', label: 'New password', type: 'password', hint: passwordRules, autocomplete: 'new-password', maxlength: MAX_PASSWORD, mistakes }),
    buttons(button('Change it'), linkButton('Leave it', '/account', 'quiet')),
  ],
})}</div>`,
});
