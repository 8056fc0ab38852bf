import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Meta, Resource } from '../../src/fhir/types.ts';
import { lisinopril } from './resources.ts';
import { bundleOf, refusal, store, to } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// Which part of each resource comes: http://hl7.org/fhir/R4/search.html#summary and http://hl7.org/fhir/R4/search.html#elements
jest.setTimeout(60_000);
let world: World;
let ehr: Client;
const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

const patient = {
  resourceType: 'Patient',
  id: 'pa',
  meta: { tag: [{ system: 'urn:example:tags', code: 'mine' }] },
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Ana</div>' },
  active: true,
  name: [{ family: 'Ana', extension: [{ url: 'urn:example:x', valueString: 'y' }] }],
  birthDate: '1950-03-02',
  _birthDate: { extension: [{ url: 'urn:example:time', valueTime: '10:00:00' }] },
  deceasedBoolean: false,
  maritalStatus: { text: 'widowed' },
  contact: [{ name: { family: 'Ben' } }],
  communication: [{ language: { text: 'Spanish' }, preferred: true }],
  link: [{ other: to('Patient/pb'), type: 'seealso' }],
};
const observation = {
  resourceType: 'Observation',
  id: 'o-1',
  text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">weight</div>' },
  status: 'final',
  code: { text: 'weight' },
  subject: to('Patient/pa'),
  valueQuantity: { value: 70.0, unit: 'kg' },
  note: [{ text: 'after breakfast' }],
  referenceRange: [{ text: 'any' }],
  component: [{ code: { text: 'fat' }, valueQuantity: { value: 1, unit: 'kg' }, dataAbsentReason: { text: 'x' }, interpretation: [{ text: 'much' }] }],
};
const questionnaire = {
  resourceType: 'Questionnaire',
  id: 'q-1',
  status: 'active',
  title: 'Sleep',
  item: [{ linkId: '1', type: 'group', item: [{ linkId: '1.1', type: 'string' }] }],
};

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  await store(ehr, [patient, { resourceType: 'Patient', id: 'pb' }, questionnaire]);
  // As it is written: the zeros count.
  const written = JSON.stringify(observation).replace('"value":70', '"value":70.00').replace('"value":1,', '"value":1.50,');
  expect((await ehr.put('Observation/o-1', written)).status).toBe(201);
});
afterAll(() => world.end());

/** The one that a search finds, without what the server says of its version. */
async function only(query: string, read = false): Promise<Resource & { meta: Meta }> {
  const resource = read ? (await ehr.get(query)).body : (await bundleOf(ehr, query)).entry![0]!.resource;
  const { versionId: _version, lastUpdated: _updated, ...meta } = resource.meta;
  return { ...resource, meta };
}
/** What has to be there besides these, for one that a read gives and one that a search does. */
async function both(type: string, id: string, query: string): Promise<Resource> {
  const resource = await only(`${type}?_id=${id}&${query}`);
  expect(await only(`${type}/${id}?${query}`, true)).toEqual(resource);
  expect(await only(`${type}/${id}/_history/1?${query}`, true)).toEqual(resource);
  return resource;
}
const marked = { tag: [SUBSETTED] };

test('_summary=true: the elements of the summary, in backbones too, and what is mandatory (#summary)', async () => {
  const { resourceType, id, active, name, birthDate, _birthDate, deceasedBoolean, link } = patient;
  const meta = { tag: [...patient.meta.tag, SUBSETTED] };
  expect(await both('Patient', 'pa', '_summary=true')).toEqual({ resourceType, id, meta, active, name, birthDate, _birthDate, deceasedBoolean, link });
  const { text: _text, note: _note, referenceRange: _range, component: _component, ...summary } = observation;
  const component = [{ code: { text: 'fat' }, valueQuantity: { value: 1.5, unit: 'kg' } }];
  expect(await both('Observation', 'o-1', '_summary=true')).toEqual({ ...summary, meta: marked, component });
  // Nothing of an item is in the summary.
  const { item: _item, ...rest } = questionnaire;
  expect(await both('Questionnaire', 'q-1', '_summary=true')).toEqual({ ...rest, meta: marked });
});

test('_summary=text: the text and what is mandatory; _summary=data: all but the text; _summary=false: all (#summary)', async () => {
  const { resourceType, id, text, status, code } = observation;
  expect(await both('Observation', 'o-1', '_summary=text')).toEqual({ resourceType, id, meta: marked, text, status, code });
  const { text: _text, ...data } = patient;
  expect(await both('Patient', 'pa', '_summary=data')).toEqual({ ...data, meta: { tag: [...patient.meta.tag, SUBSETTED] } });
  expect(await both('Patient', 'pa', '_summary=false')).toEqual(patient);
  expect((await refusal(ehr, 'Observation?_summary=text&_include=Observation:subject')).text).toContain('_include');
  expect((await refusal(ehr, 'Patient?_summary=text&_revinclude=Observation:subject')).text).toContain('_revinclude');
});

test('_elements: those that are named and what is mandatory (#elements)', async () => {
  const { resourceType, id, status, code, valueQuantity } = observation;
  for (const name of ['value', 'value[x]', 'valueQuantity'])
    expect(await both('Observation', 'o-1', `_elements=${name}`)).toEqual({ resourceType, id, meta: marked, status, code, valueQuantity });
  const { birthDate, _birthDate } = patient;
  const meta = { tag: [...patient.meta.tag, SUBSETTED] };
  expect(await both('Patient', 'pa', '_elements=birthDate,link')).toEqual({
    resourceType: 'Patient',
    id: 'pa',
    meta,
    birthDate,
    _birthDate,
    link: patient.link,
  });
  expect((await refusal(ehr, 'Patient?_elements=colour')).text).toContain('`colour`');
  expect((await refusal(ehr, 'Patient/pa?_elements=colour')).text).toContain('`colour`');
  expect((await refusal(ehr, 'Patient/pa?_summary=count')).text).toContain('_summary=count');
  expect((await refusal(ehr, 'Patient/pa?_summary=true&_elements=name')).text).toContain('ask for one');
});

test('an element of a type by its name is asked of that type alone, a bare name of what is searched (#elements)', async () => {
  const query = 'Observation?_id=o-1&_include=Observation:subject';
  const partsOf = async (elements: string) =>
    (await bundleOf(ehr, `${query}&_elements=${elements}`)).entry!.map(({ resource }) => [
      resource.resourceType,
      'note' in resource,
      'active' in resource,
      'link' in resource,
    ]);
  expect(await partsOf('Patient.active')).toEqual([
    ['Observation', true, false, false],
    ['Patient', false, true, false],
  ]);
  expect(await partsOf('status')).toEqual([
    ['Observation', false, false, false],
    ['Patient', false, true, true],
  ]);
  expect(await partsOf('note,Patient.link')).toEqual([
    ['Observation', true, false, false],
    ['Patient', false, false, true],
  ]);
  const summary = await bundleOf(ehr, `${query}&_summary=true`);
  expect(summary.entry!.map(({ resource }) => resource.meta?.tag?.at(-1))).toEqual([SUBSETTED, SUBSETTED]);
});

test('decimals stay as they were written, in a part and in the whole', async () => {
  const bytes = async (path: string): Promise<string> =>
    (await fetch(`${world.url}/fhir/${path}`, { headers: { Authorization: `Bearer ${await world.token('ehr-ima', 'system/*.rs')}` } })).text();
  for (const query of ['', '_summary=true', '_summary=data', '_elements=value,component'])
    for (const path of [`Observation?_id=o-1&${query}`, `Observation/o-1?${query}`])
      expect([path, await bytes(path)]).toEqual([path, expect.stringMatching(/"value":70\.00,.*"value":1\.50,/)]);
  // Nothing was asked of it, so that it is what is stored.
  expect(await bytes('Observation/o-1')).not.toContain('SUBSETTED');
});

test('what has labels keeps them, and the mark is not given twice', async () => {
  const sensitive = { meta: { tag: [SUBSETTED], security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'HIV' }] } };
  const made = await ehr.post('MedicationStatement', lisinopril(sensitive));
  const whole = (await ehr.get(`MedicationStatement/${made.body.id}`)).body;
  expect(JSON.stringify(whole.meta.security)).toContain('"R"');
  for (const query of ['_summary=true', '_summary=text', '_elements=status'])
    expect((await ehr.get(`MedicationStatement/${made.body.id}?${query}`)).body.meta).toEqual(whole.meta);
});

test('in a batch, and of a line of the log', async () => {
  const entry = [{ request: { method: 'GET', url: 'Patient/pa?_elements=active' } }];
  const { body } = await ehr.post('', { resourceType: 'Bundle', type: 'batch', entry });
  expect(Object.keys(body.entry[0].resource).sort()).toEqual(['active', 'id', 'meta', 'resourceType']);
  await store(ehr, [{ resourceType: 'Observation', id: 'o-2', status: 'final', code: { text: 'x' }, subject: to('Patient/mary') }]);
  const mary = world.as(await world.token('med-app', 'patient/AuditEvent.rs', 'mary'));
  const lines = (await bundleOf(mary, 'AuditEvent?_elements=action')).entry!;
  expect(lines.length).toBeGreaterThan(0);
  // What R4 demands of an AuditEvent, and what was asked for.
  for (const { resource } of lines)
    expect(Object.keys(resource).sort()).toEqual(['action', 'agent', 'id', 'meta', 'recorded', 'resourceType', 'source', 'type']);
});

test('the etag is that of the version, and what the client has need not come again', async () => {
  const { headers } = await ehr.get('Patient/pa?_elements=name');
  expect(headers.etag).toBe('W/"1"');
  expect((await ehr.get('Patient/pa?_elements=name', { 'If-None-Match': 'W/"1"' })).status).toBe(304);
});
