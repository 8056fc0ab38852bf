import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { type AuthWorld, anna, authorizationRequest, designate, drLee, launch, mail, mary, openAuthWorld, publicApp, REDIRECT, walk } from './world.ts';

// SMART App Launch 2.2: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
let world: AuthWorld;
const secret = 'a-long-and-random-secret-of-the-client';
const basic = { Authorization: `Basic ${Buffer.from(`portal:${secret}`).toString('base64')}` };
beforeAll(async () => {
  world = await openAuthWorld({}, [
    publicApp,
    { ...publicApp, client_id: 'portal', client_name: 'Portal', client_secret: secret },
    { ...publicApp, client_id: 'other', client_name: 'Other' },
  ]);
});
afterAll(() => world.end());
const refresh = (token: string, more: Record<string, string> = {}) => world.post('/token', { grant_type: 'refresh_token', refresh_token: token, ...more });

describe('standalone launch of a public app (§Launch App: Standalone)', () => {
  const scope = 'launch/patient openid fhirUser offline_access patient/MedicationStatement.rs patient/Patient.read nonsense';

  test('token, launch context, id_token by RS256; unknown scopes are dropped, and told', async () => {
    const { redeem, state, back } = await launch(world, scope);
    expect([back.searchParams.get('state'), back.searchParams.get('iss')]).toEqual([state, world.issuer]);
    const { status, body, headers } = await redeem();
    expect([status, body]).toEqual([
      200,
      expect.objectContaining({
        token_type: 'Bearer',
        expires_in: 3600,
        patient: 'mary',
        need_patient_banner: true,
        smart_style_url: `${world.url}/smart-style.json`,
        scope: scope.replace(' nonsense', ''),
      }),
    ]);
    expect(Object.keys(body).sort()).toEqual(
      ['access_token', 'expires_in', 'id_token', 'need_patient_banner', 'patient', 'refresh_token', 'scope', 'smart_style_url', 'token_type'].sort(),
    );
    expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
    expect(decodeProtectedHeader(body.id_token).alg).toBe('RS256');
    const { payload } = await jwtVerify(body.id_token, createRemoteJWKSet(new URL(`${world.issuer}/jwks`)), {
      issuer: world.issuer,
      audience: publicApp.client_id,
    });
    expect(payload).toMatchObject({ sub: 'mary', fhirUser: `${world.base}/Patient/mary` });
    expect((await world.fhir('MedicationStatement', body.access_token)).status).toBe(200);
    expect((await world.fhir('Condition', body.access_token)).status).toBe(403);
  });

  test('refresh rotates; the client_id is not needed; scopes may shrink and never grow (§Use a refresh token)', async () => {
    const first = (await (await launch(world, scope)).redeem()).body;
    const second = await refresh(first.refresh_token);
    expect([second.status, second.body]).toEqual([200, expect.objectContaining({ patient: 'mary', scope: first.scope, need_patient_banner: true })]);
    expect(second.body.refresh_token).not.toBe(first.refresh_token);
    const less = await refresh(second.body.refresh_token, { scope: 'patient/Patient.read', client_id: 'phone' });
    expect(less.body.scope).toBe('patient/Patient.read');
    expect((await world.fhir('MedicationStatement', less.body.access_token)).status).toBe(403);
    const more = await refresh(less.body.refresh_token, { scope: 'patient/*.cruds' });
    expect([more.status, more.body.error]).toEqual([400, 'invalid_scope']);
  });

  test('a refresh token that is used twice ends the whole authorization, and its Consent', async () => {
    const first = (await (await launch(world, scope)).redeem()).body;
    const second = (await refresh(first.refresh_token)).body;
    expect((await world.fhir('Patient/mary', second.access_token)).status).toBe(200);
    expect((await refresh(first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(second.refresh_token)).body.error).toBe('invalid_grant');
    expect((await world.fhir('Patient/mary', second.access_token)).status).toBe(401);
    expect((await world.fhir('Patient/mary', first.access_token)).status).toBe(401);
  });

  test('ten parallel uses of a refresh token: exactly one succeeds', async () => {
    const first = (await (await launch(world, scope)).redeem()).body;
    const many = await Promise.all(Array.from({ length: 10 }, () => refresh(first.refresh_token)));
    expect(many.map(one => one.status).sort()).toEqual([200, ...Array(9).fill(400)]);
  });

  test('ten parallel uses of a code: exactly one; one more ends what came of it (§Exchange code for token)', async () => {
    const { redeem } = await launch(world, scope);
    const many = await Promise.all(Array.from({ length: 10 }, () => redeem()));
    expect(many.map(one => one.status).sort()).toEqual([200, ...Array(9).fill(400)]);
    const token = many.find(one => one.status === 200)!.body.access_token;
    expect((await redeem()).body.error).toBe('invalid_grant');
    expect((await world.fhir('Patient/mary', token)).status).toBe(401);
  });
});

describe('what a person decides', () => {
  test('denied: access_denied, with the state, and no code', async () => {
    const { back, state } = await launch(world, 'launch/patient patient/Patient.rs', mary, { deny: true });
    expect([back.searchParams.get('error'), back.searchParams.get('state'), back.searchParams.get('code')]).toEqual(['access_denied', state, null]);
  });

  test('without `offline_access` there is no refresh token; without a category its entries are not seen (ONC (g)(10))', async () => {
    const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
    for (const category of ['laboratory', 'vital-signs'])
      await ehr.post('Observation', {
        resourceType: 'Observation',
        status: 'final',
        category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: category }] }],
        code: { text: category },
        subject: { reference: 'Patient/mary' },
      });
    const asked = 'launch/patient offline_access patient/Observation.rs patient/Patient.rs';
    const whole = (await (await launch(world, asked)).redeem()).body;
    const less = (await (await launch(world, asked, mary, { without: ['offline', 'patient/Observation.see|vital-signs', 'patient/Patient.see'] })).redeem())
      .body;
    expect([typeof whole.refresh_token, less.refresh_token, less.scope.includes('offline_access')]).toEqual(['string', undefined, false]);
    const seen = async (token: string) =>
      (await world.fhir('Observation', token)).body.entry.map((entry: { resource: { code: { text: string } } }) => entry.resource.code.text).sort();
    expect([await seen(whole.access_token), await seen(less.access_token)]).toEqual([['laboratory', 'vital-signs'], ['laboratory']]);
    expect((await world.fhir('Patient/mary', less.access_token)).status).toBe(403);
  });

  test('the person is told by mail that an app was connected, and of nothing else', async () => {
    const account = (await world.app.store.document('account', 'mary')) as object;
    await world.app.store.commit([{ op: 'document', kind: 'account', id: 'mary', value: { ...account, email: 'mary@example.org' } }], world.app.now());
    await launch(world, 'launch/patient patient/MedicationStatement.rs');
    for (let waited = 0; readdirSync(mail).length === 0 && waited < 100; waited++) await new Promise(resolve => setTimeout(resolve, 50));
    const [file] = readdirSync(mail);
    const text = readFileSync(join(mail, file!), 'utf8');
    expect(text).toContain('To: mary@example.org');
    for (const hidden of ['Medication', 'mary-', 'http', publicApp.client_name]) expect(text).not.toContain(hidden);
  });

  test('a form that is sent twice makes one authorization', async () => {
    const browser = world.browser();
    const asked = authorizationRequest(world, 'launch/patient patient/Patient.rs');
    let page = await browser.go(asked.url);
    page = await browser.submit(page.forms.find(one => one.html.includes('name="password"'))!, { username: mary.username, password: mary.password });
    const form = page.forms.find(one => one.action.includes('/auth/interaction/'))!;
    const [name, value] = form.buttons.find(([, , text]) => /allow/i.test(text))!;
    const button = name === '' ? {} : { button: [name, value] as const };
    const before = (await world.app.store.documents('grant')).length;
    const pages = await Promise.all([1, 2].map(() => browser.submit(form, {}, button)));
    expect((await world.app.store.documents('grant')).length).toBe(before + 1);
    expect(pages.filter(one => one.left?.searchParams.get('code')).length).toBe(1);
  });

  test('online_access ends when the person signs out (§Scopes for requesting a refresh token)', async () => {
    const browser = world.browser();
    const { body } = await (await launch(world, 'launch/patient online_access patient/Patient.rs', mary, { browser })).redeem();
    const second = await refresh(body.refresh_token);
    expect(second.status).toBe(200);
    const page = await browser.go('/records');
    await browser.submit(page.forms.find(one => one.action.endsWith('/sign-out'))!);
    expect((await refresh(second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await world.fhir('Patient/mary', second.body.access_token)).status).toBe(401);
  });

  test('prompt=login asks for the password again; without it the sign-in of before is enough', async () => {
    const browser = world.browser();
    const scope = 'launch/patient patient/Patient.rs';
    await launch(world, scope, mary, { browser });
    expect((await browser.go(authorizationRequest(world, scope).url)).url).toContain('/auth/interaction/');
    // It goes by whole seconds.
    await new Promise(resolve => setTimeout(resolve, 1100));
    expect((await browser.go(authorizationRequest(world, scope, { prompt: 'login' }).url)).url).toContain('/sign-in');
    expect((await browser.go(authorizationRequest(world, `${scope} openid`, { max_age: '1000' }).url)).url).toContain('/auth/interaction/');
    const old = authorizationRequest(world, `${scope} openid`, { max_age: '0' });
    expect((await browser.go(old.url)).url).toContain('/sign-in');
    expect((await walk(browser, old.url, mary)).searchParams.get('code')).toEqual(expect.any(String));
    expect((await browser.go(authorizationRequest(world, scope, { prompt: 'none' }).url)).left?.searchParams.get('error')).toBe('interaction_required');
  });
});

describe('an authorization is a Consent of kind app', () => {
  const scope = 'launch/patient offline_access patient/Patient.rs patient/Consent.cruds';
  const consents = async (token: string) => {
    const { body } = await world.fhir('Consent?category=https://kindred.example/fhir/CodeSystem/consent-kind|app&status=active', token);
    return (body.entry ?? []).map((entry: { resource: { id: string } }) => entry.resource) as { id: string; status: string }[];
  };

  test('the person reads it, and ends it: its tokens are refused at the next request, its refresh token too', async () => {
    const watcher = (await (await launch(world, scope)).redeem()).body;
    const app = (await (await launch(world, 'launch/patient offline_access patient/Patient.rs')).redeem()).body;
    const { grant } = decodeJwt(app.access_token) as { grant: string };
    const consent = (await world.fhir(`Consent/${grant}`, watcher.access_token)).body;
    expect((await world.fhir('Patient/mary', app.access_token)).status).toBe(200);
    const ended = await fetch(`${world.base}/Consent/${consent.id}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${watcher.access_token}`, 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({ ...consent, status: 'inactive' }),
    });
    expect(ended.status).toBe(200);
    const all = await Promise.all([app].map(one => world.fhir('Patient/mary', one.access_token)));
    expect(all.map(one => one.status)).toEqual([401]);
    expect((await refresh(app.refresh_token)).body.error).toBe('invalid_grant');
    expect((await world.fhir('Patient/mary', watcher.access_token)).status).toBe(200);
  });

  test('revoking the token inactivates it (RFC 7009)', async () => {
    const watcher = (await (await launch(world, scope)).redeem()).body;
    const app = (await (await launch(world, scope)).redeem()).body;
    const before = (await consents(watcher.access_token)).length;
    expect((await world.post('/revoke', { token: app.refresh_token, client_id: 'other' })).status).toBe(200);
    expect((await consents(watcher.access_token)).length).toBe(before);
    expect((await world.post('/revoke', { token: app.refresh_token, client_id: 'phone' })).status).toBe(200);
    expect((await consents(watcher.access_token)).length).toBe(before - 1);
    expect((await world.fhir('Patient/mary', app.access_token)).status).toBe(401);
  });

  test('revoking the access token ends all of it as well', async () => {
    const app = (await (await launch(world, scope)).redeem()).body;
    expect((await world.post('/revoke', { token: app.access_token, client_id: 'phone' })).status).toBe(200);
    expect((await world.fhir('Patient/mary', app.access_token)).status).toBe(401);
    expect((await refresh(app.refresh_token)).body.error).toBe('invalid_grant');
  });

  test('everything about it is in the log, which its person reads, and no secret is', async () => {
    const { redeem, code } = await launch(world, `${scope} patient/AuditEvent.rs`);
    const { body } = await redeem();
    await refresh(body.refresh_token);
    const log = await world.fhir('AuditEvent?_count=500', body.access_token);
    const text = JSON.stringify(log.body);
    for (const type of ['110122', 'ITI-71']) expect(text).toContain(type);
    await launch(world, 'launch/patient patient/Patient.rs', mary, { deny: true });
    await world.post('/revoke', { token: body.access_token, client_id: 'phone' });
    const lines = new Set<string>();
    for await (const link of world.app.store.chain())
      for (const event of link.events) {
        const { code: what, outcome } = JSON.parse(Buffer.from(event.body).toString('utf8')) as { code: string; outcome: string };
        lines.add(`${what} ${outcome}`);
      }
    for (const line of ['sign-in 0', 'authorize 0', 'authorize 8', 'token 0', 'refresh 0', 'revoke 0']) expect([...lines]).toContain(line);
    for (const hidden of [code, body.refresh_token, body.access_token, mary.password]) expect(text).not.toContain(hidden);
  });
});

describe('a caregiver', () => {
  test('the token is about the patient, who acts is the RelatedPerson, and the app is told to show it', async () => {
    const scope = 'launch/patient openid fhirUser offline_access patient/MedicationStatement.rs';
    // No consent lets her see anything yet, so she lets nobody in either (ACCESS §3.2).
    expect((await launch(world, scope, anna, { deny: true })).code).toBe('');
    expect((await launch(world, scope, anna)).code).toBe('');
    await designate(world);
    const { redeem } = await launch(world, scope, anna);
    const { body } = await redeem();
    expect(body).toMatchObject({ patient: 'mary', need_patient_banner: true, fhirContext: [{ reference: 'RelatedPerson/anna-for-mary' }] });
    const claims = JSON.parse(Buffer.from(body.id_token.split('.')[1], 'base64url').toString('utf8'));
    expect([claims.sub, claims.fhirUser]).toEqual(['anna', `${world.base}/RelatedPerson/anna-for-mary`]);
    expect((await world.fhir('MedicationStatement', body.access_token)).status).toBe(200);
    // What ends for the FHIR server ends for everybody who asks: she no longer stands for the patient.
    const told = () => world.post('/introspect', { token: body.access_token }, basic);
    expect((await world.post('/introspect', { token: body.access_token, client_id: 'phone' })).body.active).toBe(true);
    const related = await world.app.store.read({ type: 'RelatedPerson', id: 'anna-for-mary' });
    await world.as(await world.token('ehr-ima', 'system/*.cruds')).put('RelatedPerson/anna-for-mary', { ...related!.parsed(), active: false });
    expect((await world.fhir('MedicationStatement', body.access_token)).status).toBe(401);
    expect((await told()).body).toEqual({ active: false });
    expect((await world.post('/introspect', { token: body.access_token, client_id: 'phone' })).body).toEqual({ active: false });
    expect((await refresh(body.refresh_token)).body.error).toBe('invalid_grant');
  });
});

describe('a practitioner', () => {
  test('user/ scopes need no patient; patient/ and user/ are not mixed (ACCESS §2)', async () => {
    const { redeem } = await launch(world, 'openid fhirUser user/Patient.rs', drLee);
    const { body } = await redeem();
    expect([body.patient, body.scope]).toEqual([undefined, 'openid fhirUser user/Patient.rs']);
    expect((await world.fhir('Patient/mary', body.access_token)).status).toBe(200);
    const mixed = await world.browser().go(authorizationRequest(world, 'user/Patient.rs patient/Patient.rs').url);
    expect(mixed.left?.searchParams.get('error')).toBe('invalid_scope');
  });
});

describe('confidential and symmetric', () => {
  test('the secret is needed at the token endpoint, by Basic or in the form', async () => {
    const more = { client_id: 'portal' };
    const { redeem, code, verifier } = await launch(world, 'launch/patient offline_access patient/Patient.rs', mary, { more });
    expect((await redeem({ client_id: 'portal' })).body.error).toBe('invalid_client');
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier };
    const { status, body } = await world.post('/token', form, basic);
    expect(status).toBe(200);
    expect((await refresh(body.refresh_token)).status).toBeGreaterThanOrEqual(400);
    expect((await world.post('/token', { grant_type: 'refresh_token', refresh_token: body.refresh_token }, basic)).status).toBe(200);
  });
});

describe('authorization requests that are refused', () => {
  const start = (more: Record<string, string>, without: readonly string[] = []) => {
    const { query } = authorizationRequest(world, 'launch/patient patient/Patient.rs', more);
    const kept = Object.entries(query).filter(([name]) => !without.includes(name));
    return world.browser().go(`${world.issuer}/authorize?${new URLSearchParams(kept)}`);
  };
  test.each<[string, Record<string, string>, string[], string]>([
    ['another audience', { aud: 'https://elsewhere.example/fhir' }, [], 'invalid_target'],
    ['no audience', {}, ['aud'], 'invalid_request'],
    ['no PKCE', {}, ['code_challenge', 'code_challenge_method'], 'invalid_request'],
    ['PKCE plain', { code_challenge_method: 'plain' }, [], 'invalid_request'],
    ['PKCE without method', {}, ['code_challenge_method'], 'invalid_request'],
    ['implicit', { response_type: 'id_token' }, [], 'unsupported_response_type'],
    ['an unknown launch', { launch: 'unknown', scope: 'launch patient/Patient.rs' }, [], 'invalid_request'],
    ['launch without a value', { scope: 'launch patient/Patient.rs' }, [], 'invalid_request'],
    ['scopes of 10,000 characters', { scope: `patient/Patient.rs?_id=${'a'.repeat(10_000)}` }, [], 'invalid_scope'],
  ])('%s: told to the app', async (_name, more, without, error) => {
    const page = await start(more, without);
    const told = page.left?.searchParams.get('error') ?? new URLSearchParams(page.left?.hash.slice(1)).get('error');
    expect([page.left?.origin, told]).toEqual([new URL(REDIRECT).origin, error]);
  });
  test.each<[string, Record<string, string>]>([
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['one that begins like a registered one', { redirect_uri: `${REDIRECT}.evil.example` }],
    ['one with another path', { redirect_uri: `${REDIRECT}/../evil` }],
    ['one with a fragment', { redirect_uri: `${REDIRECT}#x` }],
    ['an unknown client', { client_id: 'nobody' }],
    ['no client', { client_id: '' }],
  ])('%s: a page of ours, and no redirect', async (_name, more) => {
    const page = await start(more);
    expect([page.left, page.status]).toEqual([undefined, 400]);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.html).toContain('<h1>');
  });

  test('what a client that has shown who it is is refused is in the log; all others are counted', async () => {
    const since = new Date().toISOString();
    await start({ aud: 'https://elsewhere.example/fhir' });
    await start({ client_id: 'nobody' });
    const form = { grant_type: 'authorization_code', code: 'x', redirect_uri: REDIRECT, code_verifier: 'x'.repeat(43) };
    await world.post('/token', { ...form, client_id: 'phone' });
    await world.post('/token', form, basic);
    await world.post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, basic);
    const events: { outcome: string; outcomeDesc?: string }[] = [];
    for await (const link of world.app.store.chain())
      for (const event of link.events) {
        const record = JSON.parse(Buffer.from(event.body).toString('utf8')) as { at: string; outcome: string; code: string; why?: string };
        if (record.at >= since && record.outcome === '8') events.push({ outcome: record.code, outcomeDesc: record.why ?? '' });
      }
    expect(events).toEqual([
      { outcome: 'token', outcomeDesc: expect.stringContaining('invalid_grant') },
      { outcome: 'refresh', outcomeDesc: expect.stringContaining('invalid_grant') },
    ]);
  });

  test('POST is taken as GET is (authorize-post)', async () => {
    const browser = world.browser();
    const { query, verifier } = authorizationRequest(world, 'launch/patient patient/Patient.rs');
    const first = await browser.go(`${world.issuer}/authorize`, { method: 'POST', body: new URLSearchParams(query) });
    expect(first.url).toContain('/sign-in');
    const back = await walk(browser, first.url, mary);
    const { status } = await world.post('/token', {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code')!,
      redirect_uri: REDIRECT,
      client_id: 'phone',
      code_verifier: verifier,
    });
    expect(status).toBe(200);
  });
});

describe('token requests that are refused', () => {
  test.each<[string, Record<string, string>]>([
    ['a wrong verifier', { code_verifier: 'x'.repeat(43) }],
    ['no verifier', { code_verifier: '' }],
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:9/other' }],
    ['another client (mix-up, injection)', { client_id: 'other' }],
    ['an unknown code', { code: 'unknown' }],
  ])('%s', async (_name, changes) => {
    const { redeem } = await launch(world, 'launch/patient patient/Patient.rs');
    const { status, body } = await redeem(changes);
    expect([status, body.error]).toEqual([400, 'invalid_grant']);
  });
  test('what another browser began is not gone on with', async () => {
    const first = world.browser();
    const asked = authorizationRequest(world, 'launch/patient patient/Patient.rs');
    const page = await first.go(asked.url);
    const uid = new URL(page.url).searchParams.get('to')!;
    const stranger = await world.browser().go(uid);
    expect([stranger.left, stranger.status]).toEqual([undefined, 404]);
  });
});
