import type { Caller } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { spreads } from '../access/facets.ts';
import { policyOf } from '../access/policies/index.ts';
import { isRecord } from '../access/record.ts';
import { Problem } from '../fhir/problem.ts';
import { rewriteReferences } from '../fhir/reference.ts';
import { nameOf, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { SearchQuery } from '../search/query.ts';
import type { Change, Committed, Version } from '../store/store.ts';
import { breathe } from './breathe.ts';
import type { Answer, Draft, FhirRequest, Found, WriteInteraction } from './interaction.ts';
import { checkMatch, type Intent, type Judged, judge } from './judge.ts';
import { indexedOf } from './narrow.ts';
import { layOver, lookups, originOf, type StampOverlay } from './overlay.ts';
import { provenanceOf } from './provenance.ts';
import { findFor, type Journey, lastLive } from './reading.ts';
import { lend, restamps } from './restamp.ts';
import { viewOf } from './view.ts';

/** What the commit said, where somebody else was quicker: the request begins anew. */
export const OUTRUN = Symbol('outrun');

/** plan → facts → decide → one commit, the log's lines in it. OUTRUN where what was decided on has changed meanwhile. */
export async function writeRoad(interaction: WriteInteraction, request: FhirRequest, journey: Journey): Promise<Answer | typeof OUTRUN> {
  const { parts, given } = journey;
  const plan = interaction.plan(request, given);
  const overlay = layOver(parts.store, Date.parse(given.now));
  await overlay.load(plan.keys);
  const { found, queries, reasons } = await findAll(journey, plan.criteria);
  const drafts = interaction.drafts(plan, key => live(overlay.stored(key)), found).map(draft => relative(draft, parts.base()));
  await overlay.load(drafts.flatMap(draft => (draft.op === 'put' ? [draft.key, ...lookups(draft.resource)] : [draft.key])));
  layDrafts(drafts, overlay, journey);

  const judged = new Map<Draft, Judged>();
  const tell = (draft: Draft, error: unknown): unknown => interaction.tell?.(plan, drafts.indexOf(draft), error) ?? error;
  for (const draft of drafts) {
    await breathe();
    const one = await judgeDraft(journey, overlay, draft).catch(error => {
      throw tell(draft, error);
    });
    if (one !== undefined) judged.set(draft, one);
  }
  const writes = drafts.flatMap(draft => (judged.has(draft) && draft.op !== 'found' ? [{ draft, one: judged.get(draft)! }] : []));
  const written = new Set(writes.map(({ one }) => nameOf(one.key)));
  const spreading = writes.flatMap(({ draft, one }) =>
    one.after !== undefined && mayBeCited(draft, one) && spreads(one.before?.facets, one.after.facets)
      ? [{ key: one.key, after: one.after, created: one.before === undefined }]
      : [],
  );
  const joining = await lend(
    overlay,
    writes.flatMap(({ one }) => one.after ?? []),
  );
  const lent = joining.filter(change => 'key' in change && !written.has(nameOf(change.key)));
  const stamped = await restamps(parts.store, overlay, spreading);
  const changes: Change[] = [
    ...journey.consents.expectations(),
    ...stamped.holds,
    ...drafts.flatMap(draft =>
      draft.op === 'put' && draft.unless !== undefined ? [{ op: 'when' as const, query: queries.get(draft.unless)!, matches: [] }] : [],
    ),
    ...writes.flatMap(({ one }) => one.conditions),
    ...writes.map(({ draft, one }) => changeOf(draft, one, overlay)),
    ...writes.flatMap(({ one }) => policyOf(one.key.type).grants?.(one.after) ?? []),
    ...stamped.changes,
    ...lent.filter(change => !stamped.changes.some(other => 'key' in change && 'key' in other && nameOf(change.key) === nameOf(other.key))),
    ...writes.flatMap(({ one }) => record(journey, overlay, one)),
    ...writes.flatMap(({ one }) => logLines(journey, overlay, one)),
    ...drafts.flatMap(draft => (draft.op === 'found' ? logFound(journey, overlay.stored(draft.key), reasons) : [])),
    ...(plan.also ?? []),
  ];
  // What the facets were computed from must still be so, and what was not there still absent; a Patient is looked at for being there only.
  for (const version of overlay.used())
    if (!isRecord(version.key.type) && !written.has(nameOf(version.key)))
      changes.unshift({ op: 'expect', key: version.key, expect: { versionId: version.versionId, facets: version.facets } });
  for (const key of overlay.missed()) if (!written.has(nameOf(key))) changes.unshift({ op: 'expect', key, expect: 'absent' });

  const committed = await parts.store.commit(changes, given.now);
  if (!committed.ok) return outrun(committed, changes, drafts, tell);
  return answer(interaction, plan, drafts, judged, committed.made, overlay);
}

/** A resource under an id that the server has just made is cited by nobody. */
const mayBeCited = (draft: Draft, one: Judged): boolean => one.before !== undefined || (draft.op === 'put' && draft.chosen === true);

const live = (version: Version | undefined): Version | undefined => (version?.deleted ? undefined : version);

/** Each criterion's matches for this caller, and its query as narrowed, to be held again in the commit. */
async function findAll(
  journey: Journey,
  criteria: ReadonlyMap<string, SearchQuery>,
): Promise<{ readonly found: Found; readonly queries: ReadonlyMap<string, SearchQuery>; readonly reasons: readonly Reason[] }> {
  const found = new Map<string, readonly ResourceKey[]>();
  const queries = new Map<string, SearchQuery>();
  const reasons: Reason[] = [];
  for (const [name, query] of criteria) {
    const asked = await findFor(journey, query);
    found.set(name, asked.keys);
    queries.set(name, asked.narrowed);
    reasons.push(...asked.reasons);
  }
  return { found, queries, reasons };
}

/** References to this server by its whole address become relative, so that nothing is told by its address and missed by its name. */
function relative(draft: Draft, base: string): Draft {
  if (draft.op !== 'put') return draft;
  const resource = rewriteReferences(draft.resource, text => (text.startsWith(`${base}/`) ? text.slice(base.length + 1) : undefined));
  return resource === draft.resource ? draft : { ...draft, resource };
}

/** All that is intended first, so that one may refer to another, and to nothing that goes, whatever their order. */
function layDrafts(drafts: readonly Draft[], overlay: StampOverlay, { caller }: Journey): void {
  for (const draft of drafts) {
    if (draft.op === 'put') overlay.lay(draft.key, draft.resource, overlay.stored(draft.key)?.facets.origin ?? originOf(caller));
    if (draft.op === 'delete') overlay.bury(draft.key);
  }
}

async function judgeDraft(journey: Journey, overlay: StampOverlay, draft: Draft): Promise<Judged | undefined> {
  const { parts, caller } = journey;
  const stored = overlay.stored(draft.key);
  const before = await lastLive(stored, parts);
  const intent: Intent = {
    key: draft.key,
    resource: draft.op === 'put' ? draft.resource : undefined,
    before: before === undefined ? undefined : indexedOf(before),
    creates: draft.op === 'put' && (draft.chosen !== true || mayChooseIds(caller, draft.key.type)),
    conditional: draft.op === 'found' || (draft.op === 'put' && draft.unless !== undefined),
  };
  if (draft.op === 'found') return undefined;
  const one = await judge(journey, overlay, intent);
  checkMatch(draft.ifMatch, stored);
  // Deleting what is deleted is done already.
  return draft.op === 'delete' && stored?.deleted ? undefined : one;
}

/** A client may choose an id only where it is a system that keeps its own. */
const mayChooseIds = (caller: Caller, type: ResourceType): boolean => caller.kind === 'server' || (caller.kind === 'system' && !policyOf(type).noChosenIds);

const versionAfter = (overlay: StampOverlay, key: ResourceKey): string => String(Number(overlay.stored(key)?.versionId ?? 0) + 1);

function changeOf(draft: Draft, { key, after }: Judged, overlay: StampOverlay): Change {
  const seen = overlay.stored(key);
  const expect = seen === undefined ? 'absent' : { versionId: seen.versionId, facets: seen.facets };
  if (draft.op === 'delete' || after === undefined) return { op: 'delete', key, expect };
  return { op: 'put', key, ...overlay.after(key), expect };
}

/** The Provenance of one write, in the same commit. */
function record({ parts, caller, given }: Journey, overlay: StampOverlay, one: Judged): readonly Change[] {
  if (!parts.provenance || policyOf(one.key.type).unattributed) return [];
  const key = { type: 'Provenance', id: given.newId() };
  const resource = provenanceOf(key.id, one.key, versionAfter(overlay, one.key), one.action, caller, one.reasons, given.now);
  overlay.lay(key, resource, originOf(caller));
  const { facets } = overlay.after(key);
  return [{ op: 'put', key, resource, facets, expect: 'absent' }];
}

function logLines({ log }: Journey, overlay: StampOverlay, { key, action, before, after, reasons }: Judged): readonly Change[] {
  const target = { ...key, versionId: versionAfter(overlay, key) };
  const stays = (after ?? before)!.facets;
  const left = (before?.facets.records ?? []).filter(record => !stays.records.includes(record));
  // A misfiled entry that is moved is in the log of the record that it leaves too, without what permits it in the other.
  const leaving = left.length === 0 ? [] : log.wrote(action, target, { ...before!.facets, records: left }, []);
  return [...log.wrote(action, target, stays, reasons), ...leaving];
}

/** What a conditional create finds is answered, and so has been read. */
function logFound({ log }: Journey, version: Version | undefined, reasons: readonly Reason[]): readonly Change[] {
  return version === undefined ? [] : log.wrote('read', { ...version.key, versionId: version.versionId }, version.facets, reasons);
}

/** A failed expectation: of the client's own If-Match it is told, of anything else the request begins anew. */
function outrun(
  committed: Extract<Committed, { ok: false }>,
  changes: readonly Change[],
  drafts: readonly Draft[],
  tell: (draft: Draft, error: unknown) => unknown,
): typeof OUTRUN {
  const failed = changes[committed.at];
  const draft = failed !== undefined && 'key' in failed ? drafts.find(one => nameOf(one.key) === nameOf(failed.key)) : undefined;
  if (committed.why === 'version' && draft !== undefined && draft.op !== 'found' && draft.ifMatch !== undefined && draft.ifMatch !== '*') {
    throw tell(draft, new Problem('version-changed', `${nameOf(draft.key)} is no longer at version ${draft.ifMatch}`));
  }
  // It will not go away, however often it is tried.
  if (committed.why === 'document') throw new Problem('conflict', 'what belongs to this has been made already');
  return OUTRUN;
}

async function answer(
  interaction: WriteInteraction,
  plan: Parameters<WriteInteraction['answer']>[0],
  drafts: readonly Draft[],
  judged: ReadonlyMap<Draft, Judged>,
  made: readonly Version[],
  overlay: StampOverlay,
): Promise<Answer> {
  const versions = new Map(made.map(version => [nameOf(version.key), version]));
  await overlay.load(drafts.map(draft => draft.key));
  const shown = drafts.map(draft => versions.get(nameOf(draft.key)) ?? overlay.stored(draft.key));
  if (shown.includes(undefined)) throw new Problem('exception', 'a version that was written cannot be found');
  return interaction.answer(
    plan,
    shown.map(version => viewOf(version!)),
    drafts,
    drafts.map(draft => draft.op === 'found' || judged.get(draft)?.readable === true),
  );
}
