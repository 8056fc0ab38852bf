import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Client as FhirKit } from 'fhir-kit-client';
import type { Resource } from '../../src/fhir/types.ts';
import { type AuthWorld, clientKey, openAuthWorld } from '../auth/world.ts';
import { statement } from '../http/resources.ts';

// A FHIR client that is used behind many backends: https://github.com/Vermonster/fhir-kit-client
jest.setTimeout(60_000);
const MANY = 23;
type Bundle = Resource & {
  readonly total?: number;
  readonly entry?: readonly { readonly resource: Resource }[];
  readonly link: { relation: string; url: string }[];
};

let world: AuthWorld;
let kit: FhirKit;

beforeAll(async () => {
  const { secret, open } = await clientKey('ES384', 'backend');
  world = await openAuthWorld({}, [
    { client_id: 'backend', client_name: 'Exchange', kind: 'system', organization: 'ima', scope: 'system/*.cruds', jwks: { keys: [open] } },
  ]);
  kit = new FhirKit({ baseUrl: world.base });
  const { tokenUrl, authorizeUrl, registerUrl } = (await kit.smartAuthMetadata()) as Readonly<Record<string, URL | undefined>>;
  expect([tokenUrl, authorizeUrl, registerUrl].map(String)).toEqual(['token', 'authorize', 'register'].map(name => `${world.issuer}/${name}`));
  const answer = await fetch(tokenUrl!, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'system/Patient.rs system/MedicationStatement.cruds',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await world.assertion('backend', 'ES384', 'backend', secret),
    }),
  });
  kit.bearerToken = ((await answer.json()) as { access_token: string }).access_token;
});
afterAll(() => world.end());

test('capabilities, read, and what the scopes leave out', async () => {
  expect(await kit.capabilityStatement()).toMatchObject({ resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' });
  expect(await kit.read({ resourceType: 'Patient', id: 'mary' })).toMatchObject({ resourceType: 'Patient', id: 'mary' });
  await expect(kit.read({ resourceType: 'Practitioner', id: 'lee' })).rejects.toMatchObject({ response: { status: 403 } });
  await expect(kit.read({ resourceType: 'Patient', id: 'nobody' })).rejects.toMatchObject({ response: { status: 404 } });
});

test('create, update, version, history, delete', async () => {
  const made = (await kit.create({ resourceType: 'MedicationStatement', body: statement('161', 'acetaminophen') as never })) as Resource;
  const changed = (await kit.update({ resourceType: 'MedicationStatement', id: made.id!, body: { ...made, status: 'stopped' } as never })) as Resource;
  expect([changed.status, changed.meta?.versionId]).toEqual(['stopped', '2']);
  expect(await kit.vread({ resourceType: 'MedicationStatement', id: made.id!, version: '1' })).toMatchObject({ status: 'active' });
  expect(((await kit.history({ resourceType: 'MedicationStatement', id: made.id! })) as unknown as Bundle).entry).toHaveLength(2);
  await kit.delete({ resourceType: 'MedicationStatement', id: made.id! });
  await expect(kit.read({ resourceType: 'MedicationStatement', id: made.id! })).rejects.toMatchObject({ response: { status: 410 } });
});

test('a search is paged through to its end and back: each entry once', async () => {
  for (let at = 0; at < MANY; at++) await kit.create({ resourceType: 'MedicationStatement', body: statement('161', `number ${at}`) as never });
  let bundle = (await kit.resourceSearch({
    resourceType: 'MedicationStatement',
    searchParams: { patient: 'mary', _count: 5, _total: 'accurate' },
  })) as unknown as Bundle;
  expect(bundle.total).toBe(MANY);
  const idsOf = ({ entry = [] }: Bundle): readonly string[] => entry.map(({ resource }) => resource.id!);
  const pages = [idsOf(bundle)];
  for (;;) {
    const next = kit.nextPage({ bundle: bundle as never });
    if (next === undefined) break;
    bundle = (await next) as unknown as Bundle;
    pages.push(idsOf(bundle));
  }
  expect(pages.map(page => page.length)).toEqual([5, 5, 5, 5, 3]);
  expect(new Set(pages.flat()).size).toBe(MANY);
  const before = (await kit.prevPage({ bundle: bundle as never })) as unknown as Bundle;
  expect(idsOf(before)).toEqual(pages.at(-2));
});

test('a batch, and a search by POST', async () => {
  const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: 'Patient/mary' } }] };
  const batch = (await kit.batch({ body: body as never })) as unknown as Bundle;
  expect(batch.entry![0]!.resource).toMatchObject({ id: 'mary' });
  const found = (await kit.resourceSearch({
    resourceType: 'Patient',
    searchParams: { name: 'reyes' },
    options: { postSearch: true } as never,
  })) as unknown as Bundle;
  expect(found.entry!.map(({ resource }) => resource.id)).toEqual(['mary']);
});
