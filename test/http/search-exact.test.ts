import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Searchset } from './searchset.ts';
import { type Client, openWorld, type World } from './world.ts';

// What is easily missed of http://hl7.org/fhir/R4/search.html.
let world: World;
let ehr: Client;

const ucum = 'http://unitsofmeasure.org';
const quantity = (value: number) => ({ value, unit: 'kg', system: ucum, code: 'kg' });
const observation = (id: string, more: object) => ({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ code: 'x' }] }, ...more });
const resources = [
  {
    resourceType: 'Patient',
    id: 'e-lukasz',
    gender: 'male',
    active: true,
    name: [{ family: 'Smith', given: ['Łukasz'] }],
    identifier: [{ system: 'urn:only' }],
  },
  { resourceType: 'Patient', id: 'e-tagged', gender: 'female', meta: { tag: [{ system: 'urn:t', code: 'x' }] }, name: [{ family: 'Groß' }] },
  observation('e-long', { valueQuantity: quantity(656.6060000000001), subject: { reference: 'Patient/e-tagged' } }),
  observation('e-longer', { valueQuantity: quantity(78.12345678901234), subject: { display: 'somebody' }, meta: { tag: [{ system: 'urn:t', code: 'x' }] } }),
  observation('e-contained', { subject: { reference: '#p' }, contained: [{ resourceType: 'Patient', id: 'p' }] }),
  { resourceType: 'Encounter', id: 'e-visit', status: 'finished', class: { code: 'AMB' }, subject: { reference: 'Patient/e-tagged' } },
  { resourceType: 'Medication', id: 'e-lot', status: 'active', batch: { lotNumber: 'AB1' } },
  { resourceType: 'ValueSet', id: 'e-set', status: 'draft', url: 'http://acme.example/ValueSet/1', version: '7' },
];
beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  for (const resource of resources)
    expect([resource.id, (await ehr.put(`${resource.resourceType}/${resource.id}`, resource)).status]).toEqual([resource.id, 201]);
});
afterAll(() => world.end());

async function find(query: string, headers?: Record<string, string>): Promise<readonly string[]> {
  const { status, body } = await ehr.get(query, headers);
  expect([query, status, body.issue]).toEqual([query, 200, undefined]);
  return ((body as Searchset).entry ?? []).map(({ resource }) => resource.id).filter(id => id?.startsWith('e-'));
}

describe('3.1.1.4.7 number and quantity: however many digits, a number finds itself', () => {
  test.each([
    ['Observation?value-quantity=656.6060000000001', 'e-long'],
    ['Observation?value-quantity=78.12345678901234', 'e-longer'],
    ['Observation?value-quantity=78.12345678901234||kg', 'e-longer'],
    [`Observation?value-quantity=78.12345678901234|${ucum}|kg`, 'e-longer'],
    [`Observation?value-quantity=78.1234567890|${ucum}|kg`, 'e-longer'],
    [`Observation?value-quantity=gt78.1234567890|${ucum}|kg&value-quantity=lt79`, 'e-longer'],
    [`Observation?value-quantity=78123.45678901|${ucum}|g`, 'e-longer'],
  ])('%s', async (query, id) => expect(await find(query)).toEqual([id]));
  test('and is not unlike itself', async () => expect(await find('Observation?value-quantity=ne78.12345678901234&_tag=urn:t|x')).toEqual([]));
});

describe('3.1.1.4.10 token: a system that is named is the one that is implied', () => {
  test.each([
    ['Patient?gender=http://hl7.org/fhir/administrative-gender|male&given=lukasz', ['e-lukasz']],
    ['Patient?gender=urn:wrong|male', []],
    ['Patient?gender:not=urn:wrong|male&given=lukasz', ['e-lukasz']],
    ['Patient?active=urn:wrong|true', []],
    ['Patient?active=http://terminology.hl7.org/CodeSystem/special-values|true&given=lukasz', ['e-lukasz']],
    ['Observation?status=urn:wrong|', []],
    ['Patient?identifier=urn:only|', ['e-lukasz']],
    // Which one is implied is not known: then it is not held against what is stored.
    ['Medication?lot-number=urn:lots|AB1', ['e-lot']],
  ])('%s', async (query, ids) => expect(await find(query)).toEqual(ids));
});

describe('3.1.1.4.4.1 :missing', () => {
  test.each([
    ['Observation?subject:missing=false&_id=e-longer,e-contained,e-long', ['e-long', 'e-longer', 'e-contained']],
    ['Observation?subject:missing=true&_id=e-longer,e-contained,e-long', []],
    ['Patient?identifier:missing=false&given=lukasz', ['e-lukasz']],
    ['Patient?_id:missing=true', []],
    ['Patient?_lastUpdated:missing=false&given=lukasz', ['e-lukasz']],
  ])('%s', async (query, ids) => expect(await find(query)).toEqual(ids));
});

describe('3.1.1.4.8 string', () => {
  test.each([
    ['Patient?given=lukasz', ['e-lukasz']],
    ['Patient?family=gross', ['e-tagged']],
    ['Patient?phonetic=Smyth', ['e-lukasz']],
    ['Patient?phonetic=Smyth Robert', []],
  ])('%s', async (query, ids) => expect(await find(query)).toEqual(ids));
});

test('3.1.1.4.9 uri: a version may stand after the url of what has one', async () => {
  expect(await find('ValueSet?url=http://acme.example/ValueSet/1|7')).toEqual(['e-set']);
  expect(await find('ValueSet?url=http://acme.example/ValueSet/1|8')).toEqual([]);
});

test('3.1.1.5.5 chaining: of several types that a reference may have, those that cannot go on are left out', async () => {
  expect(await find('Observation?subject._has:Encounter:patient:_id=e-visit')).toEqual(['e-long']);
  expect(await find('Observation?has-member.subject.name=smith&_id=e-long')).toEqual([]);
});

test('what all types have is asked of a whole compartment; the log, which is not found by it, is left out', async () => {
  expect(await find('Patient/e-tagged/*?_tag=urn:t|x')).toEqual(['e-tagged']);
});

test('3.1.1.4.14 a reference with a type takes no other', async () => {
  expect((await ehr.get('Observation?subject:Patient=Device/1')).status).toBe(400);
});

describe('3.1.1.2 handling', () => {
  test.each(['_query=x', '_filter=x', '_contained=true', '_containedType=container'])('%s is refused, however lenient', async parameter => {
    const { status, body } = await ehr.get(`Patient?${parameter}`, { Prefer: 'handling=lenient' });
    expect([status, body.issue?.[0].diagnostics]).toEqual([400, expect.stringContaining(parameter.split('=')[0]!)]);
  });
  test.each(['handling=lenientish', 'handling=strict; x="handling=lenient"'])('%s is not lenient', async Prefer => {
    expect((await ehr.get('Patient?colour=red', { Prefer })).status).toBe(400);
  });
  test('lenient among other preferences', async () => {
    expect((await ehr.get('Patient?colour=red', { Prefer: 'return=minimal, handling=lenient' })).status).toBe(200);
  });
  test('_contained=false is how it is', async () => expect(await find('Patient?_contained=false&given=lukasz')).toEqual(['e-lukasz']));
  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])('%s is a parameter that nobody knows', async name => {
    for (const path of ['Patient', 'Patient/e-lukasz/*', '']) expect([path, (await ehr.get(`${path}?${name}=x&_type=Patient`)).status]).toEqual([path, 400]);
    expect((await ehr.post('Patient', { resourceType: 'Patient' }, { 'If-None-Exist': `${name}=x` })).status).toBe(400);
  });
});

test('3.1.1.4.16 _text and _content take words, no logic', async () => {
  expect((await ehr.get('Patient?_text=(bone OR liver) and metastases')).status).toBe(400);
});
