import { parseScopes } from '../access/scope.ts';
import type { Asking } from '../auth/authorization.ts';
import type { Step } from './authorize-steps.ts';
import { addressOf, formTargets, pageOf, personText } from './authorize-view.ts';
import { choiceKey, choiceText, notStanding, patientOf, whoseOf } from './choice.ts';
import { type Html, html } from './html.ts';
import { nameOf } from './patients.ts';
import { button, buttons, definitions, form, hidden, list, mistakeSummary, notice } from './pieces.ts';
import type { Asked, Reply } from './route.ts';
import { partsOf } from './scopes.ts';
import { type Box, type BoxGroup, groupsOf, type MannerBox, mannerBoxes, sentenceOf, sentencesOf, type Telling, tellingsOf } from './scopes-view.ts';
import { possessive } from './words.ts';

type Page = Extract<Reply, { readonly title: string }>;
type Deciding = Extract<Step, { readonly step: 'decide' }>;

/** More kinds of entries than these are told in sentences first, and ticked below. */
const FEW = 8;
/** More nouns than these make no sentence that is read at a glance. */
const FEW_NOUNS = 4;

/**
 * The page on which a person decides. @param chosen what was ticked, of a form that comes back; @param nothing it was nothing.
 */
export function decisionPage(
  asking: Asking,
  { choice, encounter, others, patient }: Deciding,
  { csrf }: Asked,
  { chosen, nothing }: { readonly chosen?: ReadonlySet<string>; readonly nothing?: boolean },
): Page {
  const { client, scopes, dropped } = asking;
  const whose = patient === undefined ? whoseOf(choice) : possessive(nameOf(patient));
  const isTicked = (key: string): boolean => chosen === undefined || chosen.has(key);
  const groups = groupsOf(partsOf(scopes));
  const isAbout = choice.record !== undefined;
  const title = titleOf(asking, choice, whose);
  return pageOf(
    asking,
    nothing === true ? `Mistake: ${title}` : title,
    [
      html`<h1>${title}</h1>`,
      mistakeSummary(nothing === true ? [{ field: 'allow', text: 'Nothing is ticked. Tick what the app may do, or do not allow it.' }] : undefined),
      client.dynamic === true && strangerNotice(asking),
      choice.kind === 'caregiver' &&
        notice(
          'warning',
          `You decide for ${patientOf(choice)}. The app can see and do at most what you may see and do there yourself.${choice.standing ? '' : ` ${notStanding}`}`,
        ),
      definitions([
        ['App', client.client_name],
        choice.kind === 'practitioner' && isAbout ? ['Patient', patientText(asking, patient)] : ['Record', isAbout && recordText(asking, choice, others)],
        ['You work for', choice.kind === 'practitioner' && recordText(asking, choice, others)],
        ['You are', choice.kind !== 'practitioner' && !isAbout && recordText(asking, choice, others)],
        ['How long', howLong(scopes, choice)],
      ]),
      form({
        action: addressOf(asking),
        csrf,
        body: [
          hidden('choice', choiceKey(choice)),
          patient === undefined ? html`` : hidden('patient', patient.id ?? ''),
          hidden('encounter', encounter ?? ''),
          groups.length === 0
            ? html``
            : html`<h2 id="field-allow">What it may do</h2>${
                groups.length > FEW
                  ? html`${list(tellingsOf(scopes, { possessive: whose }).map(telling))}
<details${chosen !== undefined && html` open`}><summary>Choose what exactly</summary>${groupRows(groups, isTicked)}</details>`
                  : groupRows(groups, isTicked)
              }`,
          mannerRows(mannerBoxes(scopes), isTicked),
          droppedText(dropped),
          buttons(button('Allow', { name: 'step', value: 'allow' }), button('Do not allow', { kind: 'quiet', name: 'step', value: 'deny' })),
        ],
      }),
      html`<p class="hint">Whatever you allow stays within what you may do yourself.${choice.kind !== 'practitioner' && ' You can end it at any time under Apps.'}</p>`,
    ],
    nothing === true ? 422 : 200,
  );
}

/** What `user/` scopes give is about no one record, whosever is open. */
function titleOf({ client, scopes }: Asking, choice: Deciding['choice'], whose: string): string {
  if (choice.kind === 'practitioner' && parseScopes(scopes.join(' ')).scopes.some(({ level }) => level === 'user'))
    return `Let ${client.client_name} use what you may see at ${choice.name}?`;
  return choice.record === undefined ? `Let ${client.client_name} in?` : `Let ${client.client_name} use ${whose} record?`;
}

/** Whom the answer goes to is all that is known of an app that registered itself. */
function strangerNotice({ client }: Asking): Html {
  const hosts = formTargets(client)
    .filter(target => target.includes('//'))
    .map(target => new URL(target).host);
  return notice(
    'warning',
    html`<p><strong>Nobody here has checked this app.</strong> It registered itself, and its name is what it calls itself. Allow it only if you came from it just now and trust whoever makes it.${
      hosts.length > 0 && html` Your answer goes to <strong>${hosts.join(', ')}</strong>.`
    }</p>`,
  );
}

function recordText(asking: Asking, choice: Deciding['choice'], others: boolean): Html {
  const { label, hint } = choiceText(choice);
  return html`${choice.kind === 'patient' ? hint : label}${others && html` (<a href="${addressOf(asking, { choose: '' })}">choose another</a>)`}`;
}
/** Of one whom the practitioner chose; or of the chart that was open, which the practitioner may be allowed to know by no name. */
function patientText(asking: Asking, patient: Deciding['patient']): Html {
  const text = patient === undefined ? html`The one whose chart you had open` : personText(patient);
  return html`${text}${asking.launch?.patient === undefined && html` (<a href="${addressOf(asking)}">choose another</a>)`}`;
}

/** What a practitioner allows is no Consent of anybody, and stands under no one's Apps. */
const howLong = (scopes: readonly string[], { kind }: Deciding['choice']): string =>
  scopes.includes('offline_access')
    ? `Until ${kind === 'practitioner' ? 'it is ended' : 'you end it'}, also while you are away`
    : scopes.includes('online_access')
      ? 'While you are signed in here'
      : 'For one hour; then it asks again';

/** `about` is what the eye reads from the heading beside it. */
const tick = ({ key, text }: Box, hint: string | undefined, checked: boolean, about?: string): Html => {
  const id = `allow-${key.replace(/[^A-Za-z0-9]+/g, '-')}`;
  return html`<div class="tick"><input type="checkbox" id="${id}" name="allow" value="${key}"${checked && html` checked`}>
<label for="${id}">${about !== undefined && html`<span class="unseen">${about}: </span>`}${text}${hint !== undefined && html`<span class="hint">${hint}</span>`}</label></div>`;
};
/** Much of one kind is found more easily in columns. */
const telling = (told: Telling): Html =>
  told.nouns.length <= FEW_NOUNS
    ? html`${sentenceOf(told)}`
    : html`${told.lead}${told.tail !== undefined && html`, ${told.tail}`}:<ul class="kinds">${told.nouns.map(noun => html`<li>${noun}</li>`)}</ul>`;
const groupRows = (groups: readonly BoxGroup[], isTicked: (key: string) => boolean): Html =>
  html`<ul class="rows choices">${groups.map(
    ({ heading, boxes, hint }) => html`<li><div><strong>${heading}</strong>${hint !== undefined && html`<p class="hint">${hint}</p>`}</div>
<div class="ticks">${boxes.map(box => tick(box, undefined, isTicked(box.key), heading))}</div></li>`,
  )}</ul>`;
const mannerRows = (boxes: readonly MannerBox[], isTicked: (key: string) => boolean): Html =>
  boxes.length === 0 ? html`` : html`<h2>And besides</h2><div class="field">${boxes.map(box => tick(box, box.hint, isTicked(box.key)))}</div>`;

/** What it asked for and will not get, in words where there are any. */
function droppedText(dropped: readonly string[]): Html {
  if (dropped.length === 0) return html``;
  const understood = dropped.filter(scope => !scope.includes('/') || parseScopes(scope).scopes.length > 0);
  const strange = dropped.filter(scope => !understood.includes(scope));
  return html`<details><summary>It asked for more, and will not get it</summary>${list([
    ...sentencesOf(understood, { possessive: 'your' }),
    ...strange.map(scope => html`<code>${scope}</code>`),
  ])}</details>`;
}
