import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { TOTP, URI } from 'otpauth';
import type { Browser } from 'playwright-core';
import { anna, drLee, mary, type Person } from '../auth/world.ts';
import { actions, classes, confidentiality, consent, statement } from '../http/resources.ts';
import { scratch } from '../http/world.ts';
import { findChromium, openChromium } from './chromium.ts';
import { openVisitor, type Visitor } from './visitor.ts';
import { type BrowserWorld, MARYS_TOTP, makeCodes, medicationsOf, openBrowserWorld, statusOf } from './world.ts';

// As people do it, in a real browser; and every page that they pass is looked at.
jest.setTimeout(120_000);
const chromium = findChromium();
const name = 'stories in a browser';

(chromium === undefined ? describe.skip : describe)(chromium === undefined ? `${name}: there is no Chromium here (CHROMIUM may name one)` : name, () => {
  let world: BrowserWorld;
  let browser: Browser;
  let visitor: Visitor;
  beforeAll(async () => {
    browser = await openChromium(chromium!);
    world = await openBrowserWorld();
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

  /** Sends the form that leads to an address, whatever its button is called. */
  const send = (action: string, more = ''): Promise<void> => visitor.click(`main form[action="${action}"]${more} button`);
  const text = (): Promise<string | null> => visitor.page.locator('main').textContent();
  async function signIn({ username, password }: Person): Promise<void> {
    await visitor.go('/sign-in');
    await visitor.fill({ username, password });
    await send('/sign-in');
  }
  async function launch(): Promise<void> {
    await visitor.go(world.medications.launch);
    // Nobody signs in again.
    expect(visitor.at()).toMatch(/^\/auth\/interaction\//);
  }
  async function allow(): Promise<void> {
    await visitor.click('main button[name="step"][value="allow"]');
    expect(visitor.page.url()).toContain(world.medications.redirect);
  }

  test('somebody signs up, adds a second step, lets an app in with less than it asks for, sees it, and ends it', async () => {
    await visitor.go('/sign-up');
    await visitor.fill({ given: 'Rosa', family: 'Reyes', birthDate: '1990-05-17', username: 'rosa', password: 'violet harbour tractor nine' });
    await visitor.page.locator('main [name="terms"]').check();
    await send('/sign-up');
    expect(visitor.at()).toBe('/account');

    await visitor.click('main a[href="/account/authenticator"] >> nth=0');
    await send('/account/authenticator');
    const totp = URI.parse((await visitor.page.locator('main a[href^="otpauth:"]').getAttribute('href'))!) as TOTP;
    const code = makeCodes(totp);
    await visitor.fill({ code: '000000' });
    await send('/account/authenticator/code');
    await visitor.fill({ code: code() });
    await send('/account/authenticator/code');
    expect(visitor.at()).toBe('/account');

    await launch();
    for (const box of await visitor.page.locator('main input[name="allow"][value*="Condition"]').all()) await box.uncheck();
    await allow();
    const client = world.medications.client();
    expect(client.state.tokenResponse?.scope).toBe('launch/patient openid fhirUser offline_access patient/Patient.r patient/MedicationStatement.rs');
    expect([await statusOf(client, 'MedicationStatement'), await statusOf(client, 'Condition')]).toEqual([200, 403]);
    expect(await client.patient.read()).toMatchObject({ resourceType: 'Patient', name: [{ family: 'Reyes', given: ['Rosa'] }] });

    await visitor.go('/apps');
    expect(await text()).toContain('Pill diary');
    await visitor.go('/consents');
    await visitor.click('main li:has-text("Pill diary") a[href^="/consents/"]');
    expect(await text()).toContain('Pill diary');
    await visitor.click('main a[href$="/end"]');
    await visitor.click('main form[action$="/end"] button');
    expect(await text()).not.toContain('Pill diary');
    expect(await statusOf(client, 'MedicationStatement')).toBe(401);
    await visitor.go('/apps');
    expect(await text()).not.toContain('Pill diary');

    // The next sign-in asks for the second step.
    await visitor.click('header form[action="/sign-out"] button');
    await signIn({ username: 'rosa', password: 'violet harbour tractor nine' });
    await visitor.fill({ code: code() });
    await send('/sign-in/second', ':has([name="code"])');
    await visitor.go('/account');
    expect(await text()).toContain('Rosa Reyes');
  });

  test('a caregiver chooses a record, is told on every page whose it is, and an app gets what she may see there; then her own', async () => {
    const banner = visitor.page.getByRole('complementary');
    const choose = (value: string): Promise<void> => visitor.click(`main form[action="/records"]:has(input[name="choice"][value*="${value}"]) button`);
    await signIn(anna);
    await visitor.go('/records');
    await choose('RelatedPerson/anna-for-mary');
    const told = new Set<string | null>();
    for (const path of ['/records', '/apps', '/consents', '/account']) {
      await visitor.go(path);
      told.add(await banner.textContent());
    }
    expect([told.size, [...told][0]!.length > 10]).toEqual([1, true]);

    await launch();
    expect(await banner.textContent()).toBe([...told][0]);
    await allow();
    const forMary = world.medications.client();
    expect(forMary.state.tokenResponse).toMatchObject({ patient: 'mary', need_patient_banner: true });
    expect([forMary.user.resourceType, forMary.user.id]).toEqual(['RelatedPerson', 'anna-for-mary']);
    expect(await medicationsOf(forMary)).toEqual(['lisinopril 10 MG Oral Tablet']);

    await launch();
    await visitor.click('main a[href*="choose"]');
    await visitor.page.locator('main input[type="radio"][value*="Patient/anna"]').check();
    await visitor.click('main form:has(input[type="radio"]) button');
    expect(await banner.count()).toBe(0);
    await allow();
    const forAnna = world.medications.client();
    expect(forAnna.state.tokenResponse).toMatchObject({ patient: 'anna' });
    expect(await medicationsOf(forAnna)).toEqual(['acetaminophen']);
    // What was allowed for the one record is not about the other.
    expect([await statusOf(forAnna, 'Patient/mary'), await statusOf(forMary, 'Patient/anna')]).toEqual([404, 404]);
    expect(await medicationsOf(forMary)).toEqual(['lisinopril 10 MG Oral Tablet']);
  });

  test('a passkey is added, signs in by itself and after the password, and confirms', async () => {
    const devices = await visitor.context.newCDPSession(visitor.page);
    await devices.send('WebAuthn.enable');
    const { authenticatorId } = await devices.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    // A browser may offer a passkey in the field of the user name by itself, so that nobody touches the device before the button was pressed.
    const touch = (enabled: boolean) => devices.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    const usePasskey = (): Promise<void> =>
      visitor.through(async () => {
        await touch(true);
        await visitor.page.locator('main form[data-passkey] button').click();
      });

    await signIn(drLee);
    await visitor.go('/account/passkeys');
    await visitor.fill({ name: 'Phone of Dr Lee' });
    await usePasskey();
    expect(visitor.at()).toBe('/account');
    expect(await text()).toContain('Phone of Dr Lee');
    expect((await devices.send('WebAuthn.getCredentials', { authenticatorId })).credentials).toHaveLength(1);

    await touch(false);
    await visitor.click('header form[action="/sign-out"] button');
    await usePasskey();
    await visitor.go('/account');
    expect(await text()).toContain('dr-lee');

    await touch(false);
    await visitor.click('header form[action="/sign-out"] button');
    await signIn(drLee);
    await visitor.page.waitForSelector('main form[data-passkey="second-step"] button');
    await usePasskey();
    await visitor.go('/confirm?to=/account/recovery');
    await usePasskey();
    expect(visitor.at()).toBe('/account/recovery');
    for (const path of ['/account/password', '/account/passkeys', '/account/authenticator', '/terms', '/consents', '/nowhere']) await visitor.go(path);
    await visitor.go('/account');
    await visitor.click('main a[href^="/account/passkeys/"][href$="/remove"]');
    await visitor.click('main form[action$="/remove"] button');
    expect(await text()).not.toContain('Phone of Dr Lee');
  });

  test('what an app has proposed is seen with what it would show, given with a second step that is fresh, and ended', async () => {
    const folder = scratch();
    const clock = join(folder.path, 'clock');
    const begun = Date.now();
    let now = begun;
    const turn = (minutes: number): void => {
      now = begun + minutes * 60_000;
      writeFileSync(clock, new Date(now).toISOString());
    };
    turn(0);
    const own = await openBrowserWorld({ KINDRED_CLOCK: `file:${clock}` });
    const person = await openVisitor(browser, own.url);
    const press = (selector: string): Promise<void> => person.click(`main ${selector}`);
    const read = (): Promise<string | null> => person.page.locator('main').textContent();
    try {
      const marysApp = own.as(await own.token('med-app', 'patient/*.cruds patient/Consent.cruds', 'mary'));
      expect((await marysApp.post('MedicationStatement', statement('5640', 'ibuprofen'))).status).toBe(201);
      const provision = { ...actions('access'), ...classes('MedicationStatement'), ...confidentiality('N') };
      const proposal = await marysApp.post('Consent', consent({ kind: 'authorized-user', actor: 'Practitioner/lee', provision }));
      expect([proposal.status, proposal.body.status]).toEqual([201, 'proposed']);
      const page = `/consents/${proposal.body.id}`;
      const lee = own.as(await own.token('med-app', 'user/MedicationStatement.rs', 'dr-lee'));
      const seen = async (): Promise<number> => (await lee.get('MedicationStatement?patient=mary&_total=accurate')).body.total;
      expect(await seen()).toBe(2);

      const code = makeCodes(new TOTP({ secret: MARYS_TOTP }), () => now);
      await person.go('/sign-in');
      await person.fill({ username: mary.username, password: mary.password });
      await press('form[action="/sign-in"] button');
      await person.fill({ code: code() });
      await press('form[action="/sign-in/second"]:has([name="code"]) button');

      // The second step of the sign-in is too long ago: it is asked for again.
      turn(11);
      await person.go('/consents');
      await press(`a[href="${page}"] >> nth=0`);
      // Lisinopril and ibuprofen; not what is sensitive.
      expect(await read()).toMatch(/\b2 (different )?medication/i);
      await press('button[name="decision"][value="give"]');
      expect(person.at()).toBe('/confirm');
      expect(await seen()).toBe(2);
      await person.fill({ code: code() });
      await press('form[action="/confirm"]:has([name="code"]) button');
      expect(person.at()).toBe(page);
      await press('button[name="decision"][value="give"]');
      expect(await seen()).toBe(3);

      await person.go(page);
      await press(`a[href="${page}/end"]`);
      await press(`form[action="${page}/end"] button`);
      expect(await seen()).toBe(2);
      expect((await marysApp.get(`Consent/${proposal.body.id}`)).body.status).toBe('inactive');
    } finally {
      await person.close();
      await own.end();
      folder.remove();
    }
    expect(person.faults).toEqual([]);
  });
});
