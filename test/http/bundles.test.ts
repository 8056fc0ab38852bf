import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import { lisinopril, statement } from './resources.ts';
import { type Client, openWorld, resourcesOf, type World } from './world.ts';

// Batches and transactions: http://hl7.org/fhir/R4/http.html#transaction
let world: World;
let ehr: Client;
let mary: Client;

beforeAll(async () => {
  world = await openWorld();
  ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  mary = world.as(await world.token('med-app', 'patient/*.cruds', 'mary'));
  const harbor = world.as(await world.token('ehr-harbor', 'system/*.cruds'));
  await harbor.put('Patient/of-harbor', { resourceType: 'Patient', id: 'of-harbor' });
});
afterAll(() => world.end());

interface Entry {
  readonly fullUrl?: string;
  readonly resource?: object;
  readonly request: { readonly method: string; readonly url: string; readonly ifNoneExist?: string; readonly ifMatch?: string };
}
interface Answered {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly response: {
    readonly status: string;
    readonly location?: string;
    readonly etag?: string;
    readonly outcome?: { readonly issue: readonly { readonly diagnostics: string }[] };
  };
}
const bundle = (type: string, ...entry: readonly unknown[]): object => ({ resourceType: 'Bundle', type, entry });
const post = (resource: Resource, more: Partial<Entry> & { readonly ifNoneExist?: string } = {}): Entry => {
  const { ifNoneExist, ...rest } = more;
  return { resource, request: { method: 'POST', url: resource.resourceType, ...(ifNoneExist === undefined ? {} : { ifNoneExist }) }, ...rest };
};
const put = (resource: Resource, more: object = {}): Entry => ({
  resource,
  request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}`, ...more },
});
const get = (url: string): Entry => ({ request: { method: 'GET', url } });
const remove = (url: string): Entry => ({ request: { method: 'DELETE', url } });
const practitioner = (identifier: string, more: object = {}): Resource => ({
  resourceType: 'Practitioner',
  identifier: [{ system: 'urn:example:npi', value: identifier }],
  ...more,
});
const statuses = (answer: { body: { entry: readonly Answered[] } }): readonly string[] => answer.body.entry.map(entry => entry.response.status.slice(0, 3));
const total = async (query: string): Promise<number> => (await ehr.get(`${query}${query.includes('?') ? '&' : '?'}_summary=count`)).body.total;
const URN = 'urn:uuid:00000000-0000-4000-8000-';
const urn = (number: number): string => `${URN}${String(number).padStart(12, '0')}`;

test('a transaction resolves urn:uuid references, whatever the order of its entries (#trules)', async () => {
  const answer = await ehr.post(
    '',
    bundle(
      'transaction',
      post(statement('314076', 'lisinopril', { subject: { reference: urn(1) }, informationSource: { reference: urn(3) } }), { fullUrl: urn(2) }),
      post({ resourceType: 'Patient', name: [{ family: 'Later' }] }, { fullUrl: urn(1) }),
      post(practitioner('t1', { text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml"><a href="${urn(1)}">who</a></div>` } }), {
        fullUrl: urn(3),
      }),
    ),
  );
  expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
  expect(answer.body.type).toBe('transaction-response');
  expect(statuses(answer)).toEqual(['201', '201', '201']);
  const [made, patient, doctor] = (answer.body.entry as Answered[]).map(entry => entry.resource!);
  expect(made).toMatchObject({ subject: { reference: `Patient/${patient!.id}` }, informationSource: { reference: `Practitioner/${doctor!.id}` } });
  expect(answer.body.entry[0].response).toMatchObject({
    location: `${world.url}/fhir/MedicationStatement/${made!.id}/_history/1`,
    etag: 'W/"1"',
    lastModified: made!.meta!.lastUpdated,
  });
  expect((await ehr.get(`MedicationStatement/${made!.id}`)).body).toEqual(made);
  expect((await ehr.get(`MedicationStatement?subject=Patient/${patient!.id}`)).body.total).toBe(1);
});

test('two entries may refer to each other (#trules)', async () => {
  const basic = (other: number): Resource => ({
    resourceType: 'List',
    status: 'current',
    mode: 'working',
    subject: { reference: 'Patient/mary' },
    entry: [{ item: { reference: urn(other) } }],
  });
  const answer = await ehr.post('', bundle('transaction', post(basic(11), { fullUrl: urn(10) }), post(basic(10), { fullUrl: urn(11) })));
  expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
  const [one, other] = (answer.body.entry as Answered[]).map(entry => entry.resource as Resource & { entry: { item: { reference: string } }[] });
  expect([one!.entry[0]!.item.reference, other!.entry[0]!.item.reference]).toEqual([`List/${other!.id}`, `List/${one!.id}`]);
});

test('a conditional reference is resolved where exactly one resource matches (#trules)', async () => {
  const { body: doctor } = await ehr.post('Practitioner', practitioner('c1'));
  const citing = (criteria: string): Resource => statement('314076', 'lisinopril', { informationSource: { reference: `Practitioner?${criteria}` } });
  const answer = await ehr.post('', bundle('transaction', post(citing('identifier=urn:example:npi|c1'))));
  expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
  expect(answer.body.entry[0].resource.informationSource.reference).toBe(`Practitioner/${doctor.id}`);
  await ehr.post('Practitioner', practitioner('c2'));
  await ehr.post('Practitioner', practitioner('c2'));
  for (const [criteria, status] of [
    ['identifier=urn:example:npi|none', 412],
    ['identifier=urn:example:npi|c2', 412],
    ['nonsense=1', 400],
    ['', 400],
  ] as const) {
    const refused = await ehr.post('', bundle('transaction', post(practitioner('c3')), post(citing(criteria))));
    expect([criteria, refused.status]).toEqual([criteria, status]);
    expect(refused.body.issue[0].diagnostics).toContain('entry 1');
  }
  expect(await total('Practitioner?identifier=urn:example:npi|c3')).toBe(0);
});

test('ifNoneExist: what is there is used, and references go to it (#ccreate)', async () => {
  const { body: doctor } = await ehr.post('Practitioner', practitioner('n1'));
  const criterion = { ifNoneExist: 'identifier=urn:example:npi|n1' };
  const cites = (number: number): Resource => statement('314076', 'lisinopril', { informationSource: { reference: urn(number) } });
  const answer = await ehr.post('', bundle('transaction', post(cites(20)), post(practitioner('n1'), { fullUrl: urn(20), ...criterion })));
  expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
  expect(statuses(answer)).toEqual(['201', '200']);
  expect(answer.body.entry[0].resource.informationSource.reference).toBe(`Practitioner/${doctor.id}`);
  const again = await ehr.post(
    '',
    bundle('transaction', post(practitioner('n2'), { fullUrl: urn(21), ifNoneExist: 'identifier=urn:example:npi|n2' }), post(cites(21))),
  );
  expect(statuses(again)).toEqual(['201', '201']);
  expect(await total('Practitioner?identifier=urn:example:npi|n1')).toBe(1);
  await ehr.post('Practitioner', practitioner('n1'));
  const several = await ehr.post('', bundle('transaction', post(cites(20)), post(practitioner('n1'), { fullUrl: urn(20), ...criterion })));
  expect([several.status, several.body.issue[0].code]).toEqual([412, 'multiple-matches']);
  expect(several.body.issue[0].diagnostics).toContain('entry 1');
});

test('equal transactions at once with ifNoneExist make one resource (#ccreate)', async () => {
  const one = bundle('transaction', post(practitioner('race'), { fullUrl: urn(1), ifNoneExist: 'identifier=urn:example:npi|race' }));
  const answers = await Promise.all(Array.from({ length: 10 }, () => ehr.post('', one)));
  expect(answers.map(answer => answer.status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(await total('Practitioner?identifier=urn:example:npi|race')).toBe(1);
});

test('DELETE, POST, PUT and GET are done in this order, and answered in the order of the entries (#trules)', async () => {
  const { body: gone } = await ehr.post('Practitioner', practitioner('o1'));
  const { body: kept } = await ehr.post('Practitioner', practitioner('o2'));
  const answer = await ehr.post(
    '',
    bundle(
      'transaction',
      get('Practitioner?identifier=urn:example:npi|o1,urn:example:npi|o2,urn:example:npi|o3&_sort=identifier'),
      put({ ...kept, active: true }),
      post(practitioner('o3')),
      remove(`Practitioner/${gone.id}`),
      get(`Practitioner/${kept.id}`),
      get(`Practitioner/${gone.id}`),
    ),
  );
  expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
  expect(statuses(answer)).toEqual(['200', '200', '201', '204', '200', '410']);
  const entries = answer.body.entry as Answered[];
  expect(resourcesOf(entries[0]!.resource as never).map(one => (one.identifier as { value: string }[])[0]!.value)).toEqual(['o2', 'o3']);
  expect(entries[4]!.resource).toMatchObject({ active: true, meta: { versionId: '2' } });
});

test('one entry that fails is named, and nothing is stored (#trules)', async () => {
  const { body: doctor } = await ehr.post('Practitioner', practitioner('f0'));
  const failing: readonly [string, unknown, number][] = [
    ['a wrong resource', post({ resourceType: 'Practitioner', gender: 'nonsense' }), 400],
    ['a stale If-Match', put({ ...doctor, active: true }, { ifMatch: 'W/"9"' }), 412],
    ['a malformed If-Match', put({ ...doctor, active: true }, { ifMatch: '9' }), 400],
    ['nothing to delete', remove('Practitioner/unknown'), 404],
    ["another organization's Patient", post(lisinopril({ subject: { reference: 'Patient/of-harbor' } })), 403],
    ['a refused type', post({ resourceType: 'AuditEvent' }), 405],
    ['a refused update', put({ resourceType: 'Provenance', id: 'x' }), 405],
    ['an unknown type', post({ resourceType: 'Nonsense' }), 404],
    ['a wrong id', { resource: practitioner('x'), request: { method: 'PUT', url: 'Practitioner/a b' } }, 400],
    ['a broken address', { resource: practitioner('x'), request: { method: 'PUT', url: 'Practitioner/%E0%A4%A' } }, 400],
    ['the id of another', { resource: practitioner('x', { id: 'one' }), request: { method: 'PUT', url: 'Practitioner/other' } }, 400],
    ['another server', { resource: practitioner('x'), request: { method: 'POST', url: 'https://elsewhere.example/fhir/Practitioner' } }, 400],
    ['PATCH', { resource: practitioner('x'), request: { method: 'PATCH', url: 'Practitioner/x' } }, 400],
    ['no request', { resource: practitioner('x') }, 400],
    ['no resource', { request: { method: 'POST', url: 'Practitioner' } }, 400],
    ['a request that is a number', { resource: practitioner('x'), request: 7 }, 400],
    ['an address that is a number', { resource: practitioner('x'), request: { method: 'POST', url: 7 } }, 400],
    ['a method that is a list', { resource: practitioner('x'), request: { method: ['POST'], url: 'Practitioner' } }, 400],
    ['an If-Match that is a number', { resource: doctor, request: { method: 'PUT', url: `Practitioner/${doctor.id}`, ifMatch: 1 } }, 400],
    ['an ifNoneExist that is a list', { resource: practitioner('x'), request: { method: 'POST', url: 'Practitioner', ifNoneExist: ['a'] } }, 400],
    ['a fullUrl that is a number', { fullUrl: 5, resource: practitioner('x'), request: { method: 'POST', url: 'Practitioner' } }, 400],
    ['an entry that is none', null, 400],
    ['an entry that is a text', 'entry', 400],
  ];
  for (const [what, entry, status] of failing) {
    const answer = await ehr.post('', bundle('transaction', post(practitioner('f1')), entry));
    expect([what, answer.status, answer.body.resourceType]).toEqual([what, status, 'OperationOutcome']);
    expect([what, answer.body.issue[0].diagnostics]).toEqual([what, expect.stringContaining('entry 1')]);
    expect([what, answer.body.issue[0].expression?.[0]]).toEqual([what, expect.stringContaining('Bundle.entry[1]')]);
  }
  expect(await total('Practitioner?identifier=urn:example:npi|f1')).toBe(0);
  expect((await ehr.get(`Practitioner/${doctor.id}`)).body.meta.versionId).toBe('1');
});

test('the place in the resource is told through the Bundle (#trules)', async () => {
  const answer = await ehr.post(
    '',
    bundle('transaction', post(practitioner('w1')), post({ resourceType: 'Practitioner', name: [{ family: 7 }] } as unknown as Resource)),
  );
  expect(answer.status).toBe(400);
  expect(answer.body.issue[0].expression).toEqual(['Bundle.entry[1].resource.name[0].family']);
});

test('two entries about one resource, or with one fullUrl, are refused (#trules)', async () => {
  const { body: doctor } = await ehr.post('Practitioner', practitioner('d1'));
  const same = put({ ...doctor, active: true });
  const twice: readonly (readonly [Entry, Entry])[] = [
    [same, same],
    [same, remove(`Practitioner/${doctor.id}`)],
    [post(practitioner('d2'), { ifNoneExist: 'identifier=urn:example:npi|d2' }), post(practitioner('d2'), { ifNoneExist: 'identifier=urn:example:npi|d2' })],
    [post(practitioner('d3'), { fullUrl: urn(5) }), post(practitioner('d4'), { fullUrl: urn(5) })],
    // A conditional create that finds what another entry changes.
    [same, post(practitioner('d1'), { ifNoneExist: 'identifier=urn:example:npi|d1', fullUrl: urn(6) })],
  ];
  for (const [index, entries] of twice.entries()) {
    const answer = await ehr.post('', bundle('transaction', ...entries));
    expect([index, answer.status]).toEqual([index, 400]);
    expect(answer.body.issue[0].diagnostics).toMatch(/entries 0 and 1/);
  }
  expect((await ehr.get(`Practitioner/${doctor.id}`)).body.meta.versionId).toBe('1');
});

test('a Medication and the statement that cites it: the statement takes its labels, in either order', async () => {
  const drug: Resource = {
    resourceType: 'Medication',
    code: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '1819', display: 'buprenorphine' }] },
  };
  const citing: Resource = {
    resourceType: 'MedicationStatement',
    status: 'active',
    subject: { reference: 'Patient/mary' },
    medicationReference: { reference: urn(30) },
  };
  for (const entries of [
    [post(drug, { fullUrl: urn(30) }), post(citing)],
    [post(citing), post(drug, { fullUrl: urn(30) })],
  ]) {
    const answer = await ehr.post('', bundle('transaction', ...entries));
    expect([answer.status, answer.body.issue]).toEqual([200, undefined]);
    for (const { resource } of answer.body.entry as Answered[])
      expect([resource!.resourceType, resource!.meta!.security?.map(coding => coding.code)]).toEqual([resource!.resourceType, expect.arrayContaining(['R'])]);
    // The Medication is in the record that cites it now, so the patient sees it too.
    const medication = (answer.body.entry as Answered[]).find(entry => entry.resource!.resourceType === 'Medication')!.resource!;
    expect((await mary.get(`Medication/${medication.id}`)).status).toBe(200);
  }
});

test('a patient’s app may send transactions within its rights (ACCESS §3)', async () => {
  const answer = await mary.post('', bundle('transaction', post(statement('5640', 'ibuprofen')), post(statement('161', 'acetaminophen'))));
  expect([answer.status, statuses(answer)]).toEqual([200, ['201', '201']]);
  const [ibuprofen] = answer.body.entry as Answered[];
  const { body: theirs } = await ehr.post('MedicationStatement', lisinopril());
  const refused = await mary.post('', bundle('transaction', put({ ...ibuprofen!.resource!, status: 'completed' }), put({ ...theirs, status: 'stopped' })));
  expect([refused.status, refused.body.issue[0].diagnostics]).toEqual([403, expect.stringMatching(/^entry 1: .*correction-request/)]);
  expect((await mary.get(`MedicationStatement/${ibuprofen!.resource!.id}`)).body.meta.versionId).toBe('1');
  // A PUT to an id that is not there creates for systems only.
  expect((await mary.post('', bundle('transaction', put(statement('1', 'x', { id: 'mine' }))))).status).toBe(404);
});

test('a transaction is in the log as what it did, each line in its commit (ACCESS §6)', async () => {
  const since = new Date().toISOString();
  const audit = world.as(await world.token('med-app', 'patient/*.cruds patient/AuditEvent.rs', 'mary'));
  await mary.post('', bundle('transaction', post(statement('5640', 'ibuprofen')), post(statement('161', 'acetaminophen'))));
  const events = resourcesOf((await audit.get(`AuditEvent?date=ge${encodeURIComponent(since)}&action=C`)).body);
  expect(events).toHaveLength(2);
});

test('in a batch each entry stands alone (#brules)', async () => {
  const { body: doctor } = await ehr.post('Practitioner', practitioner('b0'));
  const answer = await ehr.post(
    '',
    bundle(
      'batch',
      post(practitioner('b1')),
      post({ resourceType: 'Practitioner', gender: 'nonsense' }),
      put({ ...doctor, active: true }, { ifMatch: 'W/"9"' }),
      get(`Practitioner/${doctor.id}`),
      get('Practitioner/unknown'),
      get('Practitioner?identifier=urn:example:npi|b1'),
      post({ resourceType: 'AuditEvent' }),
      remove(`Practitioner/${doctor.id}`),
      { request: { method: 'GET', url: 'Practitioner/%zz' } },
      { request: { method: 'GET', url: 7 } },
      'nonsense',
      null,
      post(bundle('batch', get('Patient')) as Resource, {}),
      { resource: bundle('batch', get('Practitioner')), request: { method: 'POST', url: '' } },
      get('metadata'),
      post(practitioner('b1'), { ifNoneExist: 'identifier=urn:example:npi|b1' }),
    ),
  );
  expect([answer.status, answer.body.type]).toEqual([200, 'batch-response']);
  expect(statuses(answer)).toEqual(['201', '400', '412', '200', '404', '200', '405', '204', '400', '400', '400', '400', '201', '400', '200', '200']);
  const entries = answer.body.entry as Answered[];
  for (const entry of entries) expect(Number(entry.response.status.slice(0, 3)) >= 400).toBe(entry.response.outcome !== undefined);
  expect(entries[1]!.response.outcome!.issue[0]!.diagnostics).toContain('nonsense');
  expect(entries[5]!.resource).toMatchObject({ resourceType: 'Bundle', type: 'searchset', total: 1 });
  expect(entries[0]!.response).toMatchObject({ location: expect.stringContaining('/Practitioner/'), etag: 'W/"1"' });
});

test('what is no batch and no transaction is refused', async () => {
  const wrong: readonly unknown[] = [
    bundle('collection'),
    bundle('nonsense'),
    { resourceType: 'Bundle' },
    { ...bundle('batch'), resourceType: 'Patient' },
    { type: 'batch', entry: [] },
    { resourceType: 'Bundle', type: 'batch', entry: {} },
    { resourceType: 'Bundle', type: 'transaction', entry: 'x' },
    [],
    'text',
    7,
    null,
  ];
  for (const body of wrong) {
    const answer = await ehr.post('', JSON.stringify(body));
    expect([body, answer.status, answer.body.resourceType]).toEqual([body, 400, 'OperationOutcome']);
  }
  for (const type of ['batch', 'transaction']) {
    const empty = await ehr.post('', { resourceType: 'Bundle', type });
    expect([empty.status, empty.body.type, empty.body.entry]).toEqual([200, `${type}-response`, undefined]);
  }
});
