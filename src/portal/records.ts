import type { Choice } from '../account/accounts.ts';
import { choiceKey, choiceText, notStanding, patientOf } from './choice.ts';
import { html } from './html.ts';
import { ownPath } from './own-path.ts';
import { actingAs, taken } from './person.ts';
import { formButton, linkButton, notice, rows, tag } from './pieces.ts';
import type { AskedBySomebody, PortalParts, Reply, Route } from './route.ts';

/** Whose record the person looks after: the own one, or that of somebody cared for. Switching needs no new sign-in. */
export const recordRoutes = (parts: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path: '/records',
    who: 'somebody',
    async answer(asked) {
      const choices = (await parts.accounts.choices(asked.account)).filter(({ record }) => record !== undefined);
      const acting = await actingAs(asked, parts);
      return (acting && (await taken(acting, asked, parts))) ?? recordsPage(choices, acting, asked);
    },
  },
  {
    method: 'POST',
    path: '/records',
    who: 'somebody',
    async answer({ form, session, account }) {
      const choice = (await parts.accounts.choices(account)).find(one => choiceKey(one) === form.get('choice'));
      const taken = choice === undefined ? undefined : await parts.accounts.act(session, choice.hat, choice.record);
      return { redirect: taken === undefined ? '/records' : (ownPath(form.get('to')) ?? '/records') };
    },
  },
];

function recordsPage(choices: readonly Choice[], acting: Choice | undefined, { csrf, query }: AskedBySomebody): Reply {
  const to = ownPath(query.get('to'));
  return {
    title: 'Records',
    body: html`<h1>Records</h1>
${choices.length === 0 && notice('plain', 'This account has no record of its own and looks after none.')}
${to !== undefined && choices.length > 0 && html`<p>Choose a record to go on.</p>`}
${rows(
  choices.map(choice => {
    const { label, hint } = choiceText(choice);
    const isActing = acting !== undefined && choiceKey(acting) === choiceKey(choice);
    return {
      what: html`${label}${isActing && html` ${tag('now', 'good')}`}${!choice.standing && html` ${tag('no consent', 'warning')}`}`,
      more: choice.standing ? hint : `${hint}. ${notStanding}`,
      action:
        isActing && to === undefined
          ? linkButton('Who can see it', '/consents', 'quiet')
          : formButton({
              action: '/records',
              csrf,
              text: choice.kind === 'patient' ? 'Use my own' : `Act for ${patientOf(choice)}`,
              values: { choice: choiceKey(choice), ...(to === undefined ? {} : { to }) },
            }),
    };
  }),
)}`,
  };
}
