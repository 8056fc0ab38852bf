import { elements } from '../access/elements.ts';
import type { Choice } from '../account/accounts.ts';
import type { Resource } from '../fhir/types.ts';
import { patientOf, whoseOf } from './choice.ts';
import { type Said, titleOf } from './consent-words.ts';
import { actorsText, nameText } from './consents-view.ts';
import { type Html, html } from './html.ts';
import { button, buttons, card, day, definitions, form, hidden, linkButton, list, notice, tag } from './pieces.ts';
import type { AskedBySomebody, Reply } from './route.ts';
import { sentencesOf } from './scopes-view.ts';
import type { Named, Preview, StandingApp } from './who-can-see.ts';
import { capital, countOf, listed, rankOf } from './words.ts';

/** A Consent, and what the person may do with it. */
export interface Shown {
  readonly id: string;
  readonly version: string;
  readonly kind: string;
  readonly choice: Choice;
  readonly consent: Resource;
  /** A proposal. */
  readonly waits: boolean;
  readonly actors: readonly Named[];
  readonly app?: StandingApp;
  readonly said: readonly Said[];
  readonly previews: readonly Preview[];
  readonly mayGrant: boolean;
  readonly mayEnd: boolean;
  /** Its end lets somebody see more. */
  readonly widens: boolean;
  readonly over: boolean;
  /** The authorization behind a consent of kind `app`, where the person gave it. */
  readonly grant?: string;
}

/** Whom it is about, for the heading. */
const whom = ({ kind, app, actors }: Shown): string =>
  app?.name ?? (kind === 'app' ? 'An app' : actorsText(actors, kind === 'restriction' ? 'deny' : 'permit'));
const stateOf = ({ waits, over }: Shown): Html => (waits ? tag('waits for you', 'warning') : over ? tag('ended') : tag('in force', 'good'));

export function consentPage(shown: Shown, fresh: boolean, { csrf }: AskedBySomebody): Reply {
  const { id, version, kind, choice, consent, said, previews, app, mayGrant, mayEnd, widens } = shown;
  const title = `${titleOf(kind)}: ${whom(shown)}`;
  const what = app === undefined ? saidHtml(said) : list(sentencesOf(app.scopes, { possessive: whoseOf(choice) }));
  const { since, until } = periodOf(consent);
  return {
    title,
    body: html`<div class="text"><p><a href="/consents">All who can see the record</a></p>
<h1>${title}</h1>
${definitions([
  ['Now', stateOf(shown)],
  ['Record', choice.kind === 'patient' ? 'Yours' : capital(patientOf(choice))],
  ['What', what],
  ['From', since === undefined ? (shown.waits ? `As soon as you ${kind === 'restriction' ? 'set' : 'give'} it` : undefined) : day(since)],
  ['Until', until === undefined ? 'No end: until you end it' : day(until)],
  ['Connected by', app?.performer.name === undefined ? undefined : capital(app.performer.name)],
])}
${previews.map(preview => previewCard(preview, kind === 'restriction', previews.length > 1))}
${mayGrant && grantForms(id, version, fresh, csrf, kind)}
${mayEnd && buttons(linkButton(widens ? 'Lift this restriction' : kind === 'app' ? 'Disconnect' : 'End this', `/consents/${id}/end`, 'danger'))}
${kind === 'guardian' && choice.kind === 'patient' && notice('plain', 'A guardian is entered by the practice, and ends there.')}
${choice.kind !== 'patient' && notice('plain', `Only ${patientOf(choice)} can change this.`)}</div>`,
  };
}

/** The forms of a proposal. What gives somebody access is given with a second factor. */
const grantForms = (id: string, version: string, fresh: boolean, csrf: Html, kind: string): Html => html`<h2>Your decision</h2>
<p>${kind === 'restriction' ? 'The restriction counts from the moment you set it.' : 'It counts from the moment you give it.'} You can end it here at any time.${
  !fresh && ' Before that, we make sure that it is you.'
}</p>
${form({
  action: `/consents/${id}`,
  csrf,
  body: [
    hidden('version', version),
    buttons(
      button(fresh ? (kind === 'restriction' ? 'Set the restriction' : 'Give this consent') : 'Continue', { name: 'decision', value: 'give' }),
      button('Turn it down', { kind: 'quiet', name: 'decision', value: 'reject' }),
    ),
  ],
})}`;

export function endPage(shown: Shown, { csrf }: AskedBySomebody): Reply {
  const { id, version, kind, widens } = shown;
  const title = widens ? `Lift the restriction for ${whom(shown)}?` : kind === 'app' ? `Disconnect ${whom(shown)}?` : `End the access of ${whom(shown)}?`;
  return {
    title,
    body: html`<div class="text"><h1>${title}</h1>
<p>${
      widens
        ? 'What it hides can then be seen again by whoever another consent allows to see it.'
        : 'From that moment on they can see nothing by it, in any app and at any place. What they have seen or written stays as it is. To allow it again, a new consent is needed.'
    }</p>
${form({ action: `/consents/${id}/end`, csrf, body: [hidden('version', version), buttons(button(widens ? 'Lift it' : kind === 'app' ? 'Disconnect' : 'End it', { kind: 'danger' }), linkButton('Keep it', `/consents/${id}`, 'quiet'))] })}</div>`,
  };
}

const saidHtml = (said: readonly Said[]): Html =>
  html`${said.map(({ text, more }) => html`<div><strong>${text}</strong></div>${more.length > 0 && list(more)}`)}${said.length === 0 && 'Nothing that has an effect here'}`;

function periodOf(consent: Resource): { readonly since?: string; readonly until?: string } {
  const [period] = elements(elements(consent.provision)[0]?.period);
  const given = consent.status === 'proposed' ? undefined : consent.dateTime;
  const since = typeof period?.start === 'string' ? period.start : typeof given === 'string' ? given : undefined;
  return { ...(since === undefined ? {} : { since }), ...(typeof period?.end === 'string' ? { until: period.end } : {}) };
}

/** Counts by type, in the order of our pages: what they would see now, or what a restriction hides; and how much of the same is on the other side. */
function previewCard({ actor, types }: Preview, isRestriction: boolean, several: boolean): Html {
  const name = actor === undefined ? 'everybody else' : nameText(actor);
  const counted = types
    .map(({ type, visible, hidden: left }) => ({ type, told: isRestriction ? left : visible, rest: isRestriction ? visible : left }))
    .toSorted((one, other) => rankOf(one.type) - rankOf(other.type));
  const told = counted.filter(one => one.told > 0);
  const untouched = counted.filter(one => one.told === 0);
  return card(isRestriction ? `What it hides from ${name}` : several ? `What ${name} sees by it` : 'What they see by it', [
    html`<p>As the record is now:</p>`,
    told.length === 0
      ? html`<p>Nothing.</p>`
      : list(
          told.map(
            ({ type, told: count, rest }) =>
              html`${countOf(type, count)}${rest > 0 && type !== 'Provenance' && html` <span class="hint">(${restText(rest, isRestriction)})</span>`}`,
          ),
        ),
    untouched.length > 0 &&
      html`<p class="hint">${isRestriction ? 'It leaves alone' : told.length === 0 ? 'It leaves out' : 'Not covered'}: ${listed(untouched.map(({ type, rest }) => countOf(type, rest)))}.</p>`,
    !isRestriction && told.some(({ rest }) => rest > 0) && html`<p class="hint">${whyLeftOut}</p>`,
  ]);
}
const whyLeftOut = 'What is left out is marked as sensitive, kept from them by a restriction, or not among what is said above.';
const restText = (rest: number, isRestriction: boolean): string => `${rest} more ${rest === 1 ? 'is' : 'are'} ${isRestriction ? 'left alone' : 'left out'}`;
