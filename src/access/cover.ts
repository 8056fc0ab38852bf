import { resourceTypes } from '../fhir/definitions/definitions.ts';
import type { KeyName, Range, ResourceType } from '../fhir/types.ts';
import * as facets from '../search/facets.ts';
import type { Criteria, LoadedGrant } from '../search/grant.ts';
import { type Ask, type Atom, all, and, none, not, or, type Predicate, type SearchParam } from '../search/query.ts';
import { standsFor } from './record.ts';
import { refersTo, token } from './rules/demands.ts';

/**
 * What one Consent says to an ask, as a condition on resources of a type, so that a store can ask it of its indexes while the Consent is not in force: what
 * search/granted.ts says of them, in one record. `exact` false: more may pass than it permits, and each must be looked at.
 */
export interface Cover {
  readonly permit: Predicate;
  readonly deny: Predicate;
  readonly exact: boolean;
}

/** @param rows all of one Consent. The deepest node that covers decides, and of several such a denial. */
export function coverOf(rows: readonly LoadedGrant[], ask: Ask, type: ResourceType): Cover {
  const applying = rows.filter(row => applies(row, ask));
  const depths = [...new Set(applying.map(row => row.depth))].sort((a, b) => b - a);
  let permit: Predicate = none;
  let deny: Predicate = none;
  let deeper: Predicate = none;
  for (const depth of depths) {
    const covering = (effect: 'permit' | 'deny'): Predicate =>
      or(...applying.filter(row => row.depth === depth && row.effect === effect).map(row => covers(row, type)));
    const [permits, denies] = [covering('permit'), covering('deny')];
    permit = or(permit, and(permits, not(denies), not(deeper)));
    deny = or(deny, and(denies, not(deeper)));
    deeper = or(deeper, permits, denies);
  }
  return { permit, deny, exact: applying.every(row => isExact(row, type)) };
}

function applies({ actors, purposes, actions, during }: LoadedGrant, ask: Ask): boolean {
  const at = Date.parse(ask.at);
  return (
    (actors === 'anyone' || actors.some(actor => ask.actors.includes(actor))) &&
    (purposes === undefined || purposes.includes(ask.purpose)) &&
    actions.includes(ask.action) &&
    during.low <= at &&
    at <= during.high
  );
}

const isNarrow = ({ codes, profiles, dates, data }: Criteria): boolean => [codes, profiles, dates, data].some(criterion => criterion !== undefined);
const mayStand = (type: ResourceType): boolean => standsFor(type) !== undefined || type === 'AuditEvent';

/** No index knows how many targets there are, nor that there is no other sensitivity than some. */
const isExact = ({ effect, what }: LoadedGrant, type: ResourceType): boolean =>
  what.onlySensitivities === undefined && !(effect === 'permit' && mayStand(type) && isNarrow(what));

function covers({ what, effect, relatedTo = [] }: LoadedGrant, type: ResourceType): Predicate {
  const { codes, upTo, notSensitivities = [], labelled, dates, data } = what;
  return and(
    coversKind(what, effect, type),
    codes === undefined
      ? all
      : anyOf(
          facets.codes,
          codes.flatMap(({ system, code }) => (code === undefined ? [] : [atomOf(system, code)])),
        ),
    upTo === undefined ? all : levels(0, upTo),
    // Of a permit too many may pass, of a denial too few.
    constant(what.onlySensitivities === undefined || effect === 'permit'),
    not(codesIn(facets.sensitivity, notSensitivities)),
    labelled === undefined ? all : or(labelled.atLeast === undefined ? none : levels(labelled.atLeast, 5), codesIn(facets.sensitivity, labelled.anyOf)),
    dates === undefined ? all : and(not(dated('sa', dates)), not(dated('eb', dates))),
    data === undefined
      ? all
      : or(
          named(facets.about, [...data.instances, ...relatedTo, ...data.dependents]),
          named(facets.author, data.authors),
          and(named(facets.ref, data.dependents), effect === 'deny' ? all : itself(type)),
        ),
  );
}

/** It stands for nothing else. */
const itself = (type: ResourceType): Predicate => (mayStand(type) ? not({ op: 'has', param: facets.targetType }) : all);

/** By type or by profile; what stands for others by the types of those. */
function coversKind({ classes, profiles, notClasses }: Criteria, effect: 'permit' | 'deny', type: ResourceType): Predicate {
  const own = itself(type);
  const standing = not(own);
  const some = (types: readonly ResourceType[]): Predicate => codesIn(facets.targetType, types);
  const every = (types: readonly ResourceType[]): Predicate => not(some([...resourceTypes].filter(one => !types.includes(one))));
  const excluded = notClasses === undefined ? none : or(and(own, constant(notClasses.includes(type))), and(standing, some(notClasses)));
  const named =
    classes === undefined ? none : or(and(own, constant(classes.includes(type))), and(standing, effect === 'deny' ? some(classes) : every(classes)));
  const claimed =
    profiles === undefined
      ? none
      : anyOf(
          facets.profile,
          profiles.map(uri => ({ kind: 'uri', how: 'is', uri })),
        );
  const kinds = classes === undefined && profiles === undefined ? all : or(named, and(claimed, effect === 'deny' ? all : own));
  return and(not(excluded), kinds);
}

const constant = (holds: boolean): Predicate => (holds ? all : none);
const anyOf = (param: SearchParam, atoms: readonly Atom[]): Predicate => (atoms.length === 0 ? none : { op: 'some', param, test: { anyOf: atoms } });
const codesIn = (param: SearchParam, codes: readonly string[]): Predicate => (codes.length === 0 ? none : token(param, ...codes));
const named = (param: SearchParam, names: readonly KeyName[]): Predicate => (names.length === 0 ? none : refersTo(param, names));
const atomOf = (system: string | undefined, code: string): Atom => ({ kind: 'token', code, ...(system === undefined ? {} : { system }) });
const dated = (how: 'sa' | 'eb', { low, high }: Range): Predicate => anyOf(facets.clinicalDate, [{ kind: 'date', how, low, high }]);
/** A confidentiality between these, both included. */
const levels = (low: number, high: number): Predicate =>
  codesIn(facets.confidentiality, [0, 1, 2, 3, 4, 5].filter(level => low <= level && level <= high).map(String));
