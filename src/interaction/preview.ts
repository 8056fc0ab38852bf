import { actorCaller } from '../access/actor.ts';
import type { Caller } from '../access/caller.ts';
import { actorsOf, grantsOf, kindOf } from '../access/consent.ts';
import { decide } from '../access/decide.ts';
import { recordKindOf } from '../access/record.ts';
import { askOf, ofRecord } from '../access/rules/demands.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import { localReferences } from '../fhir/reference.ts';
import { type Instant, type KeyName, nameOf, type Resource, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { LoadedGrant } from '../search/grant.ts';
import { granted } from '../search/granted.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import { matches } from '../search/match.ts';
import { queryOf } from '../search/query.ts';
import type { ResourceReader } from '../store/store.ts';
import { breathe } from './breathe.ts';
import type { Answer, Given, ReadInteraction, ReadPlan } from './interaction.ts';
import { indexedOf } from './narrow.ts';
import { keyOfName } from './overlay.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import type { Parts } from './parts.ts';
import { namedTypes, openPeople } from './people.ts';
import { notFound } from './read.ts';
import { nothingKnown } from './reading.ts';
import { isTold } from './who-can-see.ts';

type Needed = Pick<Parts, 'store' | 'rulesFor'>;
interface PreviewPlan extends ReadPlan {
  readonly key: ResourceKey;
}
/** What is about permissions is no content. */
const left: readonly ResourceType[] = ['Consent', 'AuditEvent'];
const content = [...resourceTypes].filter(type => !left.includes(type) && ['self', 'subject', 'shared'].includes(recordKindOf(type).kind)).sort();
const PAGE = 500;
const SECONDS = 15;

/**
 * `Consent/[id]/$preview` (ACCESS §6, Explain): what those whom a Consent names would see of the record, were it in force. Each resource is held against the
 * same rules as when they ask themselves. It counts through the caller's own reader, so that nobody learns more than they may see.
 */
export const preview = (parts: Needed): ReadInteraction<PreviewPlan> => ({
  code: 'preview',
  effect: 'read',
  plan: ({ path: [type = '', id = ''] }) => ({
    action: 'read',
    types: ['Consent'],
    key: { type, id },
    alsoNeeds: [],
    alsoBrings: [...new Set([...content, ...namedTypes])],
  }),
  answer: (plan, reader, given) => answerPreview(plan, reader, given, parts),
});

async function answerPreview({ key }: PreviewPlan, reader: ResourceReader, { now, caller }: Given, parts: Needed): Promise<Answer> {
  const version = await reader.read(key);
  if (version === undefined || version.deleted) throw notFound(key);
  const consent = version.parsed();
  const [record, ...others] = version.facets.records;
  const whole = record !== undefined && isTold(caller, record);
  const people = openPeople(reader);
  const views = record === undefined || others.length > 0 ? [] : await viewsOf(consent, record, now, whole ? undefined : caller, parts);
  const counts = record === undefined || views.length === 0 ? new Map() : await countAll(record, views, reader);
  const entries: Parameter[] = [];
  for (const view of views)
    entries.push({
      name: 'actor',
      part: [
        ...(view.actor === undefined ? [] : [{ name: 'actor', valueReference: await people.refer(view.actor) }]),
        ...numbersOf(counts.get(view) ?? new Map(), whole),
      ],
    });
  const resource = parametersOf([
    { name: 'consent', valueReference: { reference: nameOf(key) } },
    { name: 'version', valueId: version.versionId },
    { name: 'at', valueInstant: views[0]?.at ?? now },
    ...entries,
  ]);
  return { status: 200, body: { resource }, shows: [version] };
}

/** One whom the Consent names, and what would be seen by it. */
interface View {
  /** Absent: everybody. */
  readonly actor?: KeyName;
  readonly at: Instant;
  sees(type: ResourceType): (indexed: Indexed) => boolean;
}

/** `only`: whose own view is told, besides nobody's; undefined: everybody's. */
async function viewsOf(consent: Resource, record: RecordId, now: Instant, only: Caller | undefined, parts: Needed): Promise<readonly View[]> {
  const mine = await loaded(grantsOf({ ...consent, status: 'active' }, record), parts);
  const restricts = kindOf(consent) === 'restriction';
  if (mine.length === 0 || (restricts && only !== undefined)) return [];
  const at = momentOf(mine, now);
  const named = actorsOf(consent).filter(actor => only === undefined || only.actors.includes(actor));
  if (restricts && mine.some(row => row.actors === 'anyone')) return [{ at, sees: () => indexed => !denies(mine, undefined, at)(indexed) }];
  const views: View[] = [];
  for (const actor of named) {
    const who = actorCaller(actor, record);
    if (restricts) {
      views.push({ actor, at, sees: () => indexed => !denies(mine, who, at)(indexed) });
      continue;
    }
    const standing = await parts.store.grants([record], [actor]);
    const everything = [...mine, ...standing.filter(row => row.consent !== mine[0]!.consent)];
    views.push({ actor, at, sees: type => (who === undefined ? () => false : permits(who, type, at, mine, everything, parts)) });
  }
  return views;
}

/** What the rules leave to the caller: permitted by this Consent (or without any), and denied by none. */
function permits(caller: Caller, type: ResourceType, at: Instant, mine: readonly LoadedGrant[], everything: readonly LoadedGrant[], { rulesFor }: Needed) {
  const decision = decide({ caller, action: 'search', type, at }, { grants: mine, grantEpoch: caller.grantEpoch, known: nothingKnown }, rulesFor(type));
  if (decision.effect === 'deny') return () => false;
  return (indexed: Indexed): boolean => matches(decision.only, indexed, mine) && matches(decision.only, indexed, everything);
}

/** Denials do not touch what an organization contributed itself. */
function denies(mine: readonly LoadedGrant[], caller: Caller | undefined, at: Instant) {
  const ask = askOf({ caller: caller ?? ({ actors: [], purpose: 'TREAT' } as unknown as Caller), action: 'search', type: 'Consent', at });
  return (indexed: Indexed): boolean => {
    const { origin } = indexed.facets;
    return granted('deny', ask, indexed, mine) && !(origin.kind === 'organization' && origin.by === caller?.organization);
  };
}

/** Grants with what their `related` names refer to now. */
async function loaded(rows: ReturnType<typeof grantsOf>, { store }: Needed): Promise<readonly LoadedGrant[]> {
  return Promise.all(
    rows.map(async row => {
      const named = row.what.data?.related ?? [];
      if (named.length === 0) return row;
      const versions = await store.readMany(named.map(keyOfName));
      const referred = versions.filter(version => !version.deleted).flatMap(version => localReferences(version.parsed()));
      return { ...row, relatedTo: [...new Set([...named, ...referred])] };
    }),
  );
}

/** Now, or where all that it says has yet to begin, then; or was over, at its end. */
function momentOf(rows: readonly LoadedGrant[], now: Instant): Instant {
  const at = Date.parse(now);
  const low = Math.min(...rows.map(row => row.during.low));
  const high = Math.max(...rows.map(row => row.during.high));
  return at < low ? new Date(low).toISOString() : at > high ? new Date(high).toISOString() : now;
}

interface Count {
  visible: number;
  hidden: number;
}
type Counts = Map<ResourceType, Count>;

async function countAll(record: RecordId, views: readonly View[], reader: ResourceReader): Promise<ReadonlyMap<View, Counts>> {
  const end = performance.now() + SECONDS * 1000;
  const counts = new Map(views.map(view => [view, new Map() as Counts]));
  for (const type of content) {
    const query = queryOf(type, ofRecord(record), PAGE);
    const tests = views.map(view => [counts.get(view)!, view.sees(type)] as const);
    for (let page = await reader.search(query); ; page = await reader.search({ ...query, from: page.next })) {
      for (const version of page.versions) {
        const indexed = indexedOf(version);
        for (const [of, sees] of tests) {
          const count = of.get(type) ?? { visible: 0, hidden: 0 };
          of.set(type, count);
          count[sees(indexed) ? 'visible' : 'hidden']++;
        }
      }
      await breathe();
      if (performance.now() > end) throw new Problem('too-costly', `the preview of this record takes longer than ${SECONDS} seconds`);
      if (page.next === undefined) break;
    }
  }
  return counts;
}

/** What is hidden is told to the patient alone. */
function numbersOf(counts: Counts, whole: boolean): readonly Parameter[] {
  const told = ({ visible, hidden }: Count): readonly Parameter[] => [
    { name: 'visible', valueUnsignedInt: visible },
    ...(whole ? [{ name: 'hidden', valueUnsignedInt: hidden }] : []),
  ];
  const all = [...counts.values()];
  const sum = { visible: all.reduce((n, one) => n + one.visible, 0), hidden: all.reduce((n, one) => n + one.hidden, 0) };
  const types = [...counts].filter(([, { visible }]) => whole || visible > 0);
  return [...told(sum), ...types.map(([type, count]) => ({ name: 'type', part: [{ name: 'type', valueCode: type }, ...told(count)] }))];
}
