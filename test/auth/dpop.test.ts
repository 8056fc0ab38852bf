import { hash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { sendRaw } from '../http/world.ts';
import { type Answer, type AuthWorld, clientKey, openAuthWorld } from './world.ts';

// DPoP at the resource server: https://www.rfc-editor.org/rfc/rfc9449.html §4.3, §7
let world: AuthWorld;
let client: Awaited<ReturnType<typeof clientKey>>;
let own: Awaited<ReturnType<typeof clientKey>>;
let other: Awaited<ReturnType<typeof clientKey>>;
let token: string;
const seconds = (): number => Math.floor(Date.now() / 1000);

interface Changes {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: Awaited<ReturnType<typeof clientKey>>;
}
/** A proof for this request, with what a test changes about it. */
function proofFor(url: string, method: string, of: string | undefined, { claims = {}, header = {}, key = own }: Changes = {}): Promise<string> {
  const { kid: _kid, use: _use, alg, ...jwk } = key.open;
  const ath = of === undefined ? {} : { ath: hash('sha256', of, 'base64url') };
  return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat: seconds(), ...ath, ...claims })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: alg!, jwk, ...header })
    .sign(key.secret);
}
const ask = async (path: string, headers: Record<string, string>, method = 'GET'): Promise<Answer> => {
  const answer = await fetch(`${world.base}/${path}`, { method, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
};
const withProof = async (path: string, changes: Changes = {}, method = 'GET'): Promise<Answer> =>
  ask(path, { Authorization: `DPoP ${token}`, DPoP: await proofFor(`${world.base}/${path.split('?')[0]}`, method, token, changes) }, method);

async function boundToken(): Promise<string> {
  const { status, body } = await world.post(
    '/token',
    {
      grant_type: 'client_credentials',
      scope: 'system/Patient.rs',
      client_assertion: await world.assertion('backend', 'ES384', 'k', client.secret),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    },
    { DPoP: await proofFor(`${world.issuer}/token`, 'POST', undefined) },
  );
  expect([status, body.token_type]).toEqual([200, 'DPoP']);
  return body.access_token as string;
}

beforeAll(async () => {
  [client, own, other] = await Promise.all([clientKey('ES384', 'k'), clientKey('ES256', 'own'), clientKey('ES256', 'other')]);
  world = await openAuthWorld({}, [
    { client_id: 'backend', client_name: 'Backend', kind: 'system', organization: 'ima', scope: 'system/*.cruds', jwks: { keys: [client.open] } },
  ]);
  token = await boundToken();
});
afterAll(async () => {
  await world.end();
});

test('a token with a proof of its key reads; the token says which key (§6.1)', async () => {
  expect((decodeJwt(token) as { cnf: object }).cnf).toEqual({ jkt: await calculateJwkThumbprint(own.open) });
  const answers = [
    await withProof('Patient/mary'),
    await withProof('Patient/mary?_format=json'),
    await withProof('Patient?_count=1'),
    await withProof('Patient/mary', {}, 'HEAD'),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(answers[0]!.body.id).toBe('mary');
});

test('the scheme is read in any case, and htu is compared as addresses are (§4.3, RFC 3986 §6.2.2)', async () => {
  const htu = `${world.base.replace('http:', 'HTTP:').replace('localhost', 'LOCALHOST')}/Patient/%6dary?ignored=1#ignored`;
  const answer = await ask('Patient/mary', { Authorization: `dpop ${token}`, DPoP: await proofFor(htu, 'GET', token) });
  expect(answer.status).toBe(200);
});

test('a bound token as Bearer, with or without a proof, is refused (§7.2)', async () => {
  const proof = await proofFor(`${world.base}/Patient/mary`, 'GET', token);
  for (const headers of [{ Authorization: `Bearer ${token}` }, { Authorization: `Bearer ${token}`, DPoP: proof }]) {
    const { status, headers: answered, body } = await ask('Patient/mary', headers);
    expect([status, body.issue[0].code]).toEqual([401, 'login']);
    expect(answered.get('www-authenticate')).toMatch(/^DPoP .*error="invalid_token".*algs="ES256 ES384 RS256"/);
  }
  // Nor does a look at it as a bearer token let the next one in.
  expect((await ask('Patient/mary', { Authorization: `Bearer ${token}` })).status).toBe(401);
});

test('a token that is not bound is refused as DPoP, whatever comes with it (§7.1)', async () => {
  const unbound = await world.token('ehr-ima', 'system/Patient.rs');
  expect((await ask('Patient/mary', { Authorization: `Bearer ${unbound}` })).status).toBe(200);
  const proof = await proofFor(`${world.base}/Patient/mary`, 'GET', unbound);
  for (const headers of [{ Authorization: `DPoP ${unbound}` }, { Authorization: `DPoP ${unbound}`, DPoP: proof }]) {
    const answer = await ask('Patient/mary', headers);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^DPoP .*invalid_token/)]);
  }
});

test.each<readonly [string, Changes]>([
  ['about another token (ath)', { claims: { ath: hash('sha256', 'another', 'base64url') } }],
  ['about no token', { claims: { ath: undefined } }],
  ['for another method (htm)', { claims: { htm: 'POST' } }],
  ['for a method in other letters', { claims: { htm: 'get' } }],
  ['for another resource (htu)', { claims: { htu: 'http://localhost/fhir/Patient/anna' } }],
  ['for no address', { claims: { htu: undefined } }],
  ['for what is no address', { claims: { htu: 'Patient/mary' } }],
  ['made too long ago (iat)', { claims: { iat: seconds() - 120 } }],
  ['made in the future', { claims: { iat: seconds() + 120 } }],
  ['made at no time', { claims: { iat: undefined } }],
  ['without jti', { claims: { jti: undefined } }],
  ['with an empty jti', { claims: { jti: '' } }],
  ['that is another kind of JWT', { header: { typ: 'JWT' } }],
  ['without typ', { header: { typ: undefined } }],
  ['without jwk', { header: { jwk: undefined } }],
])('a proof %s is refused (§4.3)', async (_what, changes) => {
  const { status, headers, body } = await withProof('Patient/mary', changes);
  expect([status, body.issue[0].code]).toEqual([401, 'login']);
  expect(headers.get('www-authenticate')).toMatch(/^DPoP realm="kindred", error="invalid_dpop_proof"/);
});

test('a proof of another key than the one that the token is bound to, whoever has it (§4.3)', async () => {
  const { status, headers } = await withProof('Patient/mary', { key: other });
  expect([status, headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^DPoP realm="kindred", error="invalid_token"/)]);
  // The right key in the header, the wrong one at the pen.
  const { kid: _kid, use: _use, alg: _alg, ...jwk } = own.open;
  expect((await withProof('Patient/mary', { key: other, header: { jwk } })).status).toBe(401);
});

test('a proof with the private key in it, signed symmetrically, or not at all (§4.3)', async () => {
  const { d } = await exportJWK(own.secret);
  const { kid: _kid, use: _use, alg: _alg, ...jwk } = own.open;
  const claims = { jti: randomUUID(), htm: 'GET', htu: `${world.base}/Patient/mary`, iat: seconds(), ath: hash('sha256', token, 'base64url') };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const secret = Buffer.from('a symmetric secret that is long enough for it');
  const good = await proofFor(claims.htu, 'GET', token);
  for (const proof of [
    await new SignJWT(claims).setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: { ...jwk, d: d! } as object }).sign(own.secret),
    await proofFor(claims.htu, 'GET', token, { header: { jwk: { ...jwk, k: d! } } }),
    await new SignJWT(claims)
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk: { kty: 'oct', k: secret.toString('base64url') } as object })
      .sign(secret),
    `${encode({ typ: 'dpop+jwt', alg: 'none', jwk })}.${encode(claims)}.`,
    `${good.slice(0, -6)}AAAAAA`,
    'nonsense',
  ]) {
    const answer = await ask('Patient/mary', { Authorization: `DPoP ${token}`, DPoP: proof });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('invalid_dpop_proof')]);
  }
  // Another algorithm that jose knows, and we do not take.
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const edwards = { secret: privateKey, open: { ...(await exportJWK(publicKey)), alg: 'EdDSA' } };
  expect((await withProof('Patient/mary', { key: edwards })).status).toBe(401);
});

test('no proof, or two', async () => {
  expect((await ask('Patient/mary', { Authorization: `DPoP ${token}` })).status).toBe(401);
  const proof = (): Promise<string> => proofFor(`${world.base}/Patient/mary`, 'GET', token);
  const start = `GET /fhir/Patient/mary HTTP/1.1\r\nHost: x\r\nAuthorization: DPoP ${token}\r\nDPoP: `;
  expect((await sendRaw(world, `${start}${await proof()}\r\nDPoP: ${await proof()}\r\n\r\n`)).status).toBe(401);
  expect((await sendRaw(world, `${start}${await proof()}\r\n\r\n`)).status).toBe(200);
});

test('a proof is used once, of however many that come at the same time (§11.1)', async () => {
  const headers = { Authorization: `DPoP ${token}`, DPoP: await proofFor(`${world.base}/Patient/mary`, 'GET', token) };
  const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await ask('Patient/mary', headers)).status));
  expect(statuses.filter(status => status === 200)).toHaveLength(1);
  expect(statuses.filter(status => status === 401)).toHaveLength(5);
  expect((await ask('Patient/mary', headers)).status).toBe(401);
  // What is refused leaves nothing behind: a proof that was wrong elsewhere is still good where it is right.
  const right = await proofFor(`${world.base}/Patient/mary`, 'GET', token);
  expect((await ask('Patient', { Authorization: `DPoP ${token}`, DPoP: right })).status).toBe(401);
  expect((await ask('Patient/mary', { Authorization: `DPoP ${token}`, DPoP: right })).status).toBe(200);
});

test('the address is the configured one, whatever Host says (§4.3)', async () => {
  const line = async (htu: string) =>
    `GET /fhir/Patient/mary HTTP/1.1\r\nHost: evil.example\r\nAuthorization: DPoP ${token}\r\nDPoP: ${await proofFor(htu, 'GET', token)}\r\n\r\n`;
  expect((await sendRaw(world, await line('http://evil.example/fhir/Patient/mary'))).status).toBe(401);
  expect((await sendRaw(world, await line(`${world.base}/Patient/mary`))).status).toBe(200);
});

test('a Bundle rests on the one check of its request', async () => {
  const body = JSON.stringify({
    resourceType: 'Bundle',
    type: 'batch',
    entry: ['Patient/mary', 'Patient?_count=1', 'Patient/nobody'].map(url => ({ request: { method: 'GET', url } })),
  });
  const headers = { Authorization: `DPoP ${token}`, DPoP: await proofFor(world.base, 'POST', token), 'Content-Type': 'application/fhir+json' };
  const answer = await fetch(world.base, { method: 'POST', headers, body });
  const { entry } = (await answer.json()) as { entry: { response: { status: string } }[] };
  expect([answer.status, entry.map(one => one.response.status.slice(0, 3))]).toEqual([200, ['200', '200', '404']]);
});

test('the end of the authorization counts for a bound token too', async () => {
  const ending = await boundToken();
  const { grant } = decodeJwt(ending) as { grant: string };
  const read = async (): Promise<number> =>
    (await ask('Patient/mary', { Authorization: `DPoP ${ending}`, DPoP: await proofFor(`${world.base}/Patient/mary`, 'GET', ending) })).status;
  expect(await read()).toBe(200);
  await world.app.end(grant);
  expect(await read()).toBe(401);
});
