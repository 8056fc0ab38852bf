import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bundleOf, included, namesOf, to } from './searchset.ts';
import { designate, hiv, made, observation, openStrangers } from './strangers.ts';
import type { Client, World } from './world.ts';

// What a caller may not read changes nothing of what a search tells, however it is asked (ACCESS §3.1).
jest.setTimeout(60_000);
let world: World;
let ima: Client;
let mary: Client;
let anna: Client;
let visit: string;
let seen: string;
const encounter = (more: object = {}) => ({ resourceType: 'Encounter', status: 'planned', class: { code: 'AMB' }, subject: to('Patient/mary'), ...more });

beforeAll(async () => {
  ({ world, ima, mary, anna } = await openStrangers());
  await designate(ima, 'Patient', 'Observation', 'Encounter', 'Condition');
  visit = (await made(ima.post('Encounter', encounter()))).id;
  seen = (await made(ima.post('Observation', observation('Patient/mary', { encounter: to(`Encounter/${visit}`), effectiveDateTime: '2024' })))).id;
});
afterAll(() => world.end());

const queries = [
  'Patient?_id=mary&_revinclude=Observation:subject',
  'Patient?_id=mary&_revinclude=Observation:*&_revinclude:iterate=Encounter:*',
  'Patient?_id=mary&_revinclude=*&_include:iterate=*',
  'Patient?_id=mary&_revinclude:iterate=Condition:subject&_include:iterate=Condition:encounter&_revinclude:iterate=Observation:encounter',
  'Encounter?_revinclude:iterate=Encounter:part-of&_revinclude:iterate=Observation:encounter',
  'Observation?_include=*&_include:iterate=Encounter:*',
  'Observation?_sort=date,-code&_total=accurate',
  'Observation?_sort=-_lastUpdated&_count=1&_total=accurate',
  'Observation?_summary=count',
  'Observation?_count=0',
  'Observation?_elements=status',
  'Patient/mary/Observation?_total=accurate',
  'Patient/mary/*?_sort=_id&_total=accurate',
  'Patient/mary/*?_type=Observation,Encounter,Condition&_summary=count',
  '?_type=Observation,Encounter,Condition&_sort=-_id&_count=1&_total=accurate',
  '?_type=Observation,Encounter&_id:not=x&_summary=count',
  'Patient?_has:Observation:patient:_has:Observation:has-member:status=final',
  'Observation?encounter:Encounter.part-of:Encounter.status=planned',
];
/** All answers of a client, without what differs from one answer to the next in any case. */
async function look(client: Client): Promise<readonly (readonly [string, string])[]> {
  const answers: [string, string][] = [];
  for (const query of queries) answers.push([query, JSON.stringify(await bundleOf(client, query)).replaceAll(/_cursor=[\w%-]+/g, '')]);
  return answers;
}

test('includes, reverse ones, those that go on, compartments, several types, totals, orders and counts', async () => {
  const before = await look(anna);
  const known = await look(mary);
  const hidden = await made(ima.post('Observation', { ...hiv('Patient/mary'), encounter: to(`Encounter/${visit}`), hasMember: [to(`Observation/${seen}`)] }));
  const label = { meta: { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] } };
  const closed = await made(ima.post('Encounter', encounter({ partOf: to(`Encounter/${visit}`), ...label })));
  // The way to it leads through what is hidden.
  await made(ima.post('Condition', { resourceType: 'Condition', subject: to('Patient/mary'), encounter: to(`Encounter/${closed.id}`), ...label }));
  expect((await anna.get(`Observation/${hidden.id}`)).status).toBe(404);
  expect(await look(anna)).toEqual(before);
  // They are there, and would show.
  const changed = (await look(mary)).filter(([, text], at) => text !== known[at]![1]).map(([query]) => query);
  expect(changed.length).toBeGreaterThan(queries.length - 4);
});

test('what is visible and refers to what is hidden does not bring it along', async () => {
  const closed = await made(ima.post('Observation', hiv('Patient/mary')));
  await made(ima.post('Observation', observation('Patient/mary', { status: 'amended', derivedFrom: [to(`Observation/${closed.id}`)] })));
  const query = 'Observation?status=amended&_include=Observation:derived-from';
  const labelled = namesOf(await bundleOf(anna, query));
  expect(await included(mary, query)).toEqual([`Observation/${closed.id}`]);
  // It is hidden itself, where the label of what it cites is its own too; or it shows without.
  expect([labelled.length <= 1, await included(anna, query)]).toEqual([true, []]);
});

test('whether a compartment is there is not told', async () => {
  const strip = async (query: string, id: string) => JSON.stringify((await anna.get(query)).body).replaceAll(id, 'ID');
  for (const more of ['Observation', '*', 'Observation?_summary=count', '*?_type=Observation,Encounter'])
    expect(await strip(`Patient/john/${more}`, 'john')).toEqual(await strip(`Patient/ghost/${more}`, 'ghost'));
});

test('a search of a compartment is in its log, with what it asked for', async () => {
  await bundleOf(mary, 'Patient/mary/Observation?status=final');
  const { body } = await mary.get('AuditEvent?_count=100');
  const queriesIn = JSON.stringify(body).match(/"query":"[^"]+"/g) ?? [];
  expect(queriesIn.map(text => Buffer.from(text.slice(9, -1), 'base64').toString('utf8'))).toContainEqual(
    expect.stringContaining('Patient/mary/Observation?status=final'),
  );
});

test('whatever comes along with a search, or is in a compartment, is what a read shows too', async () => {
  const procedure = await made(ima.post('Procedure', { resourceType: 'Procedure', status: 'completed', subject: to('Patient/mary') }));
  const along = await included(anna, 'Patient?_id=mary&_revinclude=*');
  const within = namesOf(await bundleOf(anna, 'Patient/mary/*?_count=100'));
  for (const names of [along, within]) {
    expect(names).toEqual(expect.arrayContaining([`Encounter/${visit}`, `Observation/${seen}`]));
    for (const name of names) expect([name, (await anna.get(name)).status]).toEqual([name, 200]);
  }
  expect([...along, ...within]).not.toContain(`Procedure/${procedure.id}`);
  expect((await anna.get(`Procedure/${procedure.id}`)).status).not.toBe(200);
  expect(await included(mary, 'Patient?_id=mary&_revinclude=*')).toContain(`Procedure/${procedure.id}`);
});
