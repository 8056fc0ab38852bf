import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { engine, scratchStore } from '../engine.ts';
import { eyes, makePackage, patientWith } from './packages.ts';
import { type Client, clientOf, openWorld, scratch, type World } from './world.ts';

jest.setTimeout(60_000);
const folder = scratch();
afterAll(() => folder.remove());
const store = (name: string): string => (engine === 'sqlite' ? `sqlite:${join(folder.path, `${name}.db`)}` : scratchStore());

/** The answer to a search, once it is indexed; every one before that must say so. */
async function searched(client: Client, path: string): Promise<{ readonly total: number; readonly refused: number }> {
  for (let refused = 0; ; refused++) {
    const { status, body, headers } = await client.get(path);
    if (status === 200) return { total: body.total, refused };
    expect([status, body.issue[0].code, headers['retry-after']]).toEqual([503, 'transient', '5']);
    expect(body.issue[0].diagnostics).toMatch(/^the search parameter `eyes(:missing)?` of Patient is not indexed yet(: \d+ % is done)?; try again later$/);
    await sleep(50);
  }
}

describe('a parameter that comes when there are resources already', () => {
  const address = store('later');
  const open = (packages = ''): Promise<World> => openWorld({ KINDRED_AUTH: 'off', KINDRED_STORE: address, KINDRED_PACKAGES: packages, KINDRED_LOG: 'silent' });
  let added: string;
  beforeAll(async () => {
    added = makePackage(folder.path, 'eyes', [eyes], true);
    const world = await open();
    const client = clientOf(world, undefined);
    for (const colour of ['green', 'brown', 'green']) expect((await client.post('Patient', patientWith(colour))).status).toBe(201);
    expect((await client.get('Patient?eyes=green')).status).toBe(400);
    await world.end();
  });

  test('is searched by once they are indexed, alone, negated, as the end of a chain, and to sort by; it is in the CapabilityStatement', async () => {
    const world = await open(added);
    const client = clientOf(world, undefined);
    expect(await searched(client, 'Patient?eyes=green&_total=accurate')).toMatchObject({ total: 2 });
    expect(await searched(client, 'Patient?eyes:not=green&_total=accurate')).toMatchObject({ total: 1 });
    expect((await client.get('Observation?patient:Patient.eyes=green')).body.total).toBe(0);
    expect((await client.get('Patient?_sort=eyes')).body.entry).toHaveLength(3);
    const { body } = await client.get('metadata');
    const ofPatient = body.rest[0].resource.find((each: { type: string }) => each.type === 'Patient');
    expect(ofPatient.searchParam).toContainEqual(expect.objectContaining({ name: 'eyes', type: 'token' }));
    await world.end();
  });
  test('needs no indexing when it is there again', async () => {
    const world = await open(added);
    expect(await searched(clientOf(world, undefined), 'Patient?eyes=green')).toEqual({ total: 2, refused: 0 });
    await world.end();
  });
  test('is indexed again when somebody wrote who did not know it', async () => {
    const without = await open();
    expect((await clientOf(without, undefined).post('Patient', patientWith('green'))).status).toBe(201);
    await without.end();
    const world = await open(added);
    expect(await searched(clientOf(world, undefined), 'Patient?eyes=green')).toMatchObject({ total: 3 });
    await world.end();
  });
  test('is not forgotten by who only reads without knowing it', async () => {
    const without = await open();
    expect((await clientOf(without, undefined).get('Patient')).body.total).toBe(4);
    await without.end();
    const world = await open(added);
    expect(await searched(clientOf(world, undefined), 'Patient?eyes=green')).toEqual({ total: 3, refused: 0 });
    await world.end();
  });
  test('that has changed finds what it says now', async () => {
    const changed = makePackage(folder.path, 'changed', [{ ...eyes, expression: 'Patient.gender' }]);
    const world = await open(changed);
    expect(await searched(clientOf(world, undefined), 'Patient?eyes=green')).toMatchObject({ total: 0 });
    await world.end();
  });
});

describe('$reindex (http://hl7.org/fhir/R4/async.html)', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ KINDRED_STORE: store('operation') });
  });
  afterAll(() => world.end());

  test('is accepted, followed and told of, and finds everything as before', async () => {
    const client = world.as(await world.token('ehr-ima', 'system/*.cruds'));
    const before = (await client.get('Patient?_sort=_id')).body.entry.map((entry: { fullUrl: string }) => entry.fullUrl);
    const begun = await client.post('$reindex', '');
    expect(begun.status).toBe(202);
    const place = begun.headers['content-location']!;
    expect(place).toMatch(/\/fhir\/\$reindex\/[0-9a-f-]{36}$/);
    let answer = await client.get(place);
    for (; answer.status === 202; answer = await client.get(place)) {
      expect(answer.headers['x-progress']).toMatch(/^\d+ %$/);
      await sleep(20);
    }
    expect(answer.status).toBe(200);
    const told = Object.fromEntries(answer.body.parameter.map((each: Record<string, unknown>) => [each.name, each.valueBoolean ?? each.valueInstant]));
    expect(told).toEqual({ complete: true, begun: expect.any(String), ended: expect.any(String) });
    expect((await client.get('Patient?_sort=_id')).body.entry.map((entry: { fullUrl: string }) => entry.fullUrl)).toEqual(before);
    // With a body too.
    expect((await client.post('$reindex', { resourceType: 'Parameters' })).status).toBe(202);
  });
  test('is for a system with all scopes, and for nobody else', async () => {
    const tokens = [
      await world.token('ehr-ima', 'system/*.rs'),
      await world.token('ehr-ima', 'system/Patient.cruds'),
      await world.token('ehr-ima', 'system/*.cruds?status=active'),
    ];
    for (const token of tokens) {
      const client = world.as(token);
      for (const answer of [await client.post('$reindex', ''), await client.get('$reindex/x')])
        expect([answer.status, answer.body.issue[0].diagnostics]).toEqual([403, expect.stringContaining('system/*.cruds')]);
    }
    expect((await clientOf(world, undefined).post('$reindex', '')).status).toBe(401);
  });
  test('other methods and unknown jobs are refused', async () => {
    const client = world.as(await world.token('ehr-ima', 'system/*.cruds'));
    expect((await client.get('$reindex')).status).toBe(405);
    expect((await client.get('$reindex/unknown')).status).toBe(404);
    expect((await client.delete('$reindex/unknown')).status).toBe(405);
    expect((await client.post('$reindex?x=y', '')).status).toBe(400);
  });
  test('is in the log like any other request, whether it was allowed or not', async () => {
    const outcomes: string[] = [];
    for await (const { events } of world.app.store.chain())
      for (const event of events) {
        const { code, outcome, why } = JSON.parse(Buffer.from(event.body).toString()) as { code: string; outcome: string; why?: string };
        if (code === 'reindex' || why?.includes('$reindex')) outcomes.push(outcome);
      }
    expect(outcomes.filter(outcome => outcome === '0').length).toBeGreaterThan(2);
    expect(outcomes.filter(outcome => outcome === '8').length).toBeGreaterThanOrEqual(6);
  });
});
