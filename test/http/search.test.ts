import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { linkOf, type Searchset } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// Searching over HTTP: http://hl7.org/fhir/R4/search.html
let world: World;
let ehr: Client;
let harbor: Client;

const idsOf = (bundle: Searchset, mode = 'match'): readonly string[] =>
  (bundle.entry ?? []).filter(entry => entry.search.mode === mode).map(entry => entry.resource.id);
/** The ids that a search finds, in the order of the answer. */
async function find(query: string, client = ehr): Promise<readonly string[]> {
  const answer = await client.get(query);
  expect([query, answer.status, answer.body.issue]).toEqual([query, 200, undefined]);
  return idsOf(answer.body);
}
async function refuse(query: string, client = ehr): Promise<string> {
  const answer = await client.get(query);
  expect([query, answer.status, answer.body.resourceType]).toEqual([query, 400, 'OperationOutcome']);
  return answer.body.issue[0].diagnostics;
}

const LOINC = 'http://loinc.org';
const patients = [
  {
    id: 'p-ana',
    name: [{ family: 'Núñez', given: ['Ana', 'María'] }],
    gender: 'female',
    birthDate: '1950-03-02',
    identifier: [{ system: 'urn:example:mrn', value: '1' }],
  },
  {
    id: 'p-ben',
    name: [{ family: 'Nunez-Ortiz', given: ['Ben'] }],
    gender: 'male',
    birthDate: '1975-08',
    identifier: [{ system: 'urn:example:mrn', value: '2' }],
  },
  { id: 'p-cat', name: [{ family: 'Okafor', given: ['Cat'] }], birthDate: '2001' },
];
const observations = [
  { id: 'o-1', status: 'final', code: 'a', of: 'p-ana', at: '2026-01-10T08:00:00Z', performer: [{ reference: 'Practitioner/lee' }] },
  { id: 'o-2', status: 'preliminary', code: 'b', of: 'p-ana', at: '2026-02-01' },
  { id: 'o-3', status: 'final', code: 'a', of: 'p-ben', at: '2026-02' },
  { id: 'o-4', status: 'amended', code: 'c', of: 'p-cat' },
];

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  harbor = world.as(await world.token('ehr-harbor', 'system/*.cruds'));
  for (const patient of patients) expect((await ehr.put(`Patient/${patient.id}`, { resourceType: 'Patient', ...patient })).status).toBe(201);
  for (const { id, status, code, of, at, performer } of observations) {
    const resource = {
      resourceType: 'Observation',
      id,
      status,
      code: { coding: [{ system: LOINC, code }] },
      subject: { reference: `Patient/${of}` },
      ...(at === undefined ? {} : { effectiveDateTime: at }),
      ...(performer === undefined ? {} : { performer }),
    };
    expect((await ehr.put(`Observation/${id}`, resource)).status).toBe(201);
  }
});
afterAll(() => world.end());

test('token: code, system|code, |code, system|, several, :not (#token)', async () => {
  expect(await find('Observation?code=a')).toEqual(['o-1', 'o-3']);
  expect(await find(`Observation?code=${LOINC}|a`)).toEqual(['o-1', 'o-3']);
  expect(await find('Observation?code=urn:example:other|a')).toEqual([]);
  expect(await find('Observation?code=|a')).toEqual([]);
  expect(await find(`Observation?code=${LOINC}|`)).toEqual(['o-1', 'o-2', 'o-3', 'o-4']);
  expect(await find('Observation?code=b,c')).toEqual(['o-2', 'o-4']);
  expect(await find('Observation?code:not=a')).toEqual(['o-2', 'o-4']);
  expect(await find('Observation?code:not=a,b')).toEqual(['o-4']);
  expect(await find('Observation?code=a&status=final&subject=p-ben')).toEqual(['o-3']);
  expect(await find('Patient?identifier=urn:example:mrn|2')).toEqual(['p-ben']);
  // Without a gender it is not male either.
  expect(await find('Patient?gender:not=male&_id=p-ana,p-ben,p-cat')).toEqual(['p-ana', 'p-cat']);
});

test(':missing on every kind (#modifiers)', async () => {
  expect(await find('Observation?date:missing=true')).toEqual(['o-4']);
  expect(await find('Observation?date:missing=false')).toEqual(['o-1', 'o-2', 'o-3']);
  expect(await find('Observation?performer:missing=false')).toEqual(['o-1']);
  expect(await find('Patient?gender:missing=true&_id=p-ana,p-ben,p-cat')).toEqual(['p-cat']);
  expect(await find('Patient?family:missing=true')).toEqual([]);
  expect(await refuse('Observation?date:missing=maybe')).toContain('maybe');
});

test('string: beginning, without case and accents; :contains; :exact (#string)', async () => {
  expect(await find('Patient?family=nunez')).toEqual(['p-ana', 'p-ben']);
  expect(await find('Patient?name=MAR&_id=p-ana,p-ben,p-cat')).toEqual(['p-ana']);
  expect(await find('Patient?family=ortiz')).toEqual([]);
  expect(await find('Patient?family:contains=ORTIZ')).toEqual(['p-ben']);
  expect(await find(`Patient?family:exact=${encodeURIComponent('Núñez')}`)).toEqual(['p-ana']);
  expect(await find('Patient?family:exact=nunez')).toEqual([]);
  expect(await refuse('Patient?family:below=x')).toContain('below');
});

test('reference: id, Type/id, absolute URL, typed by a modifier (#reference)', async () => {
  const base = `${world.url}/fhir`;
  for (const form of ['subject=p-ana', 'subject=Patient/p-ana', `subject=${base}/Patient/p-ana`, 'subject:Patient=p-ana', 'patient=p-ana'])
    expect([form, await find(`Observation?${form}`)]).toEqual([form, ['o-1', 'o-2']]);
  expect(await find('Observation?subject=Group/p-ana')).toEqual([]);
  expect(await find('Observation?subject=https://elsewhere.example/fhir/Patient/p-ana')).toEqual([]);
  expect(await find('Observation?subject=Patient/p-ben,Patient/p-cat')).toEqual(['o-3', 'o-4']);
  expect(await refuse('Observation?subject:Practitioner=lee')).toContain('Practitioner');
  expect(await refuse('Observation?subject:Nothing=x')).toContain('Nothing');
});

test('date: each prefix, each precision (#date)', async () => {
  const cases: readonly [string, readonly string[]][] = [
    ['2026-01-10', ['o-1']],
    ['2026-02', ['o-2', 'o-3']],
    ['2026', ['o-1', 'o-2', 'o-3']],
    ['ne2026-02-01', ['o-1', 'o-3']],
    ['gt2026-02-01', ['o-3']],
    ['ge2026-02-01', ['o-2', 'o-3']],
    ['lt2026-02-01', ['o-1']],
    ['le2026-02-01', ['o-1', 'o-2']],
    ['sa2026-01', ['o-2', 'o-3']],
    ['eb2026-02', ['o-1']],
    ['2026-01-10T08:00:00Z', ['o-1']],
    ['2026-01-10T09:00:00%2B01:00', ['o-1']],
  ];
  for (const [value, expected] of cases) expect([value, await find(`Observation?date=${value}`)]).toEqual([value, expected]);
  expect(await find('Observation?date=ap2026-01-10')).toContain('o-1');
  expect(await find('Observation?date=ge2026-01-11&date=lt2026-03')).toEqual(['o-2', 'o-3']);
  expect(await find('Patient?birthdate=lt1980&_id=p-ana,p-ben,p-cat')).toEqual(['p-ana', 'p-ben']);
  for (const wrong of ['2026-13', '2026-02-30', 'xx2026', 'yesterday', '']) expect(await refuse(`Observation?date=${wrong}`)).toContain('date');
});

test('_id and _lastUpdated (#all)', async () => {
  expect(await find('Observation?_id=o-3,o-1,unknown')).toEqual(['o-1', 'o-3']);
  expect(await find('Observation?_id=o-3&_id=o-1')).toEqual([]);
  const { body } = await ehr.get('Observation/o-2');
  expect(await find(`Observation?_lastUpdated=gt${encodeURIComponent(body.meta.lastUpdated)}`)).not.toContain('o-2');
  expect(await find(`Observation?_lastUpdated=ge${encodeURIComponent(body.meta.lastUpdated)}`)).toContain('o-2');
  expect(await find('Observation?_lastUpdated=lt2000')).toEqual([]);
});

test('_count, _total, _summary=count and _count=0 (#count, #total, #summary)', async () => {
  const first: Searchset = (await ehr.get('Observation?_count=3')).body;
  expect([first.type, idsOf(first), first.total]).toEqual(['searchset', ['o-1', 'o-2', 'o-3'], undefined]);
  const exact: Searchset = (await ehr.get('Observation?_count=3&_total=accurate')).body;
  expect(exact.total).toBe(4);
  const last: Searchset = (await ehr.get(linkOf(exact, 'next')!)).body;
  expect([idsOf(last), last.total, linkOf(last, 'next')]).toEqual([['o-4'], 4, undefined]);
  for (const only of ['_summary=count', '_count=0', '_summary=count&_count=2']) {
    const counted: Searchset = (await ehr.get(`Observation?status=final&${only}`)).body;
    expect([only, counted.total, counted.entry, linkOf(counted, 'next')]).toEqual([only, 2, undefined, undefined]);
  }
  for (const wrong of ['_count=-1', '_count=many', '_total=roughly', '_summary=some', '_count=1&_count=2']) await refuse(`Observation?${wrong}`);
});

test('_sort: both ways, several keys, what has no value last (#sort)', async () => {
  expect(await find('Observation?_sort=date')).toEqual(['o-1', 'o-2', 'o-3', 'o-4']);
  expect((await find('Observation?_sort=-date')).at(-1)).toBe('o-4');
  expect(await find('Observation?_sort=-_id')).toEqual(['o-4', 'o-3', 'o-2', 'o-1']);
  expect(await find('Observation?_sort=code,-_id')).toEqual(['o-3', 'o-1', 'o-2', 'o-4']);
  expect(await find('Patient?_sort=-birthdate&_id=p-ana,p-ben,p-cat')).toEqual(['p-cat', 'p-ben', 'p-ana']);
  expect(await find('Observation?_sort=_lastUpdated')).toEqual(['o-1', 'o-2', 'o-3', 'o-4']);
  expect(await refuse('Observation?_sort=nonsense')).toContain('nonsense');
});

test('_include brings what is referred to, once, and marks it (#include)', async () => {
  const { body } = await ehr.get('Observation?_include=Observation:subject&_include=Observation:performer&code=a,b&_total=accurate');
  expect(idsOf(body)).toEqual(['o-1', 'o-2', 'o-3']);
  expect([...idsOf(body, 'include')].sort()).toEqual(['lee', 'p-ana', 'p-ben']);
  expect(body.total).toBe(3);
  const typed = await ehr.get('Observation?_include=Observation:subject:Group');
  expect(idsOf(typed.body, 'include')).toEqual([]);
  for (const wrong of ['Observation:code', 'Patient:general-practitioner', 'Observation', 'Observation:nonsense'])
    await refuse(`Observation?_include=${wrong}`);
  // Without the scope for it, it stays away (ACCESS §3.1).
  const narrow = world.as(await world.token('ehr-ima', 'system/Observation.rs'));
  expect(idsOf((await narrow.get('Observation?_include=Observation:subject')).body, 'include')).toEqual([]);
});

test('a chain of one step (#chaining)', async () => {
  expect(await find('Observation?subject:Patient.family=nunez')).toEqual(['o-1', 'o-2', 'o-3']);
  expect(await find('Observation?patient.identifier=urn:example:mrn|2')).toEqual(['o-3']);
  expect(await find('Observation?subject.birthdate=gt1990')).toEqual(['o-4']);
  expect(await find('Observation?subject:Patient.gender:missing=true')).toEqual(['o-4']);
  await refuse('Observation?code.name=x');
  expect(await find('Observation?subject:Patient.organization.name=x')).toEqual([]);
  const narrow = world.as(await world.token('ehr-ima', 'system/Observation.rs'));
  expect((await narrow.get('Observation?subject:Patient.family=nunez')).status).toBe(403);
});

test('POST to _search finds what GET finds; its form joins the query (#searching)', async () => {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const posted = await ehr.post('Observation/_search?status=final', 'code=a&subject=Patient%2Fp-ana', form);
  expect([posted.status, idsOf(posted.body)]).toEqual([200, ['o-1']]);
  expect(linkOf(posted.body, 'self')).toBe(`${world.url}/fhir/Observation?status=final&code=a&subject=Patient%2Fp-ana`);
  expect(idsOf((await ehr.post('Observation/_search', '', form)).body)).toHaveLength(4);
  expect((await ehr.post('Observation/_search', '{"code":"a"}')).status).toBe(415);
  expect((await ehr.get('Observation/_search')).status).toBe(405);
});

test('paging with next links shows every resource exactly once while others are written and deleted (#next)', async () => {
  const note = (index: number): object => ({ resourceType: 'Basic', code: { text: `note ${index}` }, subject: { reference: 'Patient/p-ana' } });
  const stored: string[] = [];
  for (let index = 0; index < 25; index++) stored.push((await ehr.post('Basic', note(index))).body.id);
  for (const sort of ['', '&_sort=-_lastUpdated', '&_sort=_id', '&_sort=created']) {
    const seen: string[] = [];
    const doomed = (await ehr.post('Basic', note(99))).body.id;
    for (let url: string | undefined = `Basic?_count=4${sort}`; url !== undefined; ) {
      const page: Searchset = (await ehr.get(url)).body;
      expect(idsOf(page).length).toBeLessThanOrEqual(4);
      seen.push(...idsOf(page));
      if (seen.length === 8) await ehr.delete(`Basic/${doomed}`);
      await ehr.post('Basic', note(100));
      url = seen.length < 200 ? linkOf(page, 'next') : undefined;
    }
    expect([sort, seen.length, new Set(seen).size]).toEqual([sort, seen.length, seen.length]);
    expect([sort, stored.filter(id => !seen.includes(id))]).toEqual([sort, []]);
  }
});

test('a cursor that was tampered with, belongs to somebody else, or to another search is refused', async () => {
  const { body } = await ehr.get('Observation?_count=1');
  const next = linkOf(body, 'next')!;
  expect((await ehr.get(next)).status).toBe(200);
  const cursor = new URL(next).searchParams.get('_cursor')!;
  const flipped = `${cursor.slice(0, 20)}${cursor[20] === 'A' ? 'B' : 'A'}${cursor.slice(21)}`;
  for (const wrong of [flipped, cursor.slice(0, -2), 'x', '%00', 'AAAA'.repeat(20)])
    expect(await refuse(`Observation?_count=1&_cursor=${wrong}`)).toContain('_cursor');
  expect(await refuse(next, harbor)).toContain('_cursor');
  expect(await refuse(next.replace('Observation?', 'Observation?status=final&'))).toContain('_cursor');
  expect(await refuse(next.replace('/Observation?', '/Basic?'))).toContain('_cursor');
  expect(await refuse(`Observation?_count=1&_cursor=${cursor}&_cursor=${cursor}`)).toContain('_cursor');
});

test('the self link tells the search as it was understood (#conformance)', async () => {
  const { body } = await ehr.get('Observation?_count=5000&code=a&_format=json&subject:Patient=p-ana');
  expect(linkOf(body, 'self')).toBe(`${world.url}/fhir/Observation?_count=1000&code=a&subject%3APatient=p-ana`);
  expect(idsOf((await ehr.get(linkOf(body, 'self')!)).body)).toEqual(['o-1']);
  expect(linkOf((await ehr.get('Observation')).body, 'self')).toBe(`${world.url}/fhir/Observation`);
});

test('an unknown parameter is 400 and the valid ones are listed; lenient handling leaves it out and says so (#errors)', async () => {
  const told = await refuse('Observation?nonsense=1');
  for (const word of ['nonsense', 'code', 'date', 'subject', '_id', '_lastUpdated']) expect(told).toContain(word);
  expect(await refuse('Observation?_filter=code eq a')).toContain('_filter');
  const answer = await ehr.get('Observation?nonsense=1&code=b', { Prefer: 'handling=lenient' });
  expect([answer.status, idsOf(answer.body)]).toEqual([200, ['o-2']]);
  const [outcome] = (answer.body as Searchset).entry!.filter(entry => entry.search.mode === 'outcome');
  expect(JSON.stringify(outcome!.resource)).toContain('`nonsense`');
  expect(linkOf(answer.body, 'self')).not.toContain('nonsense');
  // A wrong value is no unknown parameter.
  expect((await ehr.get('Observation?date=never', { Prefer: 'handling=lenient' })).status).toBe(400);
  expect((await ehr.get('Observation?nonsense=1', { Prefer: 'handling=strict' })).status).toBe(400);
});

test("one organization's search does not find what another contributed (ACCESS §3.2)", async () => {
  expect(await find('Observation', harbor)).toEqual([]);
  expect((await harbor.get('Observation?_summary=count')).body.total).toBe(0);
});

test('long lists are one question, and too many values or sort keys are refused (#errors)', async () => {
  const dates = (count: number, ...prefixes: readonly string[]): string =>
    Array.from({ length: count }, (_, at) => `${prefixes[at % prefixes.length]}2020`).join(',');
  for (const query of [`_lastUpdated=${dates(1000, 'ge')}`, `_lastUpdated=${dates(1000, 'ge', 'ne', 'ap', 'le')}`, `date=${dates(1000, 'ge', 'lt')}`])
    await find(`Observation?${query}`);
  expect((await find(`Patient?_lastUpdated=${dates(10, 'lt')},${dates(10, 'ge')}`)).length).toBeGreaterThan(0);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const costly = [
    `_sort=${Array(1000).fill('date').join(',')}`,
    `_sort=${Array(200_000).fill('date').join(',')}`,
    Array(200)
      .fill(`_lastUpdated=${dates(100, 'ge')}`)
      .join('&'),
  ];
  for (const query of costly) expect((await ehr.post('Observation/_search', query, form)).body.issue?.[0].code).toBe('too-costly');
});
