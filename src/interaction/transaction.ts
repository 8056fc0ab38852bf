import { Problem } from '../fhir/problem.ts';
import { references, rewriteReferences } from '../fhir/reference.ts';
import { nameOf, type Resource, type ResourceKey } from '../fhir/types.ts';
import type { SearchQuery } from '../search/query.ts';
import { type BundleEntry, entryOutcome, inEntry, locate } from './bundle-entry.ts';
import { criterionName, draftCreate, type ReadCriteria } from './create.ts';
import type { Draft, Entry, Found, Overlay, WriteInteraction, WritePlan } from './interaction.ts';

interface Step {
  /** Its place in the Bundle. */
  readonly index: number;
  readonly entry: BundleEntry;
  readonly key: ResourceKey;
  readonly criterion?: string;
}
interface TransactionPlan extends WritePlan {
  /** DELETE, POST, PUT: the order of http://hl7.org/fhir/R4/http.html#trules */
  readonly steps: readonly Step[];
  readonly size: number;
}
const order = ['DELETE', 'POST', 'PUT'];
/** Searches of one transaction at most, for its conditional creates and references. */
const MAX_CRITERIA = 2000;

/** http://hl7.org/fhir/R4/http.html#transaction – the writes of it, in one commit. Reads are answered after it (bundle.ts). */
export const transaction = (readCriteria: ReadCriteria, base: () => string): WriteInteraction<TransactionPlan> => ({
  code: 'transaction',
  effect: 'write',
  plan({ body }, given) {
    const entries = body as readonly BundleEntry[];
    const criteria = new Map<string, SearchQuery>();
    const steps: Step[] = [];
    const taken = new Map<string, number>();
    for (const [index, entry] of entries.entries()) {
      if (entry.method === 'GET') continue;
      const key = entry.method === 'POST' ? { type: entry.path[0]!, id: given.newId() } : { type: entry.path[0]!, id: entry.path[1]! };
      const criterion = entry.headers['if-none-exist'];
      const name = criterion === undefined ? nameOf(key) : criterionName(key.type, criterion);
      for (const identity of entry.fullUrl === undefined ? [name] : new Set([name, entry.fullUrl])) {
        const other = taken.get(identity);
        if (other !== undefined) throw overlap(other, index, identity);
        taken.set(identity, index);
      }
      if (criterion !== undefined) locate(index, () => criteria.set(name, readCriteria(key.type, criterion)));
      if (entry.resource !== undefined)
        for (const name of conditionalReferences(entry.resource)) locate(index, () => criteria.set(name, readReference(name, readCriteria)));
      if (criteria.size > MAX_CRITERIA)
        throw new Problem('too-costly', `the transaction has more than ${MAX_CRITERIA} conditions to search for`, { expression: `Bundle.entry[${index}]` });
      steps.push({ index, entry, key, ...(criterion === undefined ? {} : { criterion: name }) });
    }
    steps.sort((a, b) => order.indexOf(a.entry.method) - order.indexOf(b.entry.method));
    return { keys: steps.filter(step => step.entry.method !== 'POST').map(step => step.key), criteria, steps, size: entries.length };
  },
  drafts({ steps, criteria }, current, found) {
    const names = namesOf(steps, found);
    const drafts = steps.map(step =>
      locate(step.index, () => draftStep(step, text => names.get(text) ?? findReference(text, criteria, found), current, found)),
    );
    refuseOverlap(steps, drafts);
    return drafts;
  },
  tell: ({ steps }, place, error) => inEntry(steps[place]!.index, error),
  answer({ steps, size }, made, drafts, readable) {
    const entries: Entry[] = Array.from({ length: size }, () => ({}));
    for (const [place, step] of steps.entries()) entries[step.index] = entryOutcome(made[place]!, drafts[place]!, readable[place] === true, base());
    return { status: 200, body: { bundle: { type: 'transaction-response' }, entries }, shows: made };
  },
});

const overlap = (one: number, other: number, name: string): Problem =>
  new Problem('invalid', `entries ${Math.min(one, other)} and ${Math.max(one, other)} are about the same resource, \`${name.slice(0, 120)}\``, {
    expression: `Bundle.entry[${Math.max(one, other)}]`,
  });

/** What a conditional create finds must not be changed by another entry: whether it is still found would depend on their order. */
function refuseOverlap(steps: readonly Step[], drafts: readonly Draft[]): void {
  const written = new Map(drafts.flatMap((draft, place) => (draft.op === 'found' ? [] : [[nameOf(draft.key), steps[place]!.index]])));
  for (const [place, draft] of drafts.entries()) {
    const other = draft.op === 'found' ? written.get(nameOf(draft.key)) : undefined;
    if (other !== undefined) throw overlap(other, steps[place]!.index, nameOf(draft.key));
  }
}

function draftStep({ entry, key, criterion }: Step, rename: (text: string) => string | undefined, current: Overlay, found: Found): Draft {
  const ifMatch = entry.ifMatch === undefined ? {} : { ifMatch: entry.ifMatch };
  if (entry.method === 'DELETE') return { op: 'delete', key, ...ifMatch };
  const resource = rewriteReferences(entry.resource!, rename);
  if (entry.method === 'POST') return draftCreate(key, resource, criterion, found);
  return { op: 'put', action: current(key) === undefined ? 'create' : 'update', key, resource, chosen: true, ...ifMatch };
}

/** fullUrl → the name that the resource has here. */
function namesOf(steps: readonly Step[], found: Found): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { entry, key, criterion } of steps) {
    if (entry.fullUrl === undefined) continue;
    const match = criterion === undefined ? undefined : found.get(criterion)?.[0];
    const name = nameOf(match ?? key);
    if (entry.fullUrl !== name) names.set(entry.fullUrl, name);
  }
  return names;
}

/** `Practitioner?identifier=…`: a reference by criterion, allowed in transactions only. */
const conditionalReferences = (resource: Resource): readonly string[] =>
  references(resource)
    .map(one => one.reference.reference ?? '')
    .filter(text => /^[A-Z][A-Za-z]+\?/.test(text));

function readReference(text: string, readCriteria: ReadCriteria): SearchQuery {
  const mark = text.indexOf('?');
  return readCriteria(text.slice(0, mark), text.slice(mark + 1));
}

function findReference(text: string, criteria: ReadonlyMap<string, SearchQuery>, found: Found): string | undefined {
  if (!criteria.has(text) || !/^[A-Z][A-Za-z]+\?/.test(text)) return undefined;
  const matches = found.get(text) ?? [];
  if (matches.length !== 1)
    throw new Problem('multiple-matches', `the conditional reference \`${text}\` matches ${matches.length === 0 ? 'nothing' : 'more than one resource'}`);
  return nameOf(matches[0]!);
}
