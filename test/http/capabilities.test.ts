import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { resourceTypes } from '../../src/fhir/definitions/definitions.ts';
import { checked } from '../../src/fhir/validate/validate.ts';
import { type Client, clientOf, openWorld, type World } from './world.ts';

// The CapabilityStatement is what the server does: http://hl7.org/fhir/R4/http.html#capabilities
jest.setTimeout(60_000);
let world: World;
let open: World;
let nobody: Client;

interface Rest {
  readonly mode: string;
  readonly security?: object;
  readonly interaction: readonly { readonly code: string }[];
  readonly compartment: readonly string[];
  readonly searchParam: readonly { readonly name: string; readonly type: string }[];
  readonly resource: readonly {
    readonly type: string;
    readonly interaction: readonly { readonly code: string }[];
    readonly updateCreate: boolean;
    readonly conditionalCreate: boolean;
    readonly searchInclude?: readonly string[];
    readonly searchRevInclude?: readonly string[];
    readonly searchParam: readonly { readonly name: string; readonly type: string }[];
  }[];
}
let rest: Rest;

beforeAll(async () => {
  world = await openWorld();
  open = await openWorld({ KINDRED_AUTH: 'off' });
  nobody = clientOf(world, undefined);
  rest = (await nobody.get('metadata')).body.rest[0];
});
afterAll(async () => {
  await world.end();
  await open.end();
});

test('it is there without a token, sound by its own definition, and says where and what it is', async () => {
  const answer = await nobody.get('metadata');
  expect(answer.status).toBe(200);
  expect(checked(answer.body)).toEqual(answer.body);
  expect(answer.body).toMatchObject({
    fhirVersion: '4.0.1',
    kind: 'instance',
    implementation: { url: `${world.url}/fhir` },
    format: expect.arrayContaining(['json']),
  });
  expect(rest.security).toBeDefined();
  expect((await nobody.head('metadata')).status).toBe(200);
  expect((await nobody.get('metadata/')).status).toBe(200);
  // A token that is no good does no harm here.
  expect((await clientOf(world, 'nonsense').get('metadata')).status).toBe(200);
  expect((await nobody.get('metadata?_format=xml')).status).toBe(406);
});

test('open mode claims no security', async () => {
  const { body } = await clientOf(open, undefined).get('metadata');
  expect(body.rest[0].security).toBeUndefined();
});

test('every type of R4 is in it, once', () => {
  expect(rest.resource.map(one => one.type)).toEqual([...resourceTypes].sort());
});

/** A request for each interaction on one type; its status when the interaction is there, whatever else is wrong with the request, is never 405. */
const requests: Readonly<Record<string, (client: Client, type: string) => Promise<{ status: number; headers: Record<string, string> }>>> = {
  read: async (client, type) => client.get(`${type}/nothing`),
  vread: async (client, type) => client.get(`${type}/nothing/_history/1`),
  update: async (client, type) => client.put(`${type}/nothing`, {}),
  delete: async (client, type) => client.delete(`${type}/nothing`),
  patch: async (client, type) => client.patch(`${type}/nothing`, '[]'),
  'history-instance': async (client, type) => client.get(`${type}/nothing/_history`),
  'history-type': async (client, type) => client.get(`${type}/_history`),
  create: async (client, type) => client.post(type, {}),
  'search-type': async (client, type) => client.get(type),
};

test('each interaction that is listed is there, and each one that is not answers 405', async () => {
  const client = clientOf(open, undefined);
  for (const { type, interaction } of rest.resource) {
    const listed = new Set(interaction.map(one => one.code));
    for (const [code, send] of Object.entries(requests)) {
      // `_history` is no id, so a type's history is told so.
      if (code === 'history-type') continue;
      const { status } = await send(client, type);
      expect([type, code, status === 405]).toEqual([type, code, !listed.has(code)]);
    }
  }
  const codes = new Set(rest.resource.flatMap(one => one.interaction.map(({ code }) => code)));
  expect([...codes].filter(code => requests[code] === undefined)).toEqual([]);
  expect((await client.get('Patient/_history')).status).toBe(400);
});

test('what the server as a whole does', async () => {
  expect(rest.interaction.map(one => one.code)).toEqual(['transaction', 'batch', 'search-system']);
  const client = clientOf(open, undefined);
  for (const type of ['transaction', 'batch']) expect((await client.post('', { resourceType: 'Bundle', type })).status).toBe(200);
  expect((await client.get('?_type=Patient,Observation&_list=x')).status).toBe(200);
  expect(rest.searchParam.map(({ name }) => name)).toEqual(['_type', '_has', '_list']);
  expect(rest.compartment).toHaveLength(5);
  for (const url of rest.compartment) {
    const kind = Object.keys({ Device: 0, Encounter: 0, Patient: 0, Practitioner: 0, RelatedPerson: 0 }).find(one => url.endsWith(`/${one.toLowerCase()}`))!;
    expect((await client.get(`${kind}/x/*`)).status).toBe(200);
  }
  for (const path of ['_history', '?name=x']) expect((await client.get(path)).status).toBeGreaterThanOrEqual(400);
});

test('every search parameter that is listed is taken, of the type that R4 gives it, and every include', async () => {
  const client = clientOf(open, undefined);
  const samples: Readonly<Record<string, string>> = {
    token: 'x',
    string: 'x',
    date: '2026',
    reference: 'Patient/x',
    uri: 'http://x',
    number: '1',
    quantity: '1',
  };
  const special: Readonly<Record<string, string>> = { near: '1|1' };
  const kinds = new Set<string>();
  for (const { type, searchParam, searchInclude = [], searchRevInclude = [] } of rest.resource) {
    const parameters = searchParam.flatMap(({ name, type: kind }) => {
      kinds.add(kind);
      // What each part of a composite is, only its definition tells.
      return kind === 'composite' || name === '_has' ? [] : [`${name}=${special[name] ?? samples[kind]}`];
    });
    const includes = [...searchInclude.map(include => `_include=${include}`), ...searchRevInclude.slice(0, 30).map(include => `_revinclude=${include}`)];
    // No more than are taken at once.
    for (let at = 0; at === 0 || at < includes.length; at += 50) {
      const answer = await client.get(`${type}?${[...parameters, ...includes.slice(at, at + 50)].join('&')}`);
      expect([type, answer.status, answer.body.issue]).toEqual([type, 200, undefined]);
    }
  }
  expect([...kinds].sort()).toEqual(['composite', 'date', 'number', 'quantity', 'reference', 'special', 'string', 'token', 'uri']);
  const patient = rest.resource.find(one => one.type === 'Patient')!;
  expect(patient.searchRevInclude).toEqual(expect.arrayContaining(['*', 'Observation:subject', 'Provenance:target']));
  expect(patient.searchRevInclude).not.toContain('Encounter:part-of');
  expect(patient.searchParam).toEqual(
    expect.arrayContaining([
      { name: '_content', type: 'string' },
      { name: '_has', type: 'string' },
    ]),
  );
});

test('client-assigned ids and conditional creates are claimed where they work', async () => {
  const refused = rest.resource.filter(one => !one.updateCreate || !one.conditionalCreate).map(one => [one.type, one.updateCreate, one.conditionalCreate]);
  expect(refused).toEqual([
    ['AuditEvent', false, false],
    ['Consent', false, true],
    ['Provenance', false, true],
  ]);
});
