import { resourceTypes, type SearchParameterDef, searchParameters } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import { type Candidate, mistakesIn, readParameter } from './custom-check.ts';
import { isAbout, meaningOf } from './custom-meaning.ts';

/** A SearchParameter as it was found. */
export interface Found {
  /** Where, for people. */
  readonly file: string;
  readonly resource: Readonly<Record<string, unknown>>;
}
export interface Custom {
  /** To be added to R4's: none has a code that R4 or another has for the same type. */
  readonly definitions: readonly SearchParameterDef[];
  /** What was left out, and why. */
  readonly skipped: readonly string[];
  /** Why the server must not start with these. */
  readonly mistakes: readonly string[];
}

/**
 * Which of the SearchParameters of packages and profiles can be added to those of R4 (http://hl7.org/fhir/R4/searchparameter.html). Pure. No parameter takes
 * the place of another: rules, scopes and compartments mean R4's by their codes. What says the same as one that is there is left out; what says something
 * else under the same code is a mistake, and so is whatever cannot be indexed.
 */
export function readCustom(found: readonly Found[]): Custom {
  const definitions = new Map<string, SearchParameterDef>();
  const skipped: string[] = [];
  const mistakes: string[] = [];
  const taken = takenCodes();
  /** What is left out stands for what is there already, where composites name it. */
  const byUrl = new Map(searchParameters.map(each => [each.url, each]));

  function add(candidate: Candidate): void {
    const { name, definition } = candidate;
    const known = byUrl.get(definition.url);
    if (known !== undefined) return void skipped.push(`${name} is left out: \`${definition.url}\` is there already`);
    const wrong = mistakesIn(candidate, url => byUrl.get(url));
    if (wrong.length > 0) return void mistakes.push(...wrong.map(text => `${name}: ${text}`));
    const free: ResourceType[] = [];
    const others: SearchParameterDef[] = [];
    for (const type of typesOf(definition)) {
      const other = taken.get(`${type}?${definition.code}`);
      if (other === undefined) free.push(type);
      else if (saysTheSame(candidate, other, type)) others.push(other);
      else return void mistakes.push(`${name}: ${type} has a parameter \`${definition.code}\` already, which means something else: \`${other.url}\``);
    }
    const [other] = others;
    if (other !== undefined) skipped.push(`${name} is left out for ${base(definition, free)}: \`${other.url}\` is there already, and is used`);
    if (free.length === 0) return void byUrl.set(definition.url, other!);
    const kept = { ...definition, base: other === undefined ? definition.base : free, components: named(definition) };
    if (!mayBegin.test(kept.code)) {
      mistakes.push(`${name}: the code \`${kept.code}\` must begin with a letter, and go on with letters, digits, \`-\` or \`_\``);
      return;
    }
    definitions.set(kept.url, kept);
    byUrl.set(kept.url, kept);
    for (const type of free) taken.set(`${type}?${kept.code}`, kept);
  }
  /** The parts of a composite by the names under which they are there. */
  const named = ({ components }: SearchParameterDef): SearchParameterDef['components'] =>
    components.map(part => ({ ...part, definition: byUrl.get(part.definition)!.url }));

  const candidates: Candidate[] = [];
  for (const one of found) {
    const read = readParameter(one);
    if ('mistakes' in read) mistakes.push(...read.mistakes);
    else if ('skipped' in read) skipped.push(read.skipped);
    else candidates.push(read.candidate);
  }
  // Composites last, since they are made of the others.
  for (const composite of [false, true]) for (const one of candidates) if ((one.definition.type === 'composite') === composite) add(one);
  return { definitions: [...definitions.values()], skipped, mistakes };
}

/** What may be a code: what begins with `_` is the specification's, with a dot ours; and colon, dot and comma say something in a search. */
const mayBegin = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

function typesOf({ base }: SearchParameterDef): readonly ResourceType[] {
  return base.some(type => type === 'Resource' || type === 'DomainResource') ? [...resourceTypes] : base;
}
const base = (definition: SearchParameterDef, free: readonly ResourceType[]): string =>
  typesOf(definition)
    .filter(type => !free.includes(type))
    .slice(0, 5)
    .join(', ');

/** R4's parameters, those that we do not index too, by type and code. */
function takenCodes(): Map<string, SearchParameterDef> {
  return new Map(searchParameters.flatMap(each => typesOf(each).map((type): [string, SearchParameterDef] => [`${type}?${each.code}`, each])));
}

/**
 * Whether a parameter says of the type what another does. One that is derived from it does: it "must be consistent with the definition from which it is
 * defined", and finds no more than that.
 */
function saysTheSame({ definition, derivedFrom }: Candidate, other: SearchParameterDef, type: ResourceType): boolean {
  if (definition.type !== other.type) return false;
  if (derivedFrom === other.url && isAbout(definition.expression, type)) return true;
  return other.components.length === 0 && definition.components.length === 0 && meaningOf(definition.expression, type) === meaningOf(other.expression, type);
}
