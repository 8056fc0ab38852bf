import { conceptCodings, elements } from '../access/elements.ts';
import type { Choice } from '../account/accounts.ts';
import type { Asking } from '../auth/authorization.ts';
import type { Client } from '../auth/client.ts';
import type { Resource } from '../fhir/types.ts';
import type { Step } from './authorize-steps.ts';
import { choiceKey, choiceText, notStanding } from './choice.ts';
import { type Html, html } from './html.ts';
import { withQuery } from './own-path.ts';
import { nameOf } from './patients.ts';
import { button, buttons, day, definitions, form, hidden, linkButton, radios } from './pieces.ts';
import type { Asked, Reply } from './route.ts';
import { capital } from './words.ts';

type Page = Extract<Reply, { readonly title: string }>;

/** Where the answer leads to: the browser must be allowed to follow a form there. A redirect URI of an app on a phone may have a scheme only. */
export function formTargets({ redirect_uris }: Client): readonly string[] {
  const uris = Array.isArray(redirect_uris) ? redirect_uris.filter(uri => typeof uri === 'string' && URL.canParse(uri)) : [];
  return [...new Set(uris.map(uri => new URL(uri)).map(({ origin, protocol }) => (origin === 'null' ? protocol : origin)))];
}

/** Where all of this conversation happens. */
export const addressOf = ({ uid }: Asking, query: Readonly<Record<string, string | undefined>> = {}): string =>
  withQuery(`/auth/interaction/${encodeURIComponent(uid)}`, query);

/** A page of this conversation: its forms lead to itself, and from there to the app. */
export const pageOf = ({ client }: Asking, title: string, body: Html | readonly (Html | false | undefined)[], status = 200): Page => ({
  title,
  status,
  formTargets: formTargets(client),
  body: html`<div class="text">${body}</div>`,
});
export const denyForm = (asking: Asking, { csrf }: Asked, text = 'Go back without allowing'): Html =>
  form({ action: addressOf(asking), csrf, body: [hidden('step', 'deny'), buttons(button(text, { kind: 'quiet' }))] });

export const otherAccountPage = (asking: Asking, asked: Asked, signIn: string): Page =>
  pageOf(asking, 'Another account', [
    html`<h1>Another account</h1>
<p><strong>${asking.client.client_name}</strong> was started by <strong>${asking.launch?.account}</strong>, but you are signed in as <strong>${asked.account?.username}</strong>.</p>
<p>To go on, sign in as the one who started it.</p>`,
    buttons(linkButton('Sign in as somebody else', signIn)),
    denyForm(asking, asked),
  ]);

export const nothingFitsPage = (asking: Asking, asked: Asked, signIn: string): Page =>
  pageOf(asking, 'Nothing to choose', [
    html`<h1>This account has nothing that fits</h1>
<p><strong>${asking.client.client_name}</strong> ${
      asking.launch?.patient !== undefined
        ? 'was started for a record that this account has nothing to do with.'
        : asking.needsRecord
          ? 'wants to use a health record, and this account has none.'
          : 'is meant for people who work at a practice, and this account does not.'
    }</p>`,
    buttons(linkButton('Sign in as somebody else', signIn)),
    denyForm(asking, asked),
  ]);

/** A practitioner's choice among records. */
const patientOfPractice = ({ name }: Choice): ReturnType<typeof choiceText> => ({
  label: `A patient of ${name}`,
  hint: 'You work there; which patient, you choose next',
});

export const choicePage = (asking: Asking, candidates: readonly Choice[], asked: Asked): Page => {
  const { csrf, session } = asked;
  const isAbout = candidates.some(({ record }) => record !== undefined);
  const acting = candidates.find(({ hat, record }) => hat === session?.acting?.hat && record === session.acting.record);
  return pageOf(asking, isAbout ? 'Which record?' : 'For whom?', [
    html`<h1>${isAbout ? 'Which record?' : 'For whom do you work now?'}</h1>
<p><strong>${asking.client.client_name}</strong> wants to use ${isAbout || asking.needsRecord ? 'one record' : 'what you may see there'}. What exactly, you decide on the next page.</p>`,
    form({
      action: addressOf(asking),
      csrf,
      body: [
        hidden('step', 'choose'),
        radios({
          name: 'choice',
          legend: isAbout ? 'Record' : 'Practice',
          value: acting === undefined ? undefined : choiceKey(acting),
          options: candidates.map(choice => {
            const { label, hint } = isAbout && choice.kind === 'practitioner' ? patientOfPractice(choice) : choiceText(choice);
            return { value: choiceKey(choice), label, hint: choice.standing ? hint : `${hint}. ${notStanding}` };
          }),
        }),
        buttons(button('Continue')),
      ],
    }),
    denyForm(asking, asked),
  ]);
};

/** The request has expired, or is another browser's: which of them is not told. */
export const nowherePage: Page = {
  title: 'Please begin again in the app',
  status: 404,
  body: html`<div class="text"><h1>Please begin again in the app</h1>
<p>What the app asked for is not waiting here any more. That happens when some time has passed, when it has been decided already, or when the page is opened in another browser than the one that the app opened.</p>
<p>Nothing has been allowed by this.</p></div>`,
};

/** How people of one name are told apart, and nothing else of a Patient: "female, born 2 March 1947". */
export function birthText({ gender, birthDate }: Resource): Html | undefined {
  const sex = typeof gender !== 'string' ? undefined : gender === 'female' || gender === 'male' ? gender : `sex: ${gender}`;
  const born = typeof birthDate === 'string' ? html`born ${day(birthDate)}` : undefined;
  return sex === undefined && born === undefined ? undefined : html`${sex}${sex !== undefined && born !== undefined && ', '}${born}`;
}
/** A patient on one line. */
export function personText(patient: Resource): Html {
  const birth = birthText(patient);
  return html`<strong>${nameOf(patient)}</strong>${birth !== undefined && html`, ${birth}`}`;
}

/** A visit in one line: what for, and when. */
function encounterText(encounter: Resource): { readonly label: string | Html; readonly hint?: Html } {
  const named = [...elements(encounter.type), ...elements(encounter.reasonCode)].map(
    concept => concept.text ?? conceptCodings([concept]).find(coding => coding.display !== undefined)?.display,
  );
  const label = capital(String(named.find(text => typeof text === 'string') ?? 'visit'));
  const [period] = elements(encounter.period);
  return typeof period?.start === 'string' ? { label, hint: html`${day(period.start)}` } : { label };
}

export const encounterPage = (
  asking: Asking,
  { patient }: Extract<Step, { readonly step: 'encounter' }>,
  encounters: readonly Resource[],
  asked: Asked,
): Page =>
  pageOf(asking, 'Which visit?', [
    html`<h1>Which visit?</h1><p><strong>${asking.client.client_name}</strong> wants to know which visit this is about.</p>`,
    patient && definitions([['Patient', personText(patient)]]),
    form({
      action: addressOf(asking),
      csrf: asked.csrf,
      body: [
        hidden('step', 'encounter'),
        patient === undefined ? html`` : hidden('patient', patient.id ?? ''),
        radios({
          name: 'encounter',
          legend: 'Visit',
          value: '',
          options: [
            { value: '', label: 'None of them', hint: 'The app works without one, or tells you' },
            ...encounters.map(one => ({ value: one.id ?? '', ...encounterText(one) })),
          ],
        }),
        buttons(button('Continue')),
      ],
    }),
    denyForm(asking, asked),
  ]);
