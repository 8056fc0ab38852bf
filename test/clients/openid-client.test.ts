import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import * as oidc from 'openid-client';
import { type AuthWorld, clientKey, mary, openAuthWorld, publicApp, REDIRECT, walk } from '../auth/world.ts';
import { lisinopril } from '../http/resources.ts';

// A certified OpenID Connect client that checks whatever it is sent: https://github.com/panva/openid-client
jest.setTimeout(60_000);
const SCOPE = 'launch/patient openid fhirUser profile offline_access patient/Patient.r patient/MedicationStatement.rs';
const algorithms = ['ES384', 'RS384'] as const;
type Key = Awaited<ReturnType<typeof clientKey>>;

let world: AuthWorld;
const keys: Record<string, Key> = {};

beforeAll(async () => {
  for (const alg of algorithms) keys[alg] = await clientKey(alg, `key-${alg}`);
  const app = { client_name: 'Medication list', kind: 'app', redirect_uris: [REDIRECT], scope: publicApp.scope } as const;
  world = await openAuthWorld({ KINDRED_REGISTRATION: 'open' }, [
    publicApp,
    ...algorithms.map(alg => ({ ...app, client_id: `app-${alg}`, jwks: { keys: [keys[alg]!.open] } })),
    ...algorithms.map(alg => ({
      client_id: `system-${alg}`,
      client_name: 'Exchange',
      kind: 'system' as const,
      organization: 'ima',
      scope: 'system/*.cruds',
      jwks: { keys: [keys[alg]!.open] },
    })),
  ]);
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  expect((await ehr.post('MedicationStatement', lisinopril())).status).toBe(201);
});
afterAll(() => world.end());

/** Everything that the client knows of the server it has read there. */
const discovered = (client: string, how: oidc.ClientAuth = oidc.None()): Promise<oidc.Configuration> =>
  oidc.discovery(new URL(world.issuer), client, undefined, how, { execute: [oidc.allowInsecureRequests] });
/** SMART wants the token endpoint as the audience; this library names the issuer unless told. */
const assertion = (alg: string, smartAudience: boolean): oidc.ClientAuth =>
  oidc.PrivateKeyJwt(
    { key: keys[alg]!.secret, kid: `key-${alg}` },
    smartAudience ? { [oidc.modifyAssertion]: (_header, payload) => Object.assign(payload, { aud: `${world.issuer}/token` }) } : {},
  );

/** The code flow with PKCE, state and nonce. */
async function authorized(config: oidc.Configuration, scope = SCOPE, options: oidc.DPoPOptions = {}, redirect_uri = REDIRECT) {
  const verifier = oidc.randomPKCECodeVerifier();
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
  const start = oidc.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state,
    nonce,
    aud: world.base,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const back = await walk(world.browser(), start.href, mary);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  return oidc.authorizationCodeGrant(config, back, checks, undefined, options);
}

test('discovery (OpenID Connect Discovery 1.0 §4), and the same in SMART’s words', async () => {
  const metadata = (await discovered('phone')).serverMetadata();
  expect(metadata).toMatchObject({
    issuer: world.issuer,
    authorization_endpoint: `${world.issuer}/authorize`,
    token_endpoint: `${world.issuer}/token`,
    code_challenge_methods_supported: ['S256'],
  });
  expect(metadata.token_endpoint_auth_signing_alg_values_supported).toEqual(expect.arrayContaining([...algorithms]));
  const smart = (await (await fetch(`${world.base}/.well-known/smart-configuration`)).json()) as Record<string, unknown>;
  for (const name of ['issuer', 'jwks_uri', 'authorization_endpoint', 'token_endpoint', 'introspection_endpoint', 'revocation_endpoint'])
    expect([name, smart[name]]).toEqual([name, metadata[name]]);
});

test.each(algorithms)('code flow, %s: id_token, refresh, introspection, revocation', async alg => {
  const config = await discovered(`app-${alg}`, assertion(alg, alg === 'ES384'));
  const first = await authorized(config);
  expect(first).toMatchObject({ token_type: 'bearer', expires_in: 3600, patient: 'mary', scope: SCOPE, refresh_token: expect.any(String) });
  // Signature, issuer, audience, times and nonce have been checked by the library.
  expect(first.claims()).toMatchObject({ iss: world.issuer, aud: `app-${alg}`, sub: 'mary', fhirUser: `${world.base}/Patient/mary` });
  expect((await world.fhir('MedicationStatement', first.access_token)).body.entry).toHaveLength(1);

  const second = await oidc.refreshTokenGrant(config, first.refresh_token!);
  expect(second).toMatchObject({ patient: 'mary', scope: SCOPE });
  expect(second.claims()).toMatchObject({ sub: 'mary' });
  expect(second.refresh_token).not.toBe(first.refresh_token);
  const narrower = await oidc.refreshTokenGrant(config, second.refresh_token!, { scope: 'patient/Patient.r' });
  expect(narrower.scope).toBe('patient/Patient.r');
  expect((await world.fhir('Patient/mary', narrower.access_token)).status).toBe(200);
  expect((await world.fhir('MedicationStatement', narrower.access_token)).status).toBe(403);

  const about = await oidc.tokenIntrospection(config, second.access_token);
  expect(about).toMatchObject({ active: true, client_id: `app-${alg}`, scope: SCOPE, patient: 'mary', sub: 'mary', fhirUser: `${world.base}/Patient/mary` });
  await oidc.tokenRevocation(config, second.access_token);
  expect(await oidc.tokenIntrospection(config, second.access_token)).toEqual({ active: false });
  expect((await world.fhir('MedicationStatement', second.access_token)).status).toBe(401);
});

test('a refresh token that is revoked ends the authorization, and with it every access token (RFC 7009 §2.1)', async () => {
  const config = await discovered('app-ES384', assertion('ES384', true));
  const tokens = await authorized(config);
  await oidc.tokenRevocation(config, tokens.refresh_token!);
  expect((await world.fhir('MedicationStatement', tokens.access_token)).status).toBe(401);
  await expect(oidc.refreshTokenGrant(config, tokens.refresh_token!)).rejects.toMatchObject({ error: 'invalid_grant' });
});

test.each(algorithms)('client credentials, %s', async alg => {
  const config = await discovered(`system-${alg}`, assertion(alg, true));
  const tokens = await oidc.clientCredentialsGrant(config, { scope: 'system/MedicationStatement.rs' });
  expect(tokens).toMatchObject({ expires_in: 300, scope: 'system/MedicationStatement.rs' });
  expect((await world.fhir('MedicationStatement', tokens.access_token)).body.entry).toHaveLength(1);
});

test('a key that is not the client’s', async () => {
  const wrong = await discovered('system-ES384', oidc.PrivateKeyJwt({ key: keys.RS384!.secret, kid: 'key-ES384' }));
  await expect(oidc.clientCredentialsGrant(wrong, { scope: 'system/MedicationStatement.rs' })).rejects.toMatchObject({ error: 'invalid_client', status: 401 });
});

test('an app on a phone registers itself (RFC 7591) and comes back by a scheme of its own (RFC 8252 §7.1)', async () => {
  const redirect_uris = ['org.example.diary:/done'];
  const metadata = { client_name: 'Diary', redirect_uris, token_endpoint_auth_method: 'none', scope: SCOPE };
  const config = await oidc.dynamicClientRegistration(new URL(world.issuer), metadata, oidc.None(), { execute: [oidc.allowInsecureRequests] });
  expect(config.clientMetadata()).toMatchObject({ client_id: expect.any(String), redirect_uris });
  const tokens = await authorized(config, SCOPE, {}, redirect_uris[0]);
  expect(tokens.claims()).toMatchObject({ aud: config.clientMetadata().client_id, sub: 'mary' });
});

const usual = () => ({
  redirect_uri: REDIRECT,
  scope: SCOPE,
  state: 'x'.repeat(20),
  aud: world.base,
  code_challenge: 'x'.repeat(43),
  code_challenge_method: 'S256',
});
test.each([
  ['prompt=none: nobody can be asked (OpenID Connect Core §3.1.2.6)', { prompt: 'none' }, /^(interaction|login|consent)_required$/],
  ['no PKCE', { code_challenge: '', code_challenge_method: '' }, /^invalid_request$/],
  ['PKCE that hides nothing', { code_challenge_method: 'plain' }, /^invalid_request$/],
  ['another aud', { aud: 'https://elsewhere.example/fhir' }, /^invalid_(request|target)$/],
  ['a token in the address', { response_type: 'token' }, /^unsupported_response_type$/],
  ['levels that are mixed', { scope: 'patient/Patient.r user/Patient.r' }, /^invalid_scope$/],
])('refused at once, and the app is told: %s', async (_name, changes, error) => {
  const asked = Object.entries({ ...usual(), ...changes }).filter(([, value]) => value !== '');
  const { left } = await world.browser().go(oidc.buildAuthorizationUrl(await discovered('phone'), Object.fromEntries(asked)).href);
  // Who asks for a token hears of it where tokens would have come (OAuth 2.0 Multiple Response Types §5).
  const answer = new URLSearchParams(left?.search || left?.hash.slice(1));
  const told = ['error', 'state', 'iss', 'code'].map(name => answer.get(name));
  expect(told).toEqual([expect.stringMatching(error), usual().state, world.issuer, null]);
});

test('max_age: somebody who signed in longer ago does so again (OpenID Connect Core §3.1.2.1)', async () => {
  const config = await discovered('phone');
  const browser = world.browser();
  const start = (more: object = {}): string => oidc.buildAuthorizationUrl(config, { ...usual(), ...more }).href;
  const pathOf = async (url: string): Promise<string> => new URL((await browser.go(url)).url).pathname;
  expect(await pathOf(start())).toBe('/sign-in');
  await walk(browser, start(), mary);
  expect(await pathOf(start())).toMatch(/^\/auth\/interaction\//);
  // The age is counted in whole seconds.
  await new Promise(resolve => setTimeout(resolve, 2100));
  expect(await pathOf(start({ max_age: '1' }))).toBe('/sign-in');
  expect(await pathOf(start({ max_age: '600' }))).toMatch(/^\/auth\/interaction\//);
  expect(await pathOf(start({ prompt: 'login' }))).toBe('/sign-in');
});

test('DPoP (RFC 9449): the tokens of a public app are bound to its key, the refresh token too', async () => {
  const config = await discovered('phone');
  const mine = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
  const tokens = await authorized(config, SCOPE, { DPoP: mine });
  expect([tokens.token_type, tokens.claims()?.sub]).toEqual(['dpop', 'mary']);
  const at = new URL(`${world.base}/MedicationStatement`);
  const read = async (token: string, DPoP: oidc.DPoPHandle): Promise<number> =>
    oidc.fetchProtectedResource(config, token, at, 'GET', undefined, undefined, { DPoP }).then(
      response => response.status,
      error => error.status as number,
    );
  expect([await read(tokens.access_token, mine), await read(tokens.access_token, mine), await read(tokens.access_token, other)]).toEqual([200, 200, 401]);
  expect((await world.fhir('MedicationStatement', tokens.access_token)).status).toBe(401);

  await expect(oidc.refreshTokenGrant(config, tokens.refresh_token!, {}, { DPoP: other })).rejects.toMatchObject({ status: 400 });
  const fresh = await oidc.refreshTokenGrant(config, tokens.refresh_token!, {}, { DPoP: mine });
  expect(await read(fresh.access_token, mine)).toBe(200);
});
