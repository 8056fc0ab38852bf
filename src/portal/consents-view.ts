import type { Choice } from '../account/accounts.ts';
import { notStanding, patientOf, whoseOf } from './choice.ts';
import { inOne, roleOf, type Said, titleOf } from './consent-words.ts';
import { type Html, html } from './html.ts';
import { day, linkButton, notice, rows, tag } from './pieces.ts';
import type { AskedBySomebody, Reply } from './route.ts';
import { sentencesOf } from './scopes-view.ts';
import type { Named, Standing, StandingApp, WhoCanSee } from './who-can-see.ts';
import { capital, listed } from './words.ts';

/** What each Consent says, by its id. */
export type SaidBy = ReadonlyMap<string, readonly Said[]>;

/** What has just been done, by the name in the query. */
const done: Readonly<Record<string, string>> = {
  given: 'Done. It counts from now on, and you can end it here at any time.',
  rejected: 'You have turned it down. Nothing was given.',
  ended: 'It has ended. It has no effect from now on.',
};

/** The parts of the page: what stands in them, and what is said where nothing does. */
interface Group {
  readonly heading: string;
  readonly hint?: string;
  readonly members: readonly Parameters<typeof rows>[0][number][];
}

export function consentsPage(who: WhoCanSee, said: SaidBy, choice: Choice, { query }: AskedBySomebody): Reply {
  const whose = whoseOf(choice);
  const isPatient = choice.kind === 'patient';
  const title = `Who can see ${whose} record`;
  const groups = groupsOf(who, said, whose).filter(({ members }) => members.length > 0);
  const told = Object.keys(done).find(name => query.has(name));
  return {
    title,
    body: html`<h1>${title}</h1>
${told !== undefined && notice('good', done[told]!)}
${!isPatient && notice('plain', `This is what you may know of it. Only ${patientOf(choice)} gives or ends a consent.`)}
${who.proposed.length > 0 && proposals(who.proposed, said, isPatient)}
${groups.length === 0 && html`<p>Nobody ${isPatient ? 'but you' : 'that you may know of'}.</p>`}
${groups.map(({ heading, hint, members }) => html`<section><h2>${heading}</h2>${hint !== undefined && html`<p>${hint}</p>`}${rows(members)}</section>`)}`,
  };
}

/** For a caregiver whom no consent lets see anything. */
export const nothingPage = (choice: Choice): Reply => ({
  title: `Who can see ${whoseOf(choice)} record`,
  body: html`<h1>Who can see ${whoseOf(choice)} record</h1>
${notice('plain', `${notStanding} Ask ${patientOf(choice)}, or the practice.`)}`,
});

const proposals = (proposed: readonly Standing[], said: SaidBy, isPatient: boolean): Html =>
  html`<section class="card"><h2>${isPatient ? 'Waiting for you' : 'Waiting'}</h2>
<p>Somebody, or an app of yours, has proposed ${proposed.length === 1 ? 'this' : 'these'}. Nothing is given until you say so.</p>
${rows(proposed.map(one => ({ what: html`${actorsText(one.actors, one.effect)} ${tag(titleOf(one.kind))}`, more: lineOf(one, said), action: linkButton('Look at it', `/consents/${one.id}`) })))}</section>`;

function groupsOf(who: WhoCanSee, said: SaidBy, whose: string): readonly Group[] {
  const permits = who.consents.filter(({ effect }) => effect !== 'deny');
  const isPractice = ({ kind, actors }: Standing): boolean =>
    kind === 'enrolment' || (actors.length > 0 && actors.every(({ key }) => key?.startsWith('Organization/') === true));
  const isCaregiver = ({ kind }: Standing): boolean => kind === 'primary-caregiver' || kind === 'guardian';
  const row = (one: Standing): Group['members'][number] => ({
    what: html`${actorsText(one.actors, one.effect)} ${one.effect !== 'deny' && tag(roleOf(one.kind))}${!one.inForce && html` ${tag('not yet', 'warning')}`}`,
    more: lineOf(one, said),
    action: linkButton('Details', `/consents/${one.id}`, 'quiet'),
  });
  const practices = permits.filter(one => isPractice(one) && !isCaregiver(one));
  return [
    { heading: 'Caregivers', members: permits.filter(isCaregiver).map(row) },
    { heading: 'People', members: permits.filter(one => !isCaregiver(one) && !isPractice(one)).map(row) },
    {
      heading: 'Practices',
      members: [
        ...practices.map(row),
        ...who.organizations.map(one => ({
          what: capital(nameText(one)),
          more: 'Sees what it wrote into the record itself. This needs no consent, and cannot be ended.',
        })),
      ],
    },
    { heading: 'Apps', hint: 'An app never sees more than whoever connected it.', members: who.apps.map(app => appRow(app, whose)) },
    {
      heading: 'Restrictions',
      hint: `What is kept from somebody, whatever else is allowed. They do not see this.`,
      members: who.consents.filter(({ effect }) => effect === 'deny').map(row),
    },
    {
      heading: 'Ended',
      hint: 'They can still read the consent that has ended, and nothing else by it.',
      members: who.ended.map(({ id, kind, actor }) => ({
        what: html`${capital(nameText(actor))} ${tag(roleOf(kind))}`,
        action: linkButton('Details', `/consents/${id}`, 'quiet'),
      })),
    },
  ];
}

const appRow = (app: StandingApp, whose: string): Group['members'][number] => ({
  what: app.name,
  more: html`${sentencesOf(app.scopes, { possessive: whose }).slice(0, 3).join('. ')}. ${app.performer.name !== undefined && `Connected by ${app.performer.name}. `}${timesText(app)}`,
  action: linkButton('Details', `/consents/${app.id}`, 'quiet'),
});

/** What, since when and until when, in one line. */
const lineOf = (one: Standing, said: SaidBy): Html => {
  const [first, ...others] = said.get(one.id) ?? [];
  const text = first === undefined ? (one.actions.includes('correct') ? 'See, add and change' : 'See') : inOne([first]);
  return html`${text}${others.length > 0 && `, with ${others.length === 1 ? 'an exception' : 'exceptions'}`}. ${timesText(one, one.inForce)}`;
};

/** "Since 1 May 2026, until 1 May 2027."; of what does not count yet, "From". */
const timesText = ({ since, until }: { readonly since?: string; readonly until?: string }, counts = true): Html =>
  html`${since !== undefined && html`${counts ? 'Since' : 'From'} ${day(since)}${until === undefined ? '.' : ', '}`}${until !== undefined && html`${since === undefined ? 'Until' : 'until'} ${day(until)}.`}`;

const kindsOfActor: Readonly<Record<string, string>> = {
  RelatedPerson: 'a helper',
  Practitioner: 'a clinician',
  PractitionerRole: 'a clinician',
  Organization: 'a practice',
  Patient: 'a patient',
  CareTeam: 'a care team',
  Group: 'a group',
};
/** A name, or what is known in its place. */
export const nameText = ({ key, name }: Named): string => name ?? `${kindsOfActor[key?.split('/')[0] ?? ''] ?? 'somebody'} whose name is not known here`;
export const actorsText = (actors: readonly Named[], effect: string): string =>
  actors.length === 0 ? (effect === 'deny' ? 'Everybody else' : 'Nobody named') : capital(listed(actors.map(nameText)));
