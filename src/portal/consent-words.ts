import { purposesOf } from '../access/codes.ts';
import { grantsOf, kindOf } from '../access/consent.ts';
import { codings, conceptCodings, type Element, elements } from '../access/elements.ts';
import { earliest, latest } from '../fhir/datetime.ts';
import type { KeyName, Resource, ResourceType } from '../fhir/types.ts';
import type { Criteria, Grant } from '../search/grant.ts';
import { confidentialities } from '../search/security.ts';
import { highest, sensitivityWords } from './label-words.ts';
import { capital, dayOf, listed, nounOf } from './words.ts';

/** What each kind of consent is called on our pages: what the actor is by it, and what the consent is. */
const kinds: Readonly<Record<string, readonly [actor: string, title: string]>> = {
  enrolment: ['Practice that treats you', 'Enrolment with a practice'],
  'primary-caregiver': ['Main caregiver', 'Main caregiver'],
  'authorized-user': ['Person you trust', 'Access for a person'],
  guardian: ['Guardian', 'Guardian'],
  app: ['App', 'Connected app'],
  share: ['Shared with', 'Sharing'],
  restriction: ['Kept from', 'Restriction'],
};
export const roleOf = (kind: string): string => (Object.hasOwn(kinds, kind) ? kinds[kind]![0] : 'Consent');
export const titleOf = (kind: string): string => (Object.hasOwn(kinds, kind) ? kinds[kind]![1] : 'Consent');

/** One thing that a consent says: in a sentence, and what narrows it. */
export interface Said {
  readonly effect: 'permit' | 'deny';
  /** Whom it names; 'anyone' of a denial. */
  readonly actors: readonly KeyName[] | 'anyone';
  /** "See and change medications and allergies", "Not: what is about mental health". */
  readonly text: string;
  readonly more: readonly string[];
}

/**
 * What a Consent says, as it is enforced: its rows, not its elements, so that nobody is told of a permission that is none. Of a proposal: what it would say.
 * @param nameOf what a resource is called, where that is known
 */
export function wordsOf(consent: Resource, nameOf: (key: KeyName) => string | undefined): readonly Said[] {
  const displays = displaysOf(consent);
  const isRestriction = kindOf(consent) === 'restriction';
  return grantsOf({ ...consent, status: 'active' }, 'Patient/any').map(grant => ({
    effect: grant.effect,
    actors: grant.actors,
    text: sentenceOf(grant, isRestriction),
    more: [...narrowings(grant, displays, nameOf)],
  }));
}

function sentenceOf({ effect, depth, actions, what }: Grant, isRestriction: boolean): string {
  const things = `${thingsOf(what, effect)}${labelledText(what)}`;
  if (effect === 'permit') return `${actions.includes('correct') ? 'See, add and change' : 'See'} ${things}`;
  const isHidden = actions.includes('access');
  if (isRestriction && depth === 0) return `Cannot ${isHidden ? 'see' : 'change'} ${things}`;
  return isHidden ? `But not ${things}` : `But may not change ${things}`;
}
/** What a denial picks by its labels. */
function labelledText({ labelled }: Criteria): string {
  if (labelled === undefined) return '';
  const { atLeast, anyOf } = labelled;
  const level =
    atLeast === undefined ? [] : [atLeast >= 5 ? 'is marked as very sensitive' : atLeast === 4 ? 'is marked as sensitive' : 'is marked as confidential'];
  const about = sensitivityWords(anyOf);
  return ` that ${[...level, ...(about.length > 0 ? [`is about ${about.join(' or ')}`] : [])].join(', or ')}`;
}
const thingsOf = (what: Criteria, effect: 'permit' | 'deny'): string => {
  const { classes = [], profiles = [] } = what;
  const named = [
    ...classes.map(type => nounOf(type as ResourceType)),
    ...profiles.map(profile => `entries of the form “${profile.slice(profile.lastIndexOf('/') + 1)}”`),
  ];
  if (named.length > 0) return listed(named);
  if (what.labelled !== undefined || what.codes !== undefined || what.data !== undefined) return 'anything';
  return effect === 'permit' ? 'everything in the record, without consents, requests and the access log' : 'anything in the record';
};

function* narrowings({ effect, what, purposes }: Grant, displays: Displays, nameOf: (key: KeyName) => string | undefined): Iterable<string> {
  const { codes, dates, data } = what;
  if (codes !== undefined) yield `Only about ${listed(codes.map(({ code = '' }) => displays.get(code) ?? `the code ${code}`))}`;
  if (dates !== undefined) yield datesText(dates);
  if (data !== undefined) yield* dataText(data, nameOf);
  if (effect === 'permit') yield reachOf(what);
  if (purposes !== undefined) yield `Only ${listed(purposeWords(purposes))}`;
}

/** How far into what is marked as sensitive a permission goes. */
function reachOf({ upTo = 3, onlySensitivities, notSensitivities = [] }: Criteria): string {
  if (upTo < 3) return `Only what is marked as no more confidential than “${confidentialities[upTo]}”`;
  if (upTo === 3) return 'Nothing that is marked as sensitive';
  const level = upTo === 5 ? 'Also what is marked as sensitive or very sensitive' : 'Also what is marked as sensitive';
  if (onlySensitivities !== undefined) return `${level}, of that only ${listed(sensitivityWords(onlySensitivities))}`;
  const not = sensitivityWords(notSensitivities);
  return not.length > 0 ? `${level}, but not ${not.join(' or ')}` : level;
}

function datesText({ low, high }: { readonly low: number; readonly high: number }): string {
  const [from, to] = [low > earliest ? dayOf(low) : undefined, high < latest ? dayOf(high) : undefined];
  if (from !== undefined && to !== undefined) return `Only of the time from ${from} to ${to}`;
  return from !== undefined ? `Only of ${from} and later` : `Only of ${to} and earlier`;
}

function* dataText({ instances, related, dependents, authors }: NonNullable<Criteria['data']>, nameOf: (key: KeyName) => string | undefined): Iterable<string> {
  const single = instances.filter(key => !related.includes(key)).length;
  if (single > 0) yield single === 1 ? 'Only one entry, which the consent names' : `Only ${single} entries, which the consent names`;
  if (related.length > 0) yield 'Only the entries that the consent names, with what they refer to';
  if (dependents.length > 0) yield 'Only what belongs to the entries that the consent names';
  if (authors.length > 0) yield `Only what ${listed(authors.map(key => nameOf(key) ?? 'somebody without a name here'))} wrote`;
}

/** v3-ActReason by what people call it. */
const purposes: Readonly<Record<string, string>> = {
  TREAT: 'for treatment',
  PATRQT: 'when you or somebody for you asks',
  FAMRQT: 'when family asks for you',
  HPAYMT: 'for payment',
  HOPERAT: 'for running the practice',
  HRESCH: 'for research',
  PUBHLTH: 'for public health',
  ETREAT: 'in an emergency',
};
const purposeWords = (codes: readonly string[]): readonly string[] =>
  highest(codes, purposesOf).map(code => (Object.hasOwn(purposes, code) ? purposes[code]! : `for the purpose ${code}`));

type Displays = ReadonlyMap<string, string>;
/** What the Consent itself calls the codes in it. */
function displaysOf(consent: Resource): Displays {
  const walk = (node: Element): readonly (readonly [string, string])[] => [
    ...elements(node.code).flatMap(concept =>
      conceptCodings([concept]).flatMap(({ code, display }) => {
        const text = display ?? (typeof concept.text === 'string' ? concept.text : undefined);
        return code === undefined || text === undefined ? [] : [[code, text] as const];
      }),
    ),
    ...codings(node.class).flatMap(({ code, display }) => (code === undefined || display === undefined ? [] : [[code, display] as const])),
    ...elements(node.provision).flatMap(walk),
  ];
  return new Map(elements(consent.provision).flatMap(walk));
}
/** Sentences, for a list: "See medications. Nothing that is marked as sensitive." */
export const inOne = (said: readonly Said[]): string => said.map(({ text, more }) => [text, ...more].map(capital).join('. ')).join('. ');
