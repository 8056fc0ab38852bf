import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import { type Client, openWorld, resourcesOf, type World } from './world.ts';

// `:in`, `:not-in`, `:above`, `:below` over HTTP: http://hl7.org/fhir/R4/search.html#token
let world: World;
let ehr: Client;
let harbor: Client;

/** The ids that a search finds, sorted. */
async function find(query: string, client = ehr): Promise<readonly string[]> {
  const { status, body } = await client.get(query);
  expect([query, status, body.issue]).toEqual([query, 200, undefined]);
  return resourcesOf(body)
    .map(({ id }) => id!)
    .sort();
}
async function refuse(query: string, client = ehr): Promise<{ readonly code: string; readonly text: string }> {
  const { status, body } = await client.get(query);
  expect([query, status, body.resourceType]).toEqual([query, 400, 'OperationOutcome']);
  return { code: body.issue[0].code, text: body.issue[0].diagnostics };
}

const LOCAL = 'https://ima.example/fhir/CodeSystem/findings';
const LOINC = 'http://loinc.org';
const ACT = 'http://terminology.hl7.org/CodeSystem/v3-ActCode';
const GENDERS = 'http://hl7.org/fhir/administrative-gender';
const sets = 'https://ima.example/fhir/ValueSet';

const findings = {
  resourceType: 'CodeSystem',
  id: 'findings',
  url: LOCAL,
  status: 'active',
  content: 'complete',
  concept: [{ code: 'pressure', concept: [{ code: 'systolic' }, { code: 'diastolic' }] }, { code: 'pulse' }],
};
const valueSet = (id: string, include: readonly object[], more: object = {}, exclude?: readonly object[]): Resource => ({
  resourceType: 'ValueSet',
  id,
  url: `${sets}/${id}`,
  status: 'active',
  compose: { include, ...(exclude === undefined ? {} : { exclude }) },
  ...more,
});
const named = (system: string, ...codes: readonly string[]): object => ({ system, concept: codes.map(code => ({ code })) });
const belowPressure = { system: LOCAL, filter: [{ property: 'concept', op: 'is-a', value: 'pressure' }] };
const stored: readonly Resource[] = [
  findings,
  { ...findings, id: 'part', url: `${LOCAL}-part`, content: 'fragment' },
  valueSet('vitals', [belowPressure, named(LOINC, '8867-4')]),
  valueSet('vitals-1-9', [named(LOCAL, 'pulse')], { url: `${sets}/versions`, version: '1.9' }),
  valueSet('vitals-1-10', [named(LOCAL, 'systolic')], { url: `${sets}/versions`, version: '1.10' }),
  valueSet('twice-a', [named(LOCAL, 'pulse')], { url: `${sets}/twice` }),
  valueSet('twice-b', [named(LOCAL, 'systolic')], { url: `${sets}/twice` }),
  valueSet('loinc', [{ system: LOINC }]),
  valueSet('loinc-but', [{ system: LOINC }], {}, [named(LOINC, '8867-4')]),
  valueSet('both', [{ valueSet: [`${sets}/vitals`] }], {}, [{ valueSet: [`${sets}/loinc`] }]),
  valueSet('round', [{ valueSet: [`${sets}/way`] }]),
  valueSet('way', [{ valueSet: [`${sets}/round`] }]),
  valueSet('lost', [{ valueSet: [`${sets}/nowhere`] }]),
  valueSet('part', [{ ...belowPressure, system: `${LOCAL}-part` }]),
  valueSet('large', [named(LOCAL, ...Array.from({ length: 2001 }, (_, at) => `c${at}`))]),
  valueSet('hidden', [named(LOCAL, 'systolic')], { status: 'draft' }),
  valueSet('through', [{ valueSet: [`${sets}/hidden`] }]),
  // Nothing stored can say what R4 says itself.
  valueSet('gender', [named(GENDERS, 'unknown')], { url: 'http://hl7.org/fhir/ValueSet/administrative-gender' }),
];
const observations: readonly (readonly [string, readonly (readonly [string | undefined, string])[]])[] = [
  ['o-sys', [[LOCAL, 'systolic']]],
  [
    'o-pulse',
    [
      [LOCAL, 'pulse'],
      [LOINC, '8867-4'],
    ],
  ],
  ['o-other', [[LOINC, '1234-5']]],
  ['o-plain', [[undefined, 'systolic']]],
  ['o-act', [[ACT, 'HIV']]],
];

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  harbor = world.as(await world.token('ehr-harbor', 'system/*.cruds'));
  const put = async (client: Client, resource: Resource): Promise<void> => {
    const { status, body } = await client.put(`${resource.resourceType}/${resource.id}`, resource);
    expect([resource.id, status, body.issue]).toEqual([resource.id, 201, undefined]);
  };
  for (const resource of stored) await put(ehr, resource);
  for (const gender of ['female', 'male', 'other']) await put(ehr, { resourceType: 'Patient', id: `p-${gender}`, gender });
  for (const [id, codes] of observations)
    await put(ehr, {
      resourceType: 'Observation',
      id,
      status: 'final',
      code: { coding: codes.map(([system, code]) => ({ ...(system === undefined ? {} : { system }), code })) },
      subject: { reference: 'Patient/p-female' },
    });
});
afterAll(() => world.end());

describe(':in and :not-in', () => {
  test('by canonical, by id and by address: the coding as a whole is in the value set', async () => {
    for (const form of [`${sets}/vitals`, 'ValueSet/vitals', `${world.url}/fhir/ValueSet/vitals`])
      expect([form, await find(`Observation?code:in=${form}`)]).toEqual([form, ['o-pulse', 'o-sys']]);
    expect(await find(`Observation?code:not-in=${sets}/vitals`)).toEqual(['o-act', 'o-other', 'o-plain']);
    expect(await find(`Observation?code:in=${sets}/loinc`)).toEqual(['o-other', 'o-pulse']);
    expect(await find(`Observation?code:in=${sets}/both`)).toEqual(['o-sys']);
    expect(await find(`Observation?code:in=${sets}/loinc,ValueSet/both&code:not-in=${sets}/vitals`)).toEqual(['o-other']);
  });

  test('in counts, on every page, and at the end of chains', async () => {
    expect((await ehr.get(`Observation?code:in=${sets}/vitals&_summary=count`)).body.total).toBe(2);
    const first = (await ehr.get(`Observation?code:in=${sets}/vitals&_count=1&_total=accurate`)).body;
    expect([first.entry.length, first.total]).toEqual([1, 2]);
    expect((await find(first.link.find((link: { relation: string }) => link.relation === 'next').url)).length).toBe(1);
    expect(await find(`Patient?_has:Observation:patient:code:in=${sets}/vitals`)).toEqual(['p-female']);
    expect(await find('Observation?subject:Patient.gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender')).toEqual([]);
  });

  test("R4's own value sets, where the element implies the system; none that is stored comes before them", async () => {
    const own = 'http://hl7.org/fhir/ValueSet/administrative-gender';
    for (const form of [own, `${own}|4.0.1`])
      expect(await find(`Patient?gender:in=${form}&_id=p-female,p-male,p-other`)).toEqual(['p-female', 'p-male', 'p-other']);
    expect(await find('Patient?gender:in=ValueSet/gender')).toEqual([]);
    expect(await find('Patient?gender:not-in=ValueSet/gender&_id=p-female')).toEqual(['p-female']);
  });

  test('of several versions the newest, or the one that is named', async () => {
    expect(await find(`Observation?code:in=${sets}/versions`)).toEqual(['o-sys']);
    expect(await find(`Observation?code:in=${sets}/versions|1.9`)).toEqual(['o-pulse']);
    expect((await refuse(`Observation?code:in=${sets}/versions|2`)).text).toContain('versions|2');
    expect((await refuse(`Observation?code:in=${sets}/twice`)).text).toContain(`${sets}/twice`);
  });

  test('what cannot be told is a clear 400, never an answer', async () => {
    const cases: readonly (readonly [string, string, readonly string[]])[] = [
      [`${sets}/nowhere`, 'value', [`${sets}/nowhere`]],
      ['ValueSet/nowhere', 'value', ['ValueSet/nowhere']],
      ['Patient/p-male', 'value', ['Patient/p-male']],
      ['%20', 'value', []],
      [`${sets}/lost`, 'value', [`${sets}/lost`, `${sets}/nowhere`]],
      [`${sets}/round`, 'value', ['includes itself', `${sets}/way`]],
      [`${sets}/part`, 'not-supported', [`${sets}/part`, `${LOCAL}-part`, 'fragment']],
      [`${sets}/loinc-but`, 'not-supported', [`${sets}/loinc-but`, LOINC]],
      [`${sets}/large`, 'too-costly', [`${sets}/large`, '2000']],
      ['http://hl7.org/fhir/ValueSet/condition-code', 'not-supported', ['condition-code', 'http://snomed.info/sct']],
    ];
    for (const [form, code, parts] of cases) {
      const told = await refuse(`Observation?code:in=${form}`);
      expect([form, told.code, ...parts.filter(part => !told.text.includes(part))]).toEqual([form, code]);
    }
    expect((await ehr.get(`Observation?code:in=${sets}/nowhere`, { Prefer: 'handling=lenient' })).status).toBe(400);
  });

  test('a value set that the caller may not read is like one that is not there', async () => {
    expect(await find(`Observation?code:in=${sets}/hidden`)).toEqual(['o-sys']);
    const limited = world.as(await world.token('ehr-ima', 'system/Observation.rs system/ValueSet.rs?status=active'));
    expect(await find(`Observation?code:in=${sets}/loinc`, limited)).toEqual(['o-other', 'o-pulse']);
    for (const form of [`${sets}/hidden`, 'ValueSet/hidden']) {
      const told = await refuse(`Observation?code:in=${form}`, limited);
      const nowhere = await refuse(`Observation?code:in=${form.replace('hidden', 'nowhere')}`, limited);
      expect({ ...told, text: told.text.replaceAll('hidden', 'nowhere') }).toEqual(nowhere);
    }
    expect((await refuse(`Observation?code:in=${sets}/through`, limited)).text).toContain(`${sets}/hidden`);
    // What it may not read is no second definition either.
    expect(
      (await ehr.put('ValueSet/loinc-next', valueSet('loinc-next', [named(LOCAL, 'pulse')], { url: `${sets}/loinc`, version: '2', status: 'draft' }))).status,
    ).toBe(201);
    expect(await find(`Observation?code:in=${sets}/loinc`, limited)).toEqual(['o-other', 'o-pulse']);
  });

  test("without a scope over ValueSet and CodeSystem only R4's own are there", async () => {
    const narrow = world.as(await world.token('ehr-ima', 'system/Observation.rs system/Patient.rs'));
    expect((await refuse(`Observation?code:in=${sets}/vitals`, narrow)).text).toContain(`${sets}/vitals`);
    expect((await refuse(`Observation?code:below=${LOCAL}|pressure`, narrow)).text).toContain(LOCAL);
    expect(await find(`Observation?code:below=${ACT}|_ActInformationSensitivityPolicy`, narrow)).toEqual(['o-act']);
    expect(await find('Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender&_id=p-male', narrow)).toEqual(['p-male']);
  });

  test("somebody else's newer version does not change what a search means", async () => {
    const twin = valueSet('vitals-of-harbor', [named(LOCAL, 'pulse')], { url: `${sets}/versions`, version: '9' });
    expect((await harbor.put('ValueSet/vitals-of-harbor', twin)).status).toBe(201);
    expect((await refuse(`Observation?code:in=${sets}/versions`)).text).toContain('more than one contributor');
    expect(await find(`Observation?code:in=${sets}/versions|1.10`)).toEqual(['o-sys']);
  });
});

describe(':above and :below', () => {
  test("by R4's own hierarchies and by a stored CodeSystem", async () => {
    expect(await find(`Observation?code:below=${ACT}|_ActInformationSensitivityPolicy`)).toEqual(['o-act']);
    expect(await find(`Observation?code:above=${ACT}|HIV`)).toEqual(['o-act']);
    expect(await find(`Observation?code:below=${LOCAL}|pressure`)).toEqual(['o-sys']);
    expect(await find(`Observation?code:above=${LOCAL}|systolic`)).toEqual(['o-sys']);
    expect(await find(`Observation?code:above=${LOCAL}|pressure`)).toEqual([]);
    expect(await find(`Observation?code:below=${LOCAL}|pressure,${LOCAL}|pulse`)).toEqual(['o-pulse', 'o-sys']);
  });

  test('where the element implies the system, the code is enough', async () => {
    for (const form of ['male', `${GENDERS}|male`]) expect(await find(`Patient?gender:below=${form}&_id=p-female,p-male`)).toEqual(['p-male']);
  });

  test('what cannot be told is a clear 400', async () => {
    for (const [form, code, part] of [
      ['systolic', 'value', 'system|code'],
      [`${LOCAL}|nonsense`, 'value', 'nonsense'],
      [`${LOINC}|8867-4`, 'not-supported', LOINC],
      [`${LOCAL}-part|pressure`, 'not-supported', 'fragment'],
    ] as const) {
      const told = await refuse(`Observation?code:below=${form}`);
      expect([form, told.code, told.text.includes(part)]).toEqual([form, code, true]);
    }
  });
});

test('no criterion of a write depends on a terminology (http.html#ccreate)', async () => {
  const { id: _, ...observation } = (await ehr.get('Observation/o-sys')).body;
  const answer = await ehr.post('Observation', observation, { 'If-None-Exist': `code:in=${sets}/vitals` });
  expect([answer.status, answer.body.issue[0].diagnostics.includes('code:in')]).toEqual([400, true]);
});
