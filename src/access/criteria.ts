import type { Coding, KeyName, Range } from '../fhir/types.ts';
import type { Criteria } from '../search/grant.ts';
import type { Confidentiality } from '../search/indexed.ts';
import { confidentialities } from '../search/security.ts';
import { namedOnly, permittedSensitivities, sensitivitiesOf, systems } from './codes.ts';
import type { ConsentKind } from './consent.ts';
import { codings, conceptCodings, type Element, elements, readRange, referenceName } from './elements.ts';
import { neverByDefault } from './policies/table.ts';

/** What a node covers, as it is written: labels keep the effect of the node that stated them. */
export interface What {
  readonly kinds?: Pick<Criteria, 'classes' | 'profiles'>;
  readonly codes?: readonly Coding[];
  readonly labels?: Labels;
  readonly dates?: Range;
  readonly data?: NonNullable<Criteria['data']>;
}
interface Labels {
  readonly writtenOn: 'permit' | 'deny';
  readonly confidentialities: readonly Confidentiality[];
  readonly sensitivities: readonly string[];
}
/** undefined: it is there, but not understood. */
type Reading<T> = { readonly value: T } | undefined;

const readers = { kinds: readClasses, codes: readCodes, labels: readLabels, dates: readDates, data: readData } as const;
const written = { kinds: 'class', codes: 'code', labels: 'securityLabel', dates: 'dataPeriod', data: 'data' } as const;

/** What the node states, over what it inherits. A criterion that is not understood no longer narrows a deny; a permit does not survive it. */
export function readWhat(element: Element, effect: 'permit' | 'deny', inherited: What): { what: What; understood: boolean } {
  let what: Record<string, unknown> = { ...inherited };
  let understood = true;
  for (const part of Object.keys(readers) as (keyof typeof readers)[]) {
    const value = element[written[part]];
    if (value === undefined) continue;
    const reading = readers[part](value, effect);
    if (reading === undefined) understood = false;
    const { [part]: _replaced, ...rest } = what;
    what = reading === undefined ? rest : { ...rest, [part]: reading.value };
  }
  return { what, understood };
}

function readClasses(value: unknown): Reading<NonNullable<What['kinds']>> {
  const classes: string[] = [];
  const profiles: string[] = [];
  for (const { system, code } of codings(value)) {
    if (code === undefined) return undefined;
    if (system === systems.types) classes.push(code);
    else if (/^(?:https?|urn):/.test(code)) profiles.push(code);
    else return undefined;
  }
  if (classes.length + profiles.length === 0) return undefined;
  return { value: { ...(classes.length > 0 ? { classes } : {}), ...(profiles.length > 0 ? { profiles } : {}) } };
}

function readCodes(value: unknown): Reading<readonly Coding[]> {
  const concepts = elements(value).map(concept => conceptCodings(concept));
  // A concept that is only a text cannot be told in a resource.
  if (concepts.length === 0 || concepts.some(found => found.length === 0 || found.some(coding => coding.code === undefined))) return undefined;
  return { value: concepts.flat().map(({ system, code }) => ({ ...(system === undefined ? {} : { system }), code: code! })) };
}

function readLabels(value: unknown, writtenOn: 'permit' | 'deny'): Reading<Labels> {
  const levels: Confidentiality[] = [];
  const sensitivities: string[] = [];
  for (const { system, code } of codings(value)) {
    const level = confidentialities.indexOf(code as never);
    if (system === systems.confidentiality && level >= 0) levels.push(level as Confidentiality);
    else if (system === systems.act && code !== undefined) sensitivities.push(code);
    else return undefined;
  }
  return levels.length + sensitivities.length === 0 ? undefined : { value: { writtenOn, confidentialities: levels, sensitivities } };
}

function readDates(value: unknown): Reading<Range> {
  const range = readRange(value);
  return range === undefined ? undefined : { value: range };
}

function readData(value: unknown): Reading<NonNullable<Criteria['data']>> {
  const data: Record<'instances' | 'related' | 'dependents' | 'authors', KeyName[]> = { instances: [], related: [], dependents: [], authors: [] };
  const meanings = { instance: 'instances', related: 'related', dependents: 'dependents', authoredby: 'authors' } as const;
  const entries = elements(value);
  for (const { meaning, reference } of entries) {
    const name = referenceName(reference);
    if (name === undefined || typeof meaning !== 'string' || !Object.hasOwn(meanings, meaning)) return undefined;
    data[meanings[meaning as keyof typeof meanings]].push(name);
  }
  // What is named for what it refers to is covered itself, even while nobody looked up what that is.
  return entries.length === 0 ? undefined : { value: { ...data, instances: [...data.instances, ...data.related] } };
}

/** The criteria of a row. `kind` undefined: of a Consent that is of no kind of ours, which only denies. */
export function criteriaOf(effect: 'permit' | 'deny', what: What, kind: ConsentKind | undefined): Criteria {
  const { kinds, codes, labels, dates, data } = what;
  return {
    ...kinds,
    ...(effect === 'permit' && kinds?.classes === undefined ? { notClasses: neverByDefault } : {}),
    ...(codes === undefined ? {} : { codes }),
    ...(effect === 'permit' ? permitLabels(labels, kind) : {}),
    ...(labels?.writtenOn === 'deny' ? { labelled: labelled(labels) } : {}),
    ...(dates === undefined ? {} : { dates }),
    ...(data === undefined ? {} : { data }),
  };
}

const carefulKinds: readonly (ConsentKind | undefined)[] = ['authorized-user', 'share', 'app'];
const normal: Confidentiality = 3;
const restricted: Confidentiality = 4;

/**
 * How far a permit reaches (ACCESS §4, Labels). An exception to a labelled deny reaches what the deny's labels name; the highest confidentiality and the
 * sensitivities that must be named have to be named there.
 */
function permitLabels(labels: Labels | undefined, kind: ConsentKind | undefined): Pick<Criteria, 'upTo' | 'onlySensitivities' | 'notSensitivities'> {
  const byDefault = carefulKinds.includes(kind) ? normal : restricted;
  const unnamed = { notSensitivities: namedOnly };
  if (labels === undefined) return { upTo: byDefault, ...unnamed };
  const listed = labels.confidentialities.length > 0 ? (Math.max(...labels.confidentialities) as Confidentiality) : undefined;
  if (labels.writtenOn === 'deny') {
    const implied = labels.sensitivities.length > 0 ? restricted : byDefault;
    return { upTo: Math.max(implied, listed ?? 0) as Confidentiality, notSensitivities: namedOnly.filter(code => !labels.sensitivities.includes(code)) };
  }
  if (labels.sensitivities.length === 0) return { upTo: listed ?? byDefault, ...unnamed };
  return { upTo: listed ?? restricted, onlySensitivities: permittedSensitivities(labels.sensitivities) };
}

function labelled(labels: Labels): NonNullable<Criteria['labelled']> {
  const anyOf = sensitivitiesOf(labels.sensitivities);
  return labels.confidentialities.length === 0 ? { anyOf } : { atLeast: Math.min(...labels.confidentialities) as Confidentiality, anyOf };
}
