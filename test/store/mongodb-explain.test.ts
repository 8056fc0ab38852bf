import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { nameOf } from '../../src/fhir/types.ts';
import { parseSearch } from '../../src/search/parse.ts';
import { and, not, type Predicate, type SearchQuery } from '../../src/search/query.ts';
import { type Far, farOf } from '../../src/store/mongodb/far.ts';
import { pagePipeline } from '../../src/store/mongodb/query.ts';
import type { Change, ResourceStore } from '../../src/store/store.ts';
import { at, put, some, token } from '../contract/world.ts';
import { openScratch, registry, scratchStore } from '../engine.ts';

/** Enough for a plan to matter. */
const PATIENTS = 40;
const EACH = 25;
let store: ResourceStore;
let client: MongoClient;

beforeAll(async () => {
  const address = scratchStore();
  store = await openScratch(address);
  client = new MongoClient(address);
  for (let patient = 0; patient < PATIENTS; patient++) {
    const subject = { reference: `Patient/p${patient}` };
    const records = { records: [`Patient/p${patient}`] as const };
    const changes: Change[] = [
      put(`Patient/p${patient}`, { name: [{ family: `Berg${patient}` }], identifier: [{ system: 'http://mrn', value: String(patient) }] }, 'any', records),
      put(`Location/l${patient}`, { position: { latitude: patient, longitude: 2 * patient } }, 'any', records),
    ];
    for (let n = 0; n < EACH; n++) {
      const date = `2024-${String(1 + (n % 12)).padStart(2, '0')}-01`;
      const code = { coding: [{ system: 'http://loinc.org', code: `c${n}` }] };
      const valueQuantity = { value: patient + n / 100, unit: 'mg' };
      changes.push(
        put(`Observation/o${patient}-${n}`, { status: 'final', code, subject, effectiveDateTime: date, valueQuantity }, 'any', records),
        put(`MedicationStatement/m${patient}-${n}`, { status: 'active', medicationCodeableConcept: code, subject, effectiveDateTime: date }, 'any', records),
      );
    }
    expect(await store.commit(changes, at(patient))).toMatchObject({ ok: true });
  }
}, 120_000);
afterAll(async () => {
  await store.close();
  await client.close();
});

interface Plan {
  readonly [member: string]: unknown;
}
/** Everything in an explanation that has a stage: each server nests them in its own way. */
function stagesIn(explained: unknown): readonly Plan[] {
  if (typeof explained !== 'object' || explained === null) return [];
  const own = 'stage' in explained ? [explained as Plan] : [];
  return [...own, ...Object.values(explained).flatMap(stagesIn)];
}
const ALL = PATIENTS * (2 + 2 * EACH);
/** A walk through a whole collection: as MongoDB says it, or as a server that calls it a scan of `_id_`. */
const isWalk = ({ stage, indexName, nReturned, totalDocsExamined, totalDocsRemovedByRuntimeFilter }: Plan): boolean =>
  stage === 'COLLSCAN' ||
  (stage === 'IXSCAN' && indexName === '_id_' && [nReturned, totalDocsExamined, totalDocsRemovedByRuntimeFilter].some(docs => Number(docs) >= ALL));

const asked = (query: SearchQuery, far?: Far) =>
  client
    .db()
    .collection<{ _id: string }>('resource')
    .aggregate<{ _id: string }>([...pagePipeline(query, far)]);
const planOf = async (query: SearchQuery, far?: Far): Promise<readonly Plan[]> => stagesIn(await asked(query, far).explain('executionStats'));
const context = { registry, base: 'http://localhost/fhir', now: Date.parse(at(0)), lenient: false, defaultCount: 20, maxCount: 100 };
function queryOf(text: string): SearchQuery {
  const [type = '', query = ''] = text.split('?');
  return parseSearch({ type }, [...new URLSearchParams(query)], context).query;
}

/** What a SMART app and an EHR ask. */
const searches = [
  'Patient?_id=p1',
  'Patient?identifier=http://mrn|7',
  'Patient?name=berg1',
  'Patient?family:exact=Berg1',
  'MedicationStatement?patient=Patient/p3',
  'MedicationStatement?patient=p3&status=active',
  'MedicationStatement?subject=Patient/p3&_sort=-effective&_count=5',
  'Observation?patient=p3&code=http://loinc.org|c4',
  'Observation?patient=p3&date=ge2024-03&date=lt2024-06',
  'Observation?patient=p3&_sort=-date',
  'Observation?code=c4&_lastUpdated=gt2020',
  'Observation?date=2024-03',
  'Observation?value-quantity=gt38||mg',
  'Observation?value-quantity=7.04',
  'Observation?value-quantity=7.04&_sort=value-quantity',
  'Observation?code-value-quantity=http://loinc.org|c4$gt38',
  'Patient?_content=berg7',
  'Location?near=7|14|10|km',
  'Patient?_profile:below=http://p/7',
  'Observation?patient.name=berg1',
  'Observation?_sort=_lastUpdated',
  'Observation',
];
/** Kept as text beside this file (KINDRED_TEST_EXPLAIN=write), not compared: each server has words of its own. */
const plans: string[] = [];
const keep = (text: string, stages: readonly Plan[]): number =>
  plans.push([text, ...stages.map(({ stage, indexName }) => `    ${stage}${indexName === undefined ? '' : ` ${indexName}`}`)].join('\n'));
afterAll(() => {
  if (process.env.KINDRED_TEST_EXPLAIN === 'write') writeFileSync(new URL('./mongodb-explain.txt', import.meta.url), `${plans.join('\n\n')}\n`);
});

test.each(searches)('%s walks through no collection', async text => {
  const stages = await planOf(queryOf(text));
  keep(text, stages);
  expect(stages.map(one => one.stage)).toContain('IXSCAN');
  expect(stages.filter(isWalk)).toEqual([]);
});

/** Links whose far end an index finds. */
const linked = [
  'Observation?patient.identifier=http://mrn|7',
  'MedicationStatement?subject:Patient.name=berg1&_sort=-effective&_count=5',
  'Observation?patient.name=berg7&patient.identifier=http://mrn|7',
  'Observation?patient.identifier=http://mrn|7&code=c4&patient:Patient._has:MedicationStatement:patient:code=c4',
  'Patient?_has:Observation:patient:code=c4',
  'Patient?_has:Observation:patient:value-quantity=gt38',
];
test.each(linked)('%s, begun at the far end, walks through no collection and finds the same', async text => {
  const query = queryOf(text);
  const far = farOf(query)!;
  const stages = await planOf(query, far);
  keep(`${text}, from the far end`, stages);
  expect(stages.map(one => one.stage)).toContain('IXSCAN');
  expect(stages.filter(isWalk)).toEqual([]);
  const names = async (from?: Far): Promise<readonly string[]> => (await asked(query, from).toArray()).map(one => one._id);
  const found = await names();
  expect(found.length).toBeGreaterThan(0);
  expect(await names(far)).toEqual(found);
  expect((await store.search(query)).versions.map(version => nameOf(version.key))).toEqual(found.slice(0, query.limit));
});
test.each([
  ['the near end is few', 'Observation?_id=o7-1&patient.identifier=http://mrn|7'],
  ['the near end is of one patient', 'Observation?patient=p7&patient.identifier=http://mrn|7'],
  ['no index finds the far end', 'Observation?patient.name:contains=erg1'],
  ['there are several far ends', 'Observation?subject.identifier=http://mrn|7'],
])('a search begins at the near end where %s', (_, text) => {
  expect(farOf(queryOf(text))).toBeUndefined();
});

test('nor does what a Consent permits, or what a rule narrows to one record', async () => {
  const ask = { actors: ['Practitioner/lee'], purpose: 'TREAT', action: 'access', at: at(0) } as const;
  const record = some('Observation', '.record', token('Patient/p3'));
  const permitted: Predicate = and({ op: 'granted', effect: 'permit', ask }, not({ op: 'granted', effect: 'deny', ask }));
  for (const where of [record, and(record, permitted), permitted]) {
    const stages = await planOf({ branches: [{ type: 'Observation', where, links: [] }], sort: [], limit: 20 });
    expect(stages.map(one => one.stage)).toContain('IXSCAN');
    expect(stages.filter(isWalk)).toEqual([]);
  }
});

test('and what walks through a collection would be told', async () => {
  const explained = await client
    .db()
    .collection('resource')
    .aggregate([{ $match: { v: 1 } }])
    .explain('executionStats');
  expect(stagesIn(explained).some(isWalk)).toBe(true);
});
