import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type TOTP, URI } from 'otpauth';
import type { Browser } from 'playwright-core';
import { makeLaunch } from '../../src/auth/launch.ts';
import { anna, drLee, type Person } from '../auth/world.ts';
import { findChromium, openChromium } from './chromium.ts';
import { openVisitor, type Visitor } from './visitor.ts';
import { type BrowserWorld, makeCodes, openBrowserWorld, statusOf } from './world.ts';

// The pages that the stories do not pass, and proof that a page with faults is found.
jest.setTimeout(120_000);
const chromium = findChromium();
const name = 'pages in a browser';

(chromium === undefined ? describe.skip : describe)(chromium === undefined ? `${name}: there is no Chromium here (CHROMIUM may name one)` : name, () => {
  let world: BrowserWorld;
  let browser: Browser;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await openChromium(chromium!);
    world = await openBrowserWorld();
    const redirect_uris = ['https://app.example/callback', 'org.example.app:/done'];
    const app = { kind: 'app', redirect_uris, scope: 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs user/*.cruds' } as const;
    await world.app.store.commit(
      [
        { op: 'document', kind: 'client', id: 'known', value: { ...app, client_id: 'known', client_name: 'Pill diary' } },
        {
          op: 'document',
          kind: 'client',
          id: 'stranger',
          value: { ...app, client_id: 'stranger', client_name: 'Averylongnameofanappthathasnospaceinit'.repeat(3), dynamic: true },
        },
      ],
      world.app.now(),
    );
  });
  afterAll(async () => {
    await browser?.close();
    await world?.end();
  });
  beforeEach(async () => {
    visitor = await openVisitor(browser, world.url);
  });
  afterEach(async () => {
    await visitor.close();
    expect(visitor.faults).toEqual([]);
  });

  async function signIn({ username, password }: Person): Promise<void> {
    await visitor.go('/sign-in');
    await visitor.fill({ username, password });
    await visitor.click('main form[action="/sign-in"] button');
  }
  const authorize = (client: string, scope: string, more: Readonly<Record<string, string>> = {}): string =>
    `/auth/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: client,
      redirect_uri: 'https://app.example/callback',
      scope,
      aud: `${world.url}/fhir`,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      state: 'a-state-that-nobody-guesses',
      ...more,
    })}`;
  const main = (): Promise<string | null> => visitor.page.locator('main').textContent();

  test('forms that come back with mistakes', async () => {
    await visitor.go('/sign-up');
    await visitor.page.evaluate('document.querySelector(\'main form[action="/sign-up"]\').noValidate = true');
    await visitor.click('main form[action="/sign-up"] button');
    expect(await visitor.page.locator('main [aria-invalid="true"]').count()).toBeGreaterThan(3);
    await signIn({ username: 'anna', password: 'not the password' });
    expect(await visitor.page.getByRole('alert').first().isVisible()).toBe(true);
    expect(visitor.at()).toBe('/sign-in');
  });

  test('an app asks for a lot, for nothing that is left, and for what does not fit', async () => {
    await visitor.go(authorize('known', 'launch/patient openid fhirUser offline_access patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs nonsense'));
    expect(visitor.at()).toBe('/sign-in');
    await visitor.fill({ username: anna.username, password: anna.password });
    await visitor.click('main form[action="/sign-in"] button');
    // Anna has two records.
    await visitor.page.locator('main input[type="radio"][value*="anna-for-mary"]').check();
    await visitor.click('main form:has(input[type="radio"]) button');
    await visitor.page.evaluate("document.querySelectorAll('main details').forEach(node => { node.open = true; })");
    for (const box of await visitor.page.locator('main input[name="allow"]').all()) await box.uncheck();
    await visitor.click('main button[value="allow"]');
    expect(await visitor.page.getByRole('alert').isVisible()).toBe(true);
    await visitor.go(authorize('stranger', 'launch/patient launch/encounter patient/Observation.rs?category=laboratory patient/Observation.c'));
    await visitor.click('main form:has(input[name="encounter"]) button');
    expect(await main()).toContain('app.example');
    await visitor.go(authorize('known', 'user/*.rs'));
    expect(await visitor.page.locator('main button[value="allow"]').count()).toBe(0);
  });

  test('what is wrong with a request of an app is a page', async () => {
    for (const path of [
      authorize('nobody', 'patient/*.rs'),
      authorize('known', 'patient/*.rs', { redirect_uri: 'https://elsewhere.example/' }),
      '/auth/interaction/averylongidthatthereisnot',
    ])
      await visitor.go(path);
    expect(visitor.at()).toMatch(/^\/auth\/interaction/);
  });

  test('everything works without the script', async () => {
    const plain = await openVisitor(browser, world.url, { scripts: false });
    await plain.go('/sign-up');
    await plain.fill({ given: 'Rosa', family: 'Reyes', birthDate: '1990-05-17', username: 'rosa', password: 'violet harbour tractor nine' });
    await plain.page.locator('main [name="terms"]').check();
    await plain.click('main form[action="/sign-up"] button');
    await plain.go('/account/passkeys');
    expect(await plain.page.locator('main form[data-passkey]').isVisible()).toBe(false);
    await plain.go(world.medications.launch);
    await plain.click('main button[name="step"][value="allow"]');
    expect(await statusOf(world.medications.client(), 'MedicationStatement')).toBe(200);
    await plain.go('/apps');
    await plain.click('main a[href$="/end"]');
    await plain.click('main form[action$="/end"] button');
    expect(await statusOf(world.medications.client(), 'MedicationStatement')).toBe(401);
    await plain.close();
    expect(plain.faults).toEqual([]);
  });

  test('a launch for somebody else, and an app that is refused', async () => {
    const launch = await makeLaunch({ client: 'known', account: 'dr-lee', patient: 'mary' }, world.app);
    await signIn(anna);
    await visitor.go(authorize('known', 'launch patient/Patient.r', { launch }));
    expect(await visitor.page.locator('main button[value="allow"]').count()).toBe(0);
    expect(await main()).toContain('dr-lee');
    await visitor.go(world.medications.launch);
    if ((await visitor.page.locator('main input[type="radio"]').count()) > 0) {
      await visitor.page.locator('main input[type="radio"]').first().check();
      await visitor.click('main form:has(input[type="radio"]) button');
    }
    await visitor.click('main button[name="step"][value="deny"]');
    expect(() => world.medications.client()).toThrow(/access_denied/);
  });

  test('the account, with a second step and recovery codes', async () => {
    await signIn(drLee);
    await visitor.go('/account/authenticator');
    await visitor.click('main form[action="/account/authenticator"] button');
    const code = makeCodes(URI.parse((await visitor.page.locator('main a[href^="otpauth:"]').getAttribute('href'))!) as TOTP);
    await visitor.fill({ code: code() });
    await visitor.click('main form[action="/account/authenticator/code"] button');
    await visitor.go('/account/recovery');
    await visitor.click('main form[action="/account/recovery"] button');
    const [recovery] = /[a-z0-9]{4,5}(-[a-z0-9]{4,5}){1,}/i.exec((await main()) ?? '') ?? [];
    await visitor.go('/account/password');
    await visitor.page.evaluate('document.querySelector(\'main form[action="/account/password"]\').noValidate = true');
    await visitor.click('main form[action="/account/password"] button');
    await visitor.click('header form[action="/sign-out"] button');
    await signIn(drLee);
    await visitor.page.evaluate("document.querySelectorAll('main details').forEach(node => { node.open = true; })");
    await visitor.fill({ recovery: recovery ?? '' });
    await visitor.click('main form:has([name="recovery"]) button');
    expect(await visitor.page.locator('header form[action="/sign-out"]').count()).toBe(1);
    for (const path of ['/', '/records', '/consents', '/apps', '/account', '/confirm?to=/account', '/account/authenticator', '/nowhere'])
      await visitor.go(path);
  });

  test('a page with faults is told of', async () => {
    const bad = `<!doctype html><html lang="en"><title>x</title><style>@media (prefers-color-scheme: dark) { .d { color: #222; background: #111 } }</style>
<h1>One</h1><h1>Two</h1><h4>Four</h4><a href="/other">Other</a><p style="color:#999;background:#fff">grey</p><p class="d">dark</p>
<input name="lonely"><button tabindex="2"></button><div style="width:900px">wide</div><script>1</script>`;
    const server = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'").end(bad);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const other = await openVisitor(browser, origin);
    await other.go('/');
    await other.close();
    server.closeAllConnections();
    server.close();
    const told = other.faults.join('\n');
    for (const fault of [
      '2 h1',
      'h4 follows h1',
      '“grey”',
      '“dark”',
      'lonely has no label',
      'has no name',
      'order of focus',
      'scrolls sideways',
      'focus begins',
      'CSP',
    ])
      expect(told).toContain(fault);
  });
});
