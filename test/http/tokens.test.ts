import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
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
  const key = (await world.app.store.document('key', 'signing')) as { x: string; y: string };
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
