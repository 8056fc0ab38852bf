import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { lisinopril } from './resources.ts';
import { type Client, openWorld, sendRaw, type World } from './world.ts';

// Whatever is sent, the answer is an OperationOutcome that names what is wrong and where: http://hl7.org/fhir/R4/http.html#2.21.0.4
let world: World;
let token: string;
let ehr: Client;

beforeAll(async () => {
  world = await openWorld({ KINDRED_MAX_BODY: '100kb' });
  token = await world.token('ehr-ima', 'system/*.cruds');
  ehr = world.as(token);
});
afterAll(() => world.end());

interface Told {
  readonly status: number;
  readonly body: {
    readonly resourceType?: string;
    readonly issue?: readonly { readonly code: string; readonly diagnostics: string; readonly expression?: readonly string[] }[];
  };
}
/** The status, and the first issue's words; fails unless it is an OperationOutcome with words in it. */
function told(what: unknown, { status, body }: Told): [number, string] {
  expect([what, body.resourceType, body.issue?.every(issue => issue.diagnostics !== '')]).toEqual([what, 'OperationOutcome', true]);
  return [status, body.issue![0]!.diagnostics];
}
const head = (method: string, path: string, ...lines: readonly string[]): string =>
  [`${method} /fhir/${path} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`, ...lines, '', ''].join('\r\n');
const json = 'Content-Type: application/fhir+json';
async function raw(...parts: readonly (string | Buffer)[]): Promise<Told & { readonly headers: Headers }> {
  const { status, headers, body } = await sendRaw(world, parts);
  return { status, headers, body: JSON.parse(body) };
}

test('a body that is not JSON is 400 and its place is told', async () => {
  for (const [text, place] of [
    ['{"resourceType":"Patient",}', 'line 1, column 27'],
    ['{"resourceType":"Patient"', 'ends too early'],
    ['{\n"resourceType" "Patient"}', 'line 2, column 16'],
    ['<Patient/>', 'line 1, column 1'],
    ['{"resourceType":"Patient"} x', 'line 1, column 28'],
    ['{"resourceType":"Patient","multipleBirthInteger":01}', 'line 1'],
    ['{"resourceType":"Patient","id":"\u0000"}', 'line 1'],
    ['NaN', 'line 1'],
  ] as const) {
    const answer = await ehr.post('Patient', text);
    expect([text, ...told(text, answer)]).toEqual([text, 400, expect.stringContaining(place)]);
  }
});

test('an empty body, a wrong content type, a compressed body, bytes that are not UTF-8', async () => {
  expect(told('empty', await ehr.post('Patient', ''))).toEqual([400, expect.stringContaining('body')]);
  for (const type of ['text/plain', 'application/fhir+xml', 'application/x-www-form-urlencoded', 'application/fhir+jsonx', 'nonsense'])
    expect([type, ...told(type, await ehr.post('Patient', '{"resourceType":"Patient"}', { 'Content-Type': type }))]).toEqual([
      type,
      415,
      expect.stringContaining(type),
    ]);
  expect(told('none', await raw(head('POST', 'Patient', 'Content-Length: 2'), '{}'))[0]).toBe(415);
  expect(told('gzip', await ehr.post('Patient', '{}', { 'Content-Encoding': 'gzip' }))).toEqual([415, expect.stringContaining('gzip')]);
  for (const bytes of [
    [0xff, 0xfe],
    [0xc3, 0x28],
    [0xed, 0xa0, 0x80],
  ]) {
    const body = Buffer.concat([Buffer.from('{"resourceType":"Patient","language":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expect(told(bytes, await raw(head('POST', 'Patient', json, `Content-Length: ${body.length}`), body))).toEqual([400, expect.stringContaining('UTF-8')]);
  }
});

test('an oversized body is 413 without reading it all', async () => {
  const large = `{"resourceType":"Patient","language":"${'x'.repeat(200_000)}"}`;
  expect(told('length', await ehr.post('Patient', large))).toEqual([413, expect.stringContaining('102400')]);
  // By its length alone: of ten gigabytes none is sent.
  expect(told('announced', await raw(head('POST', 'Patient', json, 'Content-Length: 10000000000')))[0]).toBe(413);
  // Without a length: as soon as the limit is passed.
  const chunk = `${(50_000).toString(16)}\r\n${'x'.repeat(50_000)}\r\n`;
  expect(told('chunked', await raw(head('POST', 'Patient', json, 'Transfer-Encoding: chunked'), chunk, chunk, chunk))[0]).toBe(413);
  // Who goes on is cut off.
  const endless = sendRaw(world, [head('POST', 'Patient', json, 'Transfer-Encoding: chunked'), ...Array.from({ length: 200 }, () => chunk)]);
  expect([413, 'cut off']).toContain(
    await endless.then(
      answer => answer.status,
      () => 'cut off',
    ),
  );
  // The connection of who was refused is still good.
  expect((await ehr.get('Patient/mary')).status).toBe(200);
});

test('a body that breaks off is no fault of the server', async () => {
  const { port } = world.server.address() as { port: number };
  const { connect } = await import('node:net');
  await new Promise<void>(resolve => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`${head('POST', 'Patient', json, 'Content-Length: 100')}{"reso`, () => setTimeout(() => socket.destroy(), 20)),
    );
    socket.on('close', () => resolve());
  });
  expect((await ehr.get('Patient/mary')).status).toBe(200);
});

test('deep nesting and names of prototypes are refused', async () => {
  const deep = `{"resourceType":"Patient","x":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
  expect(told('deep', await ehr.post('Patient', deep))).toEqual([400, expect.stringContaining('nested')]);
  for (const name of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])
    expect(told(name, await ehr.post('Patient', `{"resourceType":"Patient","${name}":{"polluted":true}}`))).toEqual([
      400,
      expect.stringContaining('may not be called'),
    ]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test('bodies that are no resource of the type', async () => {
  for (const body of [
    '[]',
    '"text"',
    '7',
    'null',
    'true',
    '{}',
    '{"resourceType":7}',
    '{"resourceType":null}',
    '{"resourceType":{"toString":null}}',
    '[{"resourceType":"Patient"}]',
  ])
    for (const send of [ehr.post('Patient', body), ehr.put('Patient/x', body)]) expect([body, told(body, await send)[0]]).toEqual([body, 400]);
  const wrong = await ehr.post('Patient', { resourceType: 'Observation' });
  expect(told('wrong type', wrong)).toEqual([400, expect.stringContaining('`Observation`')]);
  expect(wrong.body.issue[0].expression).toEqual(['resourceType']);
});

test('unknown elements, wrong dates and wrong ids are named with their place', async () => {
  const cases: readonly [object, string, string][] = [
    [{ birthdate: '1950-01-01' }, 'Patient.birthdate', 'birthdate'],
    [{ birthDate: '1950-13-01' }, 'Patient.birthDate', '1950-13-01'],
    [{ birthDate: '1950-02-30' }, 'Patient.birthDate', '1950-02-30'],
    [{ birthDate: 1950 }, 'Patient.birthDate', ''],
    [{ name: { family: 'x' } }, 'Patient.name', ''],
    [{ name: [{ family: ['x'] }] }, 'Patient.name[0].family', ''],
    [{ active: 'yes' }, 'Patient.active', ''],
    [{ meta: { lastUpdated: 'now' } }, 'Patient.meta.lastUpdated', 'now'],
    [{ contact: [{ period: { start: 'x' } }] }, 'Patient.contact[0].period.start', ''],
  ];
  for (const [more, place, word] of cases) {
    const answer = await ehr.post('Patient', { resourceType: 'Patient', ...more });
    expect([more, ...told(more, answer)]).toEqual([more, 400, expect.stringContaining(word)]);
    expect([more, answer.body.issue[0].expression[0]]).toEqual([more, place]);
  }
  const several = await ehr.post('Patient', { resourceType: 'Patient', birthDate: 'x', active: 1, nonsense: {} });
  expect(several.body.issue).toHaveLength(3);
});

test('wrong ids and addresses', async () => {
  const cases: readonly [string, number][] = [
    ['Patient/a_b', 400],
    [`Patient/${'x'.repeat(65)}`, 400],
    ['Patient/a%20b', 400],
    ['Patient/a%00b', 400],
    ['Patient/..%2f..%2fetc', 400],
    ['Patient/%zz', 400],
    ['Patient/%E0%A4%A', 400],
    ['Patient/%ff', 400],
    ['%00', 404],
    ['Patient/x/_history/%00', 400],
    ['Patient/$everything', 400],
    ['Patient/mary/$everything', 404],
    ['$export', 404],
    ['Patient/mary/nonsense', 404],
    ['Patient/mary/_history/1/2', 404],
    ['patient/mary', 404],
    ['Nonsense', 404],
    ['Nonsense/1', 404],
    ['constructor/1', 404],
    ['__proto__', 404],
    ['Resource', 404],
    ['Element/1', 404],
  ];
  for (const [path, status] of cases) expect([path, told(path, await raw(head('GET', path)))[0]]).toEqual([path, status]);
  expect(told('dots', await raw('GET /fhir/Patient/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n'))[0]).toBeGreaterThanOrEqual(400);
  expect(told('outside', await raw('GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n'))[0]).toBe(404);
});

test('what is not possible is 405 with Allow, before any body is read', async () => {
  const cases: readonly [string, string, string][] = [
    ['PATCH', 'Patient/mary', 'GET, PUT, DELETE'],
    ['POST', 'Patient/mary', 'GET, PUT, DELETE'],
    ['PUT', 'Patient', 'GET, POST'],
    ['DELETE', 'Patient', 'GET, POST'],
    ['DELETE', 'Patient/mary/_history', 'GET'],
    ['PUT', '', 'GET, POST'],
    ['GET', '_search', 'POST'],
    ['PUT', 'Patient/mary/Observation', 'GET'],
    ['GET', 'Patient/mary/Observation/_search', 'POST'],
    ['POST', 'metadata', 'GET'],
    ['POST', 'AuditEvent', 'GET'],
    ['PUT', 'AuditEvent/x', 'GET'],
    ['DELETE', 'AuditEvent/x', 'GET'],
    ['PUT', 'Provenance/x', 'GET'],
    ['DELETE', 'Provenance/x', 'GET'],
    ['OPTIONS', 'Patient', 'GET, POST'],
  ];
  for (const [method, path, allow] of cases) {
    // Nine bytes are announced, none is sent.
    const answer = await raw(head(method, path, json, 'Content-Length: 9'));
    expect([method, path, told(path, answer)[0], answer.headers.get('allow')]).toEqual([method, path, 405, allow]);
  }
});

test('formats other than JSON are 406', async () => {
  for (const format of ['xml', 'application/fhir%2Bxml', 'ttl', 'html/xml', 'nonsense'])
    expect([format, told(format, await ehr.get(`Patient/mary?_format=${format}`))[0]]).toEqual([format, 406]);
  for (const format of ['json', 'application/json', 'application/fhir%2Bjson', 'application/fhir+json', 'text/json'])
    expect([format, (await ehr.get(`Patient/mary?_format=${format}`, { Accept: 'text/html' })).status]).toEqual([format, 200]);
  for (const accept of ['application/fhir+xml', 'text/html', 'nonsense'])
    expect([accept, told(accept, await ehr.get('Patient/mary', { Accept: accept }))[0]]).toEqual([accept, 406]);
  for (const accept of ['*/*', 'application/*', 'text/html, application/json;q=0.5', 'application/fhir+json; fhirVersion=4.0'])
    expect([accept, (await ehr.get('Patient/mary', { Accept: accept })).status]).toEqual([accept, 200]);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  expect(told('form', await ehr.post('Patient/_search', '_format=xml', form))[0]).toBe(406);
});

test('NUL bytes and odd characters in a query', async () => {
  for (const query of [
    'name=%00',
    'identifier=%00|%00',
    '_id=%00',
    'birthdate=%00',
    'general-practitioner=%00',
    '%00=1',
    'name=%ff%fe',
    'name=%zz',
    'name=%F0%9F%92%A9',
    'name=%ED%A0%80',
    "name='%22;--",
  ]) {
    const answer = await raw(head('GET', `Patient?${query}`));
    expect([query, [200, 400].includes(answer.status)]).toEqual([query, true]);
    if (answer.status === 400) told(query, answer);
  }
});

test('very many parameters, values and headers', async () => {
  expect(told('parameters', await ehr.get(`Patient?${Array.from({ length: 1000 }, () => 'name=a').join('&')}`))[0]).toBe(400);
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  expect(told('form', await ehr.post('Patient/_search', Array.from({ length: 10_000 }, (_, index) => `p${index}=1`).join('&'), form))[0]).toBe(400);
  expect(told('values', await ehr.post('Patient/_search', `identifier=${Array.from({ length: 5000 }, (_, index) => index).join(',')}`, form))[0]).toBe(400);
  expect(told('address', await raw(head('GET', `Patient?name=${'x'.repeat(30_000)}`)))).toEqual([431, expect.stringContaining('_search')]);
  expect(told('headers', await raw(head('GET', 'Patient', ...Array.from({ length: 500 }, (_, index) => `X-${index}: ${'y'.repeat(60)}`))))[0]).toBe(431);
});

test('headers that are given twice, or cannot be read', async () => {
  const put = (...lines: readonly string[]): Promise<Told> => {
    const body = JSON.stringify(lisinopril({ id: 'twice' }));
    return raw(head('PUT', 'MedicationStatement/twice', json, `Content-Length: ${Buffer.byteLength(body)}`, ...lines), body);
  };
  expect(told('If-Match', await put('If-Match: W/"1"', 'If-Match: W/"1"'))).toEqual([400, expect.stringContaining('if-match')]);
  const post = raw(
    head('POST', 'Practitioner', json, 'Content-Length: 31', 'If-None-Exist: identifier=a', 'If-None-Exist: identifier=b'),
    '{"resourceType":"Practitioner"}',
  );
  expect(told('If-None-Exist', await post)).toEqual([400, expect.stringContaining('if-none-exist')]);
  expect(told('Authorization', await raw(head('GET', 'Patient', 'Authorization: Bearer other')))[0]).toBe(401);
  expect(told('lengths', await put('Content-Length: 1'))[0]).toBe(400);
  expect(told('smuggling', await put('Transfer-Encoding: chunked'))[0]).toBe(400);
  expect(told('no HTTP', await raw('nonsense\r\n\r\n'))[0]).toBe(400);
  expect(told('no name', await raw('GET /fhir/metadata HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n'))[0]).toBe(400);
});

test('a parameter that an interaction does not know is 400 and named, unless handling is lenient', async () => {
  const made = await ehr.post('MedicationStatement', lisinopril());
  const one = `MedicationStatement/${made.body.id}`;
  for (const [answer, name] of [
    [await ehr.get(`${one}?foo=bar`), 'foo'],
    [await ehr.get(`${one}/_history/1?_count=1`), '_count'],
    [await ehr.post('MedicationStatement?foo=bar', lisinopril()), 'foo'],
    [await ehr.put(`${one}?foo=bar`, made.body), 'foo'],
    [await ehr.delete(`${one}?foo=bar`), 'foo'],
  ] as const) {
    const [status, words] = told(name, answer);
    expect([status, words.includes(`\`${name}\``), words.includes('_format')]).toEqual([400, true, true]);
  }
  expect((await ehr.get(`${one}?foo=bar`, { Prefer: 'handling=lenient' })).status).toBe(200);
  expect((await ehr.get(`${one}?_format=json`)).body.meta.versionId).toBe('1');
});
