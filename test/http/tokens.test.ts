import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import { plant } from '../../src/cli/seeding.ts';
import type { SearchQuery } from '../../src/search/query.ts';
import { clientOf, openWorld, scratch, sendRaw, type World } from './world.ts';

// Bearer tokens: RFC 6750 §3, RFC 9068. Every refusal is 401 with WWW-Authenticate and an OperationOutcome, and says nothing about what is stored.
let world: World;
let other: World;
let good: string;
const folder = scratch();
const clock = join(folder.path, 'now');
const setClock = (instant: string): void => writeFileSync(clock, instant);

beforeAll(async () => {
  setClock('2026-06-01T12:00:00Z');
  world = await openWorld({ KINDRED_CLOCK: `file:${clock}` });
  other = await openWorld();
  good = await world.token('ehr-ima', 'system/*.cruds');
});
afterAll(async () => {
  await world.end();
  await other.end();
  folder.remove();
});

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = (): Record<string, unknown> => JSON.parse(Buffer.from(good.split('.')[1]!, 'base64url').toString('utf8'));

async function refuse(what: string, token: string, error: string): Promise<void> {
  for (const path of ['Patient/mary', 'Patient/unknown', 'Patient']) {
    const answer = await clientOf(world, token).get(path);
    expect([what, answer.status, answer.body.issue?.[0].code]).toEqual([what, 401, 'login']);
    expect([what, answer.headers['www-authenticate']]).toEqual([what, expect.stringContaining(error)]);
    expect(JSON.stringify(answer.body)).not.toContain('mary');
  }
}

test('the world is right: the good token is taken', async () => {
  expect((await world.as(good).get('Patient/mary')).status).toBe(200);
});

test('no token: the scheme is told, and no error code (RFC 6750 §3.1)', async () => {
  const answer = await clientOf(world, undefined).get('Patient/mary');
  expect([answer.status, answer.headers['www-authenticate'], answer.body.issue[0].code]).toEqual([401, 'Bearer realm="kindred"', 'login']);
  expect((await clientOf(world, undefined).get('metadata')).status).toBe(200);
  // Neither in the address nor in a form.
  expect((await clientOf(world, undefined).get(`Patient/mary?access_token=${good}`)).status).toBe(401);
});

test('a malformed Authorization header', async () => {
  for (const header of ['Basic dXNlcjpwYXNz', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer ${good},`, good, `Bearer Bearer ${good}`, 'Bearer ü', '']) {
    const { status, headers, body } = await sendRaw(world, `GET /fhir/Patient/mary HTTP/1.1\r\nHost: x\r\nAuthorization: ${header}\r\n\r\n`);
    expect([header, status, JSON.parse(body).resourceType]).toEqual([header, 401, 'OperationOutcome']);
    expect([header, headers.get('www-authenticate')]).toEqual([header, expect.stringMatching(/^Bearer realm="kindred"/)]);
  }
  // The scheme is case-insensitive (RFC 9110 §11.1).
  const { status } = await sendRaw(world, `GET /fhir/Patient/mary HTTP/1.1\r\nHost: x\r\nAuthorization: bearer ${good}\r\n\r\n`);
  expect(status).toBe(200);
});

test('a token that was tampered with', async () => {
  const [header, payload, signature] = good.split('.') as [string, string, string];
  const more = encode({ ...claims(), client_id: 'ehr-harbor' });
  await refuse('payload', `${header}.${more}.${signature}`, 'invalid_token');
  await refuse('signature', `${header}.${payload}.${signature.slice(0, -8)}AAAAAAAA`, 'invalid_token');
  await refuse('cut', `${header}.${payload}`, 'invalid_token');
  await refuse('empty', '..', 'invalid_token');
  await refuse('nonsense', 'nonsense', 'invalid_token');
});

test('alg none, and a symmetric signature made with the public key (RFC 8725 §3.1)', async () => {
  const payload = encode(claims());
  await refuse('none', `${encode({ alg: 'none', typ: 'at+jwt' })}.${payload}.`, 'invalid_token');
  const [{ kid }] = [JSON.parse(Buffer.from(good.split('.')[0]!, 'base64url').toString('utf8')) as { kid: string }];
  const key = world.app.keys.known().keys.find(one => one.id === kid)!.jwk as { x: string; y: string };
  for (const secret of [key.x, JSON.stringify(key)]) {
    const head = encode({ alg: 'HS256', typ: 'at+jwt', kid });
    const signature = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url');
    await refuse('HS256', `${head}.${payload}.${signature}`, 'invalid_token');
  }
});

test('a token of another issuer, or signed with a key that it brings along', async () => {
  await refuse('another server', await other.token('ehr-ima', 'system/*.cruds'), 'invalid_token');
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const forged = await new SignJWT(claims()).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', jwk: await exportJWK(publicKey) }).sign(privateKey);
  await refuse('own key', forged, 'invalid_token');
});

test('an expired token, though it was good a moment ago', async () => {
  setClock('2026-06-01T12:04:59Z');
  expect((await world.as(good).get('Patient/mary')).status).toBe(200);
  setClock('2026-06-01T12:05:01Z');
  await refuse('expired', good, 'invalid_token');
  const answer = await world.as(good).get('Patient/mary');
  expect(answer.body.issue[0].diagnostics).toContain('expired');
  setClock('2026-06-01T12:00:00Z');
});

test('a token whose client or hat is gone, or whose grant has ended', async () => {
  const { store, now } = world.app;
  const token = await world.token('ehr-harbor', 'system/*.cruds');
  const grant = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')).grant as string;
  const kept = (await store.document('grant', grant)) as object;
  await store.commit([{ op: 'document', kind: 'grant', id: grant, value: { ...kept, active: false } }], now());
  await refuse('ended', token, 'invalid_token');

  const anna = await world.token('med-app', 'patient/*.cruds', 'anna', 'Patient/mary');
  const account = (await store.document('account', 'anna')) as object;
  await store.commit([{ op: 'document', kind: 'account', id: 'anna', value: { ...account, hats: [] } }], now());
  await refuse('no hat', anna, 'invalid_token');
});

test('refused requests leave nothing behind', async () => {
  const query: SearchQuery = { branches: [{ type: 'Basic', where: { op: 'all' }, links: [] }], sort: [], limit: 10 };
  await clientOf(world, 'nonsense').post('Basic', { resourceType: 'Basic', code: { text: 'x' } });
  expect(await world.app.store.count(query)).toBe(0);
});

describe('what a token rests on', () => {
  let fresh: World;
  let token: string;
  beforeEach(async () => {
    fresh = await openWorld();
    token = await fresh.token('med-app', 'patient/MedicationStatement.rs', 'anna', 'Patient/mary');
  });
  afterEach(() => fresh.end());
  // 403 for who is known, since no consent is in force.
  const status = async (): Promise<number> => (await fresh.as(token).get('MedicationStatement')).status;
  const change = (kind: 'account' | 'client', id: string, value: unknown): Promise<unknown> =>
    fresh.app.store.commit([{ op: 'document', kind, id, value }], fresh.app.now());

  test('an account that loses its hat, or a client that is removed, is refused at the next request', async () => {
    const { store } = fresh.app;
    const [account, client] = [await store.document('account', 'anna'), await store.document('client', 'med-app')];
    const seen = [await status()];
    await change('account', 'anna', { ...(account as object), hats: [] });
    seen.push(await status());
    await change('account', 'anna', account);
    seen.push(await status());
    await change('client', 'med-app', undefined);
    seen.push(await status());
    await change('client', 'med-app', client);
    seen.push(await status());
    expect(seen).toEqual([403, 401, 403, 401, 403]);
  });

  test('seeding an account without a hat takes the hat away, and what could be designated with it', async () => {
    expect(await status()).toBe(403);
    const anna = { ...(family as Seed).accounts!.find(account => account.username === 'anna')!, hats: [] };
    await plant({ accounts: [anna] }, fresh.app);
    expect([await status(), await fresh.app.store.document('hat', 'RelatedPerson/anna-for-mary')]).toEqual([401, undefined]);
  });

  test('a RelatedPerson that is not active, that is another patient’s, or that is deleted opens nothing', async () => {
    const ehr = fresh.as(await fresh.token('ehr-ima', 'system/*.cruds'));
    const { body: person } = await ehr.get('RelatedPerson/anna-for-mary');
    await ehr.put('Patient/zed', { resourceType: 'Patient', id: 'zed' });
    const put = async (more: object): Promise<number> => (await ehr.put('RelatedPerson/anna-for-mary', { ...person, ...more })).status;
    const seen = [await status()];
    for (const more of [{ active: false }, {}, { patient: { reference: 'Patient/zed' } }, {}]) seen.push(await put(more), await status());
    seen.push((await ehr.delete('RelatedPerson/anna-for-mary')).status, await status());
    expect(seen).toEqual([403, 200, 401, 200, 403, 200, 401, 200, 403, 204, 401]);
    await expect(fresh.token('med-app', 'patient/MedicationStatement.rs', 'anna', 'Patient/mary')).rejects.toThrow('no hat');
  });

  test('a client that is registered for a part of a type is granted that part and no more', async () => {
    const category = 'category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs';
    const scope = `patient/Observation.rs?${category}`;
    await change('client', 'vitals', { client_id: 'vitals', client_name: 'Vitals', kind: 'app', scope });
    const granted = (asked: string): Promise<string> =>
      fresh.app.issue({ client: 'vitals', account: 'mary', scope: asked }).then(
        answer => answer.scope,
        () => '',
      );
    expect(await granted(scope)).toBe(scope);
    expect(await granted(`${scope}&status=final`)).toBe(`${scope}&status=final`);
    for (const more of ['patient/Observation.rs', 'patient/Observation.rs?category=laboratory', 'patient/*.rs', `patient/Condition.rs?${category}`])
      expect([more, await granted(more)]).toEqual([more, '']);
  });
});
