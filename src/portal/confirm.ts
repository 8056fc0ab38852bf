import { isConfirmed } from '../account/session.ts';
import { secondFactors } from '../account/sign-in.ts';
import { factorForms, readFactor, wrongFactor } from './factor-forms.ts';
import { html } from './html.ts';
import { ownPath, withQuery } from './own-path.ts';
import { buttons, hidden, linkButton, type Mistake, mistakeSummary } from './pieces.ts';
import { tooMany } from './refusals.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/**
 * Before something that matters: undefined where the person has just shown a second step, else the way to do so and back. `to`: where to come back to, for a
 * form the page that it stands on; the page that was asked for unless told. An account without a second step is led to add one.
 */
export function confirmFirst({ session, request }: AskedBySomebody, now: number, to?: string): Reply | undefined {
  return isConfirmed(session, true, now) ? undefined : { redirect: withQuery('/confirm', { to: to ?? ownPath(request.url) }) };
}
/** The same before the account's own keys are changed: where it has no second step yet, having just signed in will do. */
export function confirmOwner(asked: AskedBySomebody, now: number, to?: string): Reply | undefined {
  if (secondFactors(asked.account).length > 0) return confirmFirst(asked, now, to);
  return isConfirmed(asked.session, false, now) ? undefined : { redirect: withQuery('/sign-in', { again: '', to: to ?? ownPath(asked.request.url) }) };
}

/** A second step shown again. */
export const confirmRoutes = ({ accounts }: PortalParts): readonly Route[] => [
  { method: 'GET', path: '/confirm', who: 'somebody', answer: async asked => confirmPage(asked, ownPath(asked.query.get('to')) ?? '/') },
  {
    method: 'POST',
    path: '/confirm',
    who: 'somebody',
    async answer(asked) {
      const to = ownPath(asked.form.get('to')) ?? '/';
      const factor = readFactor(asked.form);
      const result = factor === undefined ? ({ outcome: 'refused' } as const) : await accounts.confirm(asked.session, factor, asked.from);
      if (result.outcome === 'done') return { redirect: to };
      if (result.outcome === 'throttled') return tooMany(asked, result.retryAfter);
      return confirmPage(asked, to, wrongFactor(asked.form));
    },
  },
];

function confirmPage({ account, csrf }: AskedBySomebody, to: string, mistakes?: readonly Mistake[]): Reply {
  const methods = secondFactors(account);
  if (methods.length === 0)
    return {
      title: 'Add a second step',
      body: html`<div class="narrow"><h1>Add a second step first</h1>
<p>What you want to do matters. So that nobody who learns your password can do it in your name, your account needs a second step.</p>
${buttons(linkButton('Add an authenticator app', withQuery('/account/authenticator', { to })), linkButton('Add a passkey', withQuery('/account/passkeys', { to }), 'quiet'))}</div>`,
    };
  return {
    title: mistakes === undefined ? 'Is it you?' : 'Mistake: Is it you?',
    status: mistakes === undefined ? 200 : 422,
    body: html`<div class="narrow"><h1>Is it you?</h1>
${mistakeSummary(mistakes, 'That was not right')}
<p>What comes next matters, so please show your second step again.</p>
${factorForms({ action: '/confirm', purpose: 'confirm', methods, csrf, carried: [hidden('to', to)], mistakes })}</div>`,
  };
}
