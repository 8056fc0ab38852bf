import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bundleOf, found, included, linkOf, namesOf, refusal, store, to } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// Where a search can be sent besides a type: http://hl7.org/fhir/R4/search.html#searching
jest.setTimeout(60_000);
let world: World;
let ehr: Client;
const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const code = (text: string) => ({ coding: [{ system: 'http://loinc.org', code: text }] });

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  await store(ehr, [
    { resourceType: 'Patient', id: 'pa', link: [{ other: to('Patient/pb'), type: 'seealso' }] },
    { resourceType: 'Patient', id: 'pb' },
    {
      resourceType: 'Encounter',
      id: 'e-1',
      status: 'planned',
      class: { code: 'AMB' },
      subject: to('Patient/pa'),
      participant: [{ individual: to('Practitioner/lee') }],
    },
    {
      resourceType: 'Observation',
      id: 'o-1',
      status: 'final',
      code: code('a'),
      subject: to('Patient/pa'),
      encounter: to('Encounter/e-1'),
      effectiveDateTime: '2024',
    },
    {
      resourceType: 'Observation',
      id: 'o-2',
      status: 'final',
      code: code('b'),
      subject: to('Patient/pb'),
      performer: [to('Patient/pa')],
      effectiveDateTime: '2022',
    },
    { resourceType: 'Observation', id: 'o-3', status: 'final', code: code('a'), subject: to('Patient/pb'), device: to('Device/d-1') },
    { resourceType: 'Condition', id: 'c-1', code: code('a'), subject: to('Patient/pa'), onsetDateTime: '2023' },
    { resourceType: 'Condition', id: 'c-2', code: code('a'), subject: to('Patient/pb') },
    { resourceType: 'Device', id: 'd-1' },
    { resourceType: 'RelatedPerson', id: 'r-1', patient: to('Patient/pb') },
    { resourceType: 'Basic', id: 'b-1', code: code('a'), author: to('RelatedPerson/r-1') },
  ]);
});
afterAll(() => world.end());

test('the whole server, of the types that are named (http://hl7.org/fhir/R4/http.html#search)', async () => {
  expect(await found(ehr, '?_type=Observation,Condition&code=a')).toEqual(['Condition/c-1', 'Condition/c-2', 'Observation/o-1', 'Observation/o-3']);
  expect(await found(ehr, '?_type=Observation,Condition&subject=Patient/pa&code=a')).toEqual(['Condition/c-1', 'Observation/o-1']);
  expect(await found(ehr, '?_type=Patient,Device&_id=pa,d-1')).toEqual(['Device/d-1', 'Patient/pa']);
  expect((await refusal(ehr, '?code=a')).text).toContain('_type');
  expect((await refusal(ehr, '')).text).toContain('_type');
  expect((await refusal(ehr, '?_type=Observation,Patient&code=a')).text).toContain('Patient has no search parameter `code`');
  const posted = await ehr.post('_search?_type=Observation,Condition', 'code=a&subject=Patient/pa', form);
  expect([posted.status, [...namesOf(posted.body)].sort()]).toEqual([200, ['Condition/c-1', 'Observation/o-1']]);
  expect(linkOf(posted.body, 'self')).toBe(`${world.url}/fhir?_type=Observation%2CCondition&code=a&subject=Patient%2Fpa`);
  expect(await found(ehr, linkOf(posted.body, 'self')!)).toEqual(['Condition/c-1', 'Observation/o-1']);
  // What the server prefers to be told of writes is nothing to a search.
  expect((await ehr.post('_search?_type=Device', '', { ...form, Prefer: 'return=minimal' })).body.resourceType).toBe('Bundle');
});

test('several types are sorted, counted and paged as one', async () => {
  const query = '?_type=Observation,Condition&_id=o-1,o-2,o-3,c-1,c-2';
  expect((await bundleOf(ehr, `${query}&_summary=count`)).total).toBe(5);
  expect(namesOf(await bundleOf(ehr, '?_type=Observation,Condition&code=a&_sort=-subject,_id'))).toEqual([
    ...['Condition/c-2', 'Observation/o-3', 'Condition/c-1', 'Observation/o-1'],
  ]);
  for (const sort of ['', '&_sort=_id', '&_sort=-code', '&_sort=-_lastUpdated']) {
    const seen: string[] = [];
    for (let url: string | undefined = `${query}&_count=2&_total=accurate${sort}`; url !== undefined; ) {
      const page = await bundleOf(ehr, url);
      expect(page.total).toBe(5);
      seen.push(...namesOf(page));
      url = linkOf(page, 'next');
    }
    expect([sort, [...seen].sort()]).toEqual([sort, ['Condition/c-1', 'Condition/c-2', 'Observation/o-1', 'Observation/o-2', 'Observation/o-3']]);
  }
  expect(await included(ehr, '?_type=Observation,Condition&code=a&subject=Patient/pa&_include=Observation:encounter&_include=Condition:subject')).toEqual([
    ...['Encounter/e-1', 'Patient/pa'],
  ]);
});

test('every type at once', async () => {
  const { body } = await ehr.get('metadata');
  const types = (body.rest[0].resource as { type: string }[]).map(({ type }) => type);
  expect(await found(ehr, `?_type=${types.join(',')}&_id=o-1,c-1,d-1`)).toEqual(['Condition/c-1', 'Device/d-1', 'Observation/o-1']);
});

test('a compartment and a type in it (http://hl7.org/fhir/R4/compartmentdefinition.html)', async () => {
  expect(await found(ehr, 'Patient/pa/Observation')).toEqual(['Observation/o-1', 'Observation/o-2']);
  expect(await found(ehr, 'Patient/pa/Observation?code=b')).toEqual(['Observation/o-2']);
  expect(await found(ehr, 'Patient/pa/Patient')).toEqual(['Patient/pa']);
  expect(await found(ehr, 'Patient/pb/Patient')).toEqual(['Patient/pa', 'Patient/pb']);
  expect(await found(ehr, 'Encounter/e-1/Observation')).toEqual(['Observation/o-1']);
  expect(await found(ehr, 'Practitioner/lee/Encounter')).toEqual(['Encounter/e-1']);
  expect(await found(ehr, 'Device/d-1/Observation')).toEqual(['Observation/o-3']);
  expect(await found(ehr, 'RelatedPerson/r-1/Basic')).toEqual(['Basic/b-1']);
  expect((await refusal(ehr, 'Patient/pa/Organization')).text).toContain('Organization');
  expect((await bundleOf(ehr, 'Patient/pa/Observation?_summary=count')).total).toBe(2);
  for (const path of ['Patient/pa/Observation/_search', 'Patient/pa/_search?_type=Observation', 'Patient/pa/*/_search?_type=Observation']) {
    const posted = await ehr.post(path, 'code=b', form);
    expect([path, posted.status, namesOf(posted.body)]).toEqual([path, 200, ['Observation/o-2']]);
  }
  const bundle = await bundleOf(ehr, 'Patient/pa/Observation?code=a,b&_count=1');
  expect(linkOf(bundle, 'self')).toBe(`${world.url}/fhir/Patient/pa/Observation?code=a%2Cb&_count=1`);
  expect(await found(ehr, linkOf(bundle, 'next')!)).toEqual(['Observation/o-2']);
});

test('all of a compartment, or some types of it', async () => {
  const all = (await found(ehr, 'Patient/pa/*?_count=100')).filter(name => !name.startsWith('Provenance/'));
  expect(all).toEqual(['Condition/c-1', 'Encounter/e-1', 'Observation/o-1', 'Observation/o-2', 'Patient/pa']);
  expect(await found(ehr, 'Patient/pa/*?_type=Observation,Condition')).toEqual(['Condition/c-1', 'Observation/o-1', 'Observation/o-2']);
  expect(await found(ehr, 'Patient/pa/*?_id=o-1,o-3')).toEqual(['Observation/o-1']);
  expect(await found(ehr, 'Encounter/e-1/*')).toEqual(['Encounter/e-1', 'Observation/o-1']);
  expect((await refusal(ehr, 'Patient/pa/*?_type=Organization')).text).toContain('Organization');
  expect((await refusal(ehr, 'Patient/pa/*?code=a')).text).toContain('code');
});

test('a compartment that is not there is as empty as one in which there is nothing', async () => {
  const empty = async (query: string) => JSON.stringify(await bundleOf(ehr, query)).replaceAll(/nobody|d-9/g, 'ID');
  expect(await empty('Patient/nobody/Observation')).toContain('"total":0');
  await store(ehr, [{ resourceType: 'Device', id: 'd-9' }]);
  expect(await empty('Device/d-9/Observation')).toEqual(await empty('Device/nobody/Observation'));
  for (const [path, status] of [
    ['Observation/o-1/Patient', 404],
    ['Patient/pa/Colour', 404],
    ['Patient/pa/$everything', 404],
    ['Patient/%20/Observation', 400],
  ] as const)
    expect([path, (await ehr.get(path)).status]).toEqual([path, status]);
  expect((await ehr.get('Patient/pa/_history')).body.type).toBe('history');
});

test('a type that was named and may not be searched refuses all; one that nobody named is left out (ACCESS §3.1)', async () => {
  const poor = world.as(await world.token('ehr-ima', 'system/Observation.rs system/Device.rs'));
  expect((await poor.get('?_type=Observation,Condition&code=a')).status).toBe(403);
  expect(await found(poor, '?_type=Observation,Device&_id=o-1,d-1')).toEqual(['Device/d-1', 'Observation/o-1']);
  expect((await poor.get('Patient/pa/*?_type=Observation,Condition')).status).toBe(403);
  expect(await found(poor, 'Patient/pa/*')).toEqual(['Observation/o-1', 'Observation/o-2']);
  expect((await poor.get('Patient/pa/Condition')).status).toBe(403);
  const none = world.as(await world.token('ehr-ima', 'system/Organization.rs'));
  expect((await none.get('Patient/pa/*')).status).toBe(403);
});

test('in a batch', async () => {
  const get = (url: string) => ({ request: { method: 'GET', url } });
  const { body } = await ehr.post('', { resourceType: 'Bundle', type: 'batch', entry: [get('?_type=Device&_id=d-1'), get('Patient/pa/Observation?code=a')] });
  expect(body.entry.map((entry: { resource: Parameters<typeof namesOf>[0] }) => namesOf(entry.resource))).toEqual([['Device/d-1'], ['Observation/o-1']]);
});
