import type { Account } from '../account/account.ts';
import type { SecondFactor } from '../account/accounts.ts';
import { factorForms, readFactor, wrongFactor } from './factor-forms.ts';
import { html } from './html.ts';
import { ownPath, withQuery } from './own-path.ts';
import { buttons, hidden, linkButton, type Mistake, mistakeSummary } from './pieces.ts';
import { tooMany } from './refusals.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** For so many milliseconds a second step counts as just shown. */
const FRESH = 10 * 60_000;

/** What the account can show in a second step. Recovery codes stand in for another way, and are none by themselves. */
export function secondSteps({ totp, passkeys = [], recovery = [] }: Account): readonly SecondFactor[] {
  const ways: readonly SecondFactor[] = [...(totp === undefined ? [] : (['totp'] as const)), ...(passkeys.length === 0 ? [] : (['passkey'] as const))];
  return ways.length === 0 || recovery.length === 0 ? ways : [...ways, 'recovery'];
}

/**
 * Before something that matters: undefined where the person has just shown a second step, else the way to do so and back. `to`: where to come back to, for a
 * form the page that it stands on; the page that was asked for unless told. Accounts without a second step are led to add one.
 */
export function confirmFirst({ session, request }: AskedBySomebody, now: number, to?: string): Reply | undefined {
  const fresh = session.confirmedAt !== undefined && now - session.confirmedAt < FRESH;
  return fresh ? undefined : { redirect: withQuery('/confirm', { to: to ?? ownPath(request.url) }) };
}
/** The same, but an account without a second step passes: before what it needs to get one. */
export const confirmIfAble = (asked: AskedBySomebody, now: number, to?: string): Reply | undefined =>
  secondSteps(asked.account).length === 0 ? undefined : confirmFirst(asked, now, to);

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
  const methods = secondSteps(account);
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
