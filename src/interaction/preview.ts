import { grantsOf } from '../access/consent.ts';
import { type View, viewsOf } from '../access/preview.ts';
import { recordKindOf } from '../access/record.ts';
import { ofRecord } from '../access/rules/demands.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import { localReferences } from '../fhir/reference.ts';
import { type KeyName, nameOf, type Resource, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { Grant, LoadedGrant } from '../search/grant.ts';
import type { RecordId } from '../search/indexed.ts';
import { and, queryOf } from '../search/query.ts';
import type { ResourceReader } from '../store/store.ts';
import { breathe } from './breathe.ts';
import type { Answer, Given, ReadInteraction, ReadPlan } from './interaction.ts';
import { indexedOf } from './narrow.ts';
import { keyOfName } from './overlay.ts';
import { type Parameter, parametersOf } from './parameters.ts';
import type { Parts } from './parts.ts';
import { namedTypes, openPeople } from './people.ts';
import { notFound } from './read.ts';
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
 * `Consent/[id]/$preview` (ACCESS §6, Explain): what those whom a Consent names would see of the record, were it in force. It counts through the caller's own
 * reader, so that nobody learns more than they may see; and others than the patient hear of themselves only, since a restriction may be behind a number.
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
  const [record, ...others] = version.facets.records;
  const whole = record !== undefined && isTold(caller, record);
  const foreseen = record === undefined || others.length > 0 ? [] : await foresee(version.parsed(), record, now, parts);
  const views = foreseen.filter(({ actor }) => whole || (actor !== undefined && caller.actors.includes(actor)));
  const people = openPeople(reader);
  const entries: Parameter[] = [];
  const counts = views.length === 0 ? new Map<View, Counts>() : await countAll(record!, views, reader);
  for (const [view, of] of counts) {
    const actor = view.actor === undefined ? [] : [{ name: 'actor', valueReference: await people.refer(view.actor) }];
    entries.push({ name: 'actor', part: [...actor, ...numbersOf(of, whole)] });
  }
  const resource = parametersOf([
    { name: 'consent', valueReference: { reference: nameOf(key) } },
    { name: 'version', valueId: version.versionId },
    { name: 'at', valueInstant: views[0]?.at ?? now },
    ...entries,
  ]);
  return { status: 200, body: { resource }, shows: [version] };
}

async function foresee(consent: Resource, record: RecordId, now: string, { store, rulesFor }: Needed): Promise<readonly View[]> {
  const mine = await loaded(grantsOf({ ...consent, status: 'active' }, record), { store });
  const actors = [...new Set(mine.flatMap(row => (row.actors === 'anyone' ? [] : row.actors)))];
  const standing = new Map<KeyName, readonly LoadedGrant[]>();
  for (const actor of actors) standing.set(actor, await store.grants([record], [actor]));
  return viewsOf({ consent, record, mine, standing: actor => standing.get(actor) ?? [], now, rulesFor });
}

/** Rows as the store would load them: with what their `related` names refer to now. */
const loaded = (rows: readonly Grant[], { store }: Pick<Parts, 'store'>): Promise<readonly LoadedGrant[]> =>
  Promise.all(
    rows.map(async row => {
      const named = row.what.data?.related ?? [];
      if (named.length === 0) return row;
      const versions = await store.readMany(named.map(keyOfName));
      const referred = versions.filter(version => !version.deleted).flatMap(version => localReferences(version.parsed()));
      return { ...row, relatedTo: [...new Set([...named, ...referred])] };
    }),
  );

type Counts = Map<ResourceType, { readonly visible: number; readonly hidden: number }>;

async function countAll(record: RecordId, views: readonly View[], given: ResourceReader): Promise<ReadonlyMap<View, Counts>> {
  const end = performance.now() + SECONDS * 1000;
  const inTime = async <T>(ask: () => Promise<T>): Promise<T> => {
    await breathe();
    if (performance.now() > end) throw new Problem('too-costly', `the preview of this record takes longer than ${SECONDS} seconds`);
    return ask();
  };
  const reader = { count: (query: Query) => inTime(() => given.count(query)), search: (query: Query) => inTime(() => given.search(query)) };
  const counts = new Map(views.map(view => [view, new Map() as Counts]));
  for (const type of content) {
    const total = await reader.count(queryOf(type, ofRecord(record), PAGE));
    if (total === 0) continue;
    for (const [view, of] of counts) {
      const visible = await countSeen(view, type, record, reader);
      of.set(type, { visible, hidden: total - visible });
    }
  }
  return counts;
}
type Query = Parameters<ResourceReader['count']>[0];

async function countSeen(view: View, type: ResourceType, record: RecordId, reader: Pick<ResourceReader, 'count' | 'search'>): Promise<number> {
  const { where, exact, sees } = view.of(type);
  const query = queryOf(type, and(ofRecord(record), where), PAGE);
  if (where.op === 'none') return 0;
  if (exact) return reader.count(query);
  let visible = 0;
  for (let page = await reader.search(query); ; page = await reader.search({ ...query, from: page.next })) {
    visible += page.versions.filter(version => sees(indexedOf(version))).length;
    if (page.next === undefined) return visible;
  }
}

/** What is hidden is told to the patient alone. */
function numbersOf(counts: Counts, whole: boolean): readonly Parameter[] {
  const told = ({ visible, hidden }: { readonly visible: number; readonly hidden: number }): readonly Parameter[] => [
    { name: 'visible', valueUnsignedInt: visible },
    ...(whole ? [{ name: 'hidden', valueUnsignedInt: hidden }] : []),
  ];
  const all = [...counts.values()];
  const sum = { visible: all.reduce((n, one) => n + one.visible, 0), hidden: all.reduce((n, one) => n + one.hidden, 0) };
  const types = [...counts].filter(([, { visible }]) => whole || visible > 0);
  return [...told(sum), ...types.map(([type, count]) => ({ name: 'type', part: [{ name: 'type', valueCode: type }, ...told(count)] }))];
}
