import { earliest, latest } from '../fhir/datetime.ts';
import type { KeyName, Range } from '../fhir/types.ts';
import type { Grant } from '../search/grant.ts';
import type { RecordId } from '../search/indexed.ts';
import { purposesOf, systems } from './codes.ts';
import type { ConsentKind } from './consent.ts';
import { criteriaOf, readWhat, type What } from './criteria.ts';
import { codings, conceptCodings, type Element, elements, hasModifier, readRange, referenceName } from './elements.ts';
import { actorSort } from './policies/table.ts';

/** What every node of a Consent has in common. */
export interface Source {
  readonly consent: KeyName;
  readonly record: RecordId;
  /** undefined: not one kind of ours, so it permits nothing. */
  readonly kind: ConsentKind | undefined;
  readonly headUnderstood: boolean;
  /** Told of every node of which something is not understood. */
  misread?(node: Element): void;
}
type Action = 'access' | 'correct';

/** The criteria of one node with what it inherited. A member left out is no constraint. */
interface Node {
  readonly actors?: Actors;
  readonly purposes?: readonly string[];
  readonly actions?: readonly Action[];
  readonly during: Range;
  readonly what: What;
  /** Everything on it and above it that a permit would rest on was understood. */
  readonly understood: boolean;
}
interface Actors {
  readonly named: readonly KeyName[];
  /** Somebody among them could not be told: a denial of them is a denial of anyone. */
  readonly unresolved: boolean;
}

const always: Range = { low: earliest, high: latest };
const deepest = 3;

/** The provision tree → rows, root first. */
export function rowsOf(root: Element, source: Source): readonly Grant[] {
  return visit(root, { during: always, what: {}, understood: source.headUnderstood && source.kind !== undefined }, 0, source);
}

function visit(element: Element, parent: Node, depth: number, source: Source): readonly Grant[] {
  const effect = effectOf(element, depth, source);
  const node = inherit(element, parent, effect ?? 'permit', depth, source);
  const row = effect === undefined ? undefined : effect === 'permit' ? permitRow(node, depth, source) : denyRow(node, depth, source);
  return [...(row === undefined ? [] : [row]), ...elements(element.provision).flatMap(child => visit(child, node, depth + 1, source))];
}

/** A node without a type might deny, so it does; only the root of a Consent that is there to permit is then passed over. */
function effectOf(element: Element, depth: number, source: Source): 'permit' | 'deny' | undefined {
  if (element.type === 'permit' || element.type === 'deny') return element.type;
  return depth === 0 && source.kind !== 'restriction' ? undefined : 'deny';
}

/** A nested permit takes over all that it does not restate; a nested deny only who, why and when. Periods always intersect. */
function inherit(element: Element, parent: Node, effect: 'permit' | 'deny', depth: number, source: Source): Node {
  const { provision: _below, ...own } = element;
  if (hasModifier(own) || !source.headUnderstood) return { during: parent.during, what: {}, understood: false, actors: { named: [], unresolved: true } };
  const actors = readActors(element, effect) ?? parent.actors;
  const purposes = readPurposes(element);
  const actions = readActions(element, effect);
  const period = readPeriod(element, parent.during);
  const what = readWhat(element, effect, effect === 'permit' ? parent.what : {});
  const asked = purposes.stated ? purposes.value : parent.purposes;
  const acts = actions.stated ? actions.value : parent.actions;
  const readings = [purposes, actions, period, what];
  if (!readings.every(reading => reading.understood)) source.misread?.(element);
  return {
    during: period.value ?? parent.during,
    what: what.what,
    understood: parent.understood && readings.every(reading => reading.understood) && depth <= deepest && element.type !== undefined,
    ...(actors === undefined ? {} : { actors }),
    ...(asked === undefined ? {} : { purposes: asked }),
    ...(acts === undefined ? {} : { actions: acts }),
  };
}

function permitRow(node: Node, depth: number, source: Source): Grant | undefined {
  const { actors, actions = ['access', 'correct'] } = node;
  const someone = actors !== undefined && !actors.unresolved && actors.named.length > 0;
  if (!node.understood || source.kind === undefined || source.kind === 'restriction' || !someone || actions.length === 0) return undefined;
  return { ...shared(node, depth, source), effect: 'permit', actors: actors.named, actions, what: criteriaOf('permit', node.what, source.kind) };
}

function denyRow(node: Node, depth: number, source: Source): Grant | undefined {
  const { actors, actions = ['access'] } = node;
  if (actions.length === 0) return undefined;
  // Who may not even see a thing may not change it either.
  const denied: readonly Action[] = actions.includes('access') ? ['access', 'correct'] : actions;
  const bound = actors === undefined || actors.unresolved || actors.named.length === 0 ? 'anyone' : actors.named;
  return { ...shared(node, depth, source), effect: 'deny', actors: bound, actions: denied, what: criteriaOf('deny', node.what, source.kind) };
}

const shared = (node: Node, depth: number, { consent, record }: Source): Pick<Grant, 'consent' | 'record' | 'depth' | 'purposes' | 'during'> => ({
  consent,
  record,
  depth,
  during: node.during,
  ...(node.purposes === undefined ? {} : { purposes: node.purposes }),
});

/** undefined where the node names nobody. Who belongs to a group is not known here: a permit holds for callers known by it, a deny for anyone. */
function readActors(element: Element, effect: 'permit' | 'deny'): Actors | undefined {
  const named: KeyName[] = [];
  let unresolved = false;
  const actors = elements(element.actor);
  if (actors.length === 0) return element.actor === undefined ? undefined : { named, unresolved: true };
  for (const actor of actors) {
    const name = referenceName(actor.reference);
    const sort = name === undefined ? undefined : actorSort(name.slice(0, name.indexOf('/')));
    if (name !== undefined && (sort === 'one' || (sort === 'group' && effect === 'permit'))) named.push(name);
    // An app is nobody's hat: permitting its Device permits nobody.
    else if (sort !== 'device' || effect === 'deny') unresolved = true;
  }
  return { named, unresolved };
}

interface Reading<T> {
  /** The node says something about it. */
  readonly stated: boolean;
  /** undefined: no constraint. */
  readonly value?: T;
  readonly understood: boolean;
}
const unstated = { stated: false, understood: true } as const;
/** It narrows nothing, neither here nor in a deny below; a permit does not survive it. */
const notUnderstood = { stated: true, understood: false } as const;

function readPurposes({ purpose }: Element): Reading<readonly string[]> {
  if (purpose === undefined) return unstated;
  const found = codings(purpose);
  const known = found.flatMap(coding => (coding.system === systems.purpose && coding.code !== undefined ? [coding.code] : []));
  return known.length === found.length && known.length > 0 ? { stated: true, value: purposesOf(known), understood: true } : notUnderstood;
}

const actionCodes: Readonly<Record<string, { readonly permit: readonly Action[]; readonly deny: readonly Action[] }>> = {
  access: { permit: ['access'], deny: ['access'] },
  // "Access and Correct": who may correct may see; but to deny correcting hides nothing.
  correct: { permit: ['access', 'correct'], deny: ['correct'] },
  // What is done with data elsewhere is not asked here.
  collect: { permit: [], deny: [] },
  use: { permit: [], deny: [] },
  disclose: { permit: [], deny: [] },
};

function readActions({ action }: Element, effect: 'permit' | 'deny'): Reading<readonly Action[]> {
  if (action === undefined) return unstated;
  const concepts = elements(action).map(concept =>
    conceptCodings(concept).flatMap(({ system, code = '' }) => (system === systems.action && Object.hasOwn(actionCodes, code) ? actionCodes[code]! : [])),
  );
  if (concepts.length === 0 || concepts.some(codes => codes.length === 0)) return notUnderstood;
  return { stated: true, value: [...new Set(concepts.flat().flatMap(codes => codes[effect]))], understood: true };
}

function readPeriod({ period }: Element, within: Range): Reading<Range> {
  if (period === undefined) return unstated;
  const range = readRange(period);
  if (range === undefined) return notUnderstood;
  return { stated: true, value: { low: Math.max(range.low, within.low), high: Math.min(range.high, within.high) }, understood: true };
}
