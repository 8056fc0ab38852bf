import type { Instant, KeyName, Resource, ResourceType } from '../fhir/types.ts';
import type { LoadedGrant } from '../search/grant.ts';
import { granted } from '../search/granted.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import { matches } from '../search/match.ts';
import { type Ask, all, and, none, not, or, type Predicate } from '../search/query.ts';
import { actorCaller } from './actor.ts';
import type { Caller } from './caller.ts';
import { actorsOf, kindOf } from './consent.ts';
import { coverOf } from './cover.ts';
import { decide } from './decide.ts';
import type { Known, Rule } from './decision.ts';
import { contributedBy, ofOneRecord } from './rules/demands.ts';

/** What one whom a Consent names would see of the resources of a type. */
export interface Sight {
  /** A condition that all of those pass. */
  readonly where: Predicate;
  /** Whether it is passed by no others; else each is looked at. */
  readonly exact: boolean;
  sees(indexed: Indexed): boolean;
}
/** One whom a Consent names, and what would be seen were it in force. */
export interface View {
  /** Absent: everybody, of a restriction. */
  readonly actor?: KeyName;
  /** The moment that it is true of. */
  readonly at: Instant;
  of(type: ResourceType): Sight;
}
export interface Foresight {
  readonly consent: Resource;
  readonly record: RecordId;
  /** The rows of the Consent as if it were in force. */
  readonly mine: readonly LoadedGrant[];
  /** What is in force in the record that names an actor, or anyone. */
  standing(actor: KeyName): readonly LoadedGrant[];
  readonly now: Instant;
  rulesFor(type: ResourceType): readonly Rule[];
}

/**
 * What each of those whom a Consent names would see under it, by the same rules as when they ask: permitted by this Consent (or without any), and denied
 * by none that is in force. Of a restriction, what it leaves alone. Pure.
 */
export function viewsOf(foresight: Foresight): readonly View[] {
  const { consent, record, mine, now } = foresight;
  if (mine.length === 0) return [];
  const at = momentOf(mine, now);
  const actors = actorsOf(consent);
  if (kindOf(consent) !== 'restriction') return actors.map(actor => ({ actor, at, of: type => seen(actor, type, at, foresight) }));
  if (mine.some(row => row.actors === 'anyone')) return [{ at, of: type => spared(undefined, type, at, mine) }];
  return actors.map(actor => ({ actor, at, of: type => spared(actorCaller(actor, record), type, at, mine) }));
}

/** Now; where all that it says has yet to begin, then; where it is over, its end. */
function momentOf(rows: readonly LoadedGrant[], now: Instant): Instant {
  const at = Date.parse(now);
  const low = Math.min(...rows.map(row => row.during.low));
  const high = Math.max(...rows.map(row => row.during.high));
  return new Date(Math.min(Math.max(at, low), high)).toISOString();
}

const nothing: Sight = { where: none, exact: true, sees: () => false };
const nothingKnown: Known = { resources: new Map(), hats: new Set(), contributed: new Set(), searches: new Map() };

function seen(actor: KeyName, type: ResourceType, at: Instant, { record, mine, standing, rulesFor }: Foresight): Sight {
  const caller = actorCaller(actor, record);
  if (caller === undefined) return nothing;
  const decision = decide({ caller, action: 'search', type, at }, { grants: mine, grantEpoch: caller.grantEpoch, known: nothingKnown }, rulesFor(type));
  if (decision.effect === 'deny') return nothing;
  const { only } = decision;
  const others = standing(actor).filter(row => row.consent !== mine[0]!.consent);
  const everything = [...mine, ...others];
  const denied = others.some(row => row.effect === 'deny');
  let exact = true;
  const where = replaced(only, ({ effect, ask }) => {
    const cover = coverOf(mine, ask, type);
    exact &&= cover.exact && !(effect === 'share' && denied);
    if (effect === 'permit') return and(ofOneRecord(record), cover.permit);
    if (effect === 'share') return and(cover.permit, not(cover.deny));
    return denied ? or(cover.deny, { op: 'granted', effect, ask }) : cover.deny;
  });
  return { where, exact, sees: indexed => matches(only, indexed, mine) && matches(only, indexed, everything) };
}

type Granted = Extract<Predicate, { op: 'granted' }>;
/** The predicate with something else for what Consents in force say. */
function replaced(where: Predicate, by: (term: Granted) => Predicate): Predicate {
  switch (where.op) {
    case 'and':
      return and(...where.terms.map(term => replaced(term, by)));
    case 'or':
      return or(...where.terms.map(term => replaced(term, by)));
    case 'not':
      return not(replaced(where.term, by));
    case 'granted':
      return by(where);
    default:
      return where;
  }
}

/** What a restriction does not hide. It does not touch what an organization contributed itself. */
function spared(caller: Caller | undefined, type: ResourceType, at: Instant, mine: readonly LoadedGrant[]): Sight {
  const ask: Ask = { actors: caller?.actors ?? [], purpose: caller?.purpose ?? 'TREAT', action: 'access', at };
  const cover = coverOf(mine, ask, type);
  const own = caller?.organization === undefined ? none : contributedBy(caller.organization);
  return {
    where: cover.exact ? or(own, not(cover.deny)) : all,
    exact: cover.exact,
    sees: indexed => matches(own, indexed, []) || !granted('deny', ask, indexed, mine),
  };
}
