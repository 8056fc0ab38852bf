import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bundleOf, found, included, linkOf, namesOf, refusal, store, to } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// What comes along with a search: http://hl7.org/fhir/R4/search.html#include
jest.setTimeout(60_000);
let world: World;
let ehr: Client;

const place = (id: string, partOf: string) => ({ resourceType: 'Location', id, name: id, partOf: to(`Location/${partOf}`) });
const encounter = (id: string, partOf?: string, more: object = {}) => ({
  resourceType: 'Encounter',
  id,
  status: 'planned',
  class: { code: 'AMB' },
  subject: to('Patient/pa'),
  ...(partOf === undefined ? {} : { partOf: to(`Encounter/${partOf}`) }),
  ...more,
});
const observation = (id: string, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: id },
  subject: to(`Patient/${patient}`),
  ...more,
});

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  await store(ehr, [
    // A ring.
    place('l-1', 'l-2'),
    place('l-2', 'l-3'),
    place('l-3', 'l-1'),
    { resourceType: 'Patient', id: 'pa' },
    { resourceType: 'Patient', id: 'pb' },
    encounter('e-1', undefined, { location: [{ location: to('Location/l-1') }] }),
    encounter('e-2', 'e-1'),
    encounter('e-3', 'e-2'),
    observation('ob-1', 'pa', { encounter: to('Encounter/e-1'), performer: [to('Practitioner/lee')] }),
    observation('ob-2', 'pa', { hasMember: [to('Observation/ob-1')] }),
    observation('ob-3', 'pb', { focus: [to('Patient/pa')], note: [{ text: 'x', authorReference: to('Organization/ima') }] }),
  ]);
});
afterAll(() => world.end());

test('_include by a parameter, one target of it, every parameter of the type, every parameter (#include)', async () => {
  const of = (value: string) => included(ehr, `Observation?_id=ob-1&_include=${value}`);
  expect(await of('Observation:subject')).toEqual(['Patient/pa']);
  expect(await of('Observation:subject:Patient')).toEqual(['Patient/pa']);
  expect(await of('Observation:subject:Group')).toEqual([]);
  for (const all of ['*', 'Observation:*']) expect([all, await of(all)]).toEqual([all, ['Encounter/e-1', 'Patient/pa', 'Practitioner/lee']]);
  // What no parameter leads to does not come.
  expect(await included(ehr, 'Observation?_id=ob-3&_include=*')).toEqual(['Patient/pa', 'Patient/pb']);
});

test('_revinclude: what refers to the matches (#revinclude)', async () => {
  const of = (value: string) => included(ehr, `Patient?_id=pa&_revinclude=${value}`);
  expect(await of('Observation:subject')).toEqual(['Observation/ob-1', 'Observation/ob-2']);
  expect(await of('Observation:patient')).toEqual(['Observation/ob-1', 'Observation/ob-2']);
  expect(await of('Observation:focus')).toEqual(['Observation/ob-3']);
  expect(await of('Observation:focus:Patient')).toEqual(['Observation/ob-3']);
  expect(await of('Observation:focus&_revinclude=Encounter:subject&_revinclude=Observation:subject')).toEqual([
    ...['Encounter/e-1', 'Encounter/e-2', 'Encounter/e-3'],
    ...['Observation/ob-1', 'Observation/ob-2', 'Observation/ob-3'],
  ]);
  expect(await of('Observation:*')).toEqual(['Observation/ob-1', 'Observation/ob-2', 'Observation/ob-3']);
  const all = (await of('*')).filter(name => !name.startsWith('Provenance/'));
  expect(all).toEqual(['Encounter/e-1', 'Encounter/e-2', 'Encounter/e-3', 'Observation/ob-1', 'Observation/ob-2', 'Observation/ob-3']);
  // It is referred to, yet through no parameter.
  expect(await included(ehr, 'Organization?_id=ima&_revinclude=Observation:*')).toEqual([]);
});

test('without :iterate only from the matches; with it until nothing new comes, rings too (#include)', async () => {
  const start = 'Observation?_id=ob-1&_include=Observation:encounter';
  expect((await refusal(ehr, `${start}&_include=Encounter:location`)).text).toContain('Encounter');
  const ring = ['Location/l-1', 'Location/l-2', 'Location/l-3'];
  for (const iterate of ['iterate', 'recurse']) {
    expect(await included(ehr, `${start}&_include:${iterate}=Encounter:location`)).toEqual(['Encounter/e-1', 'Location/l-1']);
    // Whatever leads there is asked again of what comes later.
    expect(await included(ehr, `${start}&_include:${iterate}=Location:partof&_include:${iterate}=Encounter:location`)).toEqual(['Encounter/e-1', ...ring]);
  }
  expect(await included(ehr, 'Location?_id=l-1&_include=Location:partof')).toEqual(['Location/l-2']);
  expect(await included(ehr, 'Location?_id=l-1&_include:iterate=Location:partof')).toEqual(['Location/l-2', 'Location/l-3']);
  expect(await included(ehr, 'Observation?_id=ob-2&_include:iterate=Observation:*')).toEqual([
    ...['Encounter/e-1', 'Observation/ob-1', 'Patient/pa', 'Practitioner/lee'],
  ]);
  expect(await included(ehr, 'Encounter?_id=e-1&_revinclude=Encounter:part-of')).toEqual(['Encounter/e-2']);
  expect(await included(ehr, 'Encounter?_id=e-1&_revinclude:iterate=Encounter:part-of')).toEqual(['Encounter/e-2', 'Encounter/e-3']);
  expect(await included(ehr, 'Patient?_id=pb&_revinclude=Observation:subject&_include:iterate=Observation:focus')).toEqual(['Observation/ob-3', 'Patient/pa']);
});

test('each once, never a match, not in the total, and for each page its own (#include)', async () => {
  const twice = await bundleOf(
    ehr,
    'Observation?_id=ob-1,ob-2&_include=Observation:has-member&_include=Observation:subject&_include=Observation:patient&_total=accurate',
  );
  expect([namesOf(twice), namesOf(twice, 'include'), twice.total]).toEqual([['Observation/ob-1', 'Observation/ob-2'], ['Patient/pa'], 2]);
  const first = await bundleOf(ehr, 'Patient?_id=pa,pb&_count=1&_sort=-_id&_revinclude=Observation:subject');
  expect([namesOf(first), namesOf(first, 'include')]).toEqual([['Patient/pb'], ['Observation/ob-3']]);
  const second = await bundleOf(ehr, linkOf(first, 'next')!);
  expect([namesOf(second), namesOf(second, 'include')]).toEqual([['Patient/pa'], ['Observation/ob-1', 'Observation/ob-2']]);
  for (const count of ['_count=0', '_summary=count']) {
    const counted = await bundleOf(ehr, `Patient?_id=pa&_revinclude=Observation:subject&${count}`);
    expect([counted.total, counted.entry]).toEqual([1, undefined]);
  }
});

test('a type without its scope stays away, also where nothing names it (ACCESS §3.1)', async () => {
  const poor = world.as(await world.token('ehr-ima', 'system/Patient.rs system/Encounter.rs'));
  expect(await found(poor, 'Patient?_id=pa')).toEqual(['Patient/pa']);
  expect(await included(poor, 'Patient?_id=pa&_revinclude=Observation:subject')).toEqual([]);
  expect(await included(poor, 'Patient?_id=pa&_revinclude=*&_include:iterate=*')).toEqual(['Encounter/e-1', 'Encounter/e-2', 'Encounter/e-3']);
  // What is only reached through it stays away too.
  expect(await included(poor, 'Patient?_id=pb&_revinclude=Observation:subject&_include:iterate=Observation:focus')).toEqual([]);
});

test('going on for too long is refused and names the limit (#errors)', async () => {
  const chain = Array.from({ length: 25 }, (_, at) => encounter(`long-${at}`, at === 0 ? undefined : `long-${at - 1}`));
  await store(ehr, chain);
  const refused = await refusal(ehr, 'Encounter?_id=long-24&_include:iterate=Encounter:part-of');
  expect(refused).toEqual({ code: 'too-costly', text: expect.stringContaining('20 rounds') });
  expect(await included(ehr, 'Encounter?_id=long-20&_include:iterate=Encounter:part-of')).toHaveLength(20);
});
