import { describe, expect, test } from '@jest/globals';
import { CONFIRMED_FOR } from '../../src/account/session.ts';
import { fakeWorld } from './fake-world.ts';
import { setCookies, type Visitor, visitorOf } from './visitor.ts';

const now = Date.parse('2026-06-01T12:00:00.000Z');
const since = CONFIRMED_FOR;
const world = () => {
  const { app, accounts } = fakeWorld();
  return {
    app,
    accounts,
    enter: (username: string, ago?: number): Visitor => visitorOf(app, accounts.enter(username, ago === undefined ? {} : { confirmedAt: now - ago })),
  };
};

describe('what changes the keys of an account', () => {
  test.each([
    '/account/password',
    '/account/authenticator',
    '/account/authenticator/remove',
    '/account/passkeys',
    '/account/passkeys/cGFzc2tleQ/remove',
    '/account/recovery',
  ])('%s asks for the second step again, unless it was just shown; the page and the form alike', async path => {
    const { app, accounts, enter } = world();
    for (const stale of [enter('mary'), enter('mary', since)]) {
      const response = await stale.get(path);
      expect([response.status, response.headers.location]).toEqual([303, `/confirm?to=${encodeURIComponent(path)}`]);
      const form = await stale.send('/account', '/sign-out').then(() => stale.get('/account'));
      expect(form.status).toBe(303);
    }
    // A form that was open for too long: nothing is done.
    const before = JSON.stringify(accounts.kept.get('mary'));
    const mary = visitorOf(app, accounts.enter('mary', { confirmedAt: now - since }));
    const sent = await mary.post(path, {
      csrf: /name="csrf" value="([^"]+)"/.exec((await mary.get('/account')).text)![1]!,
      old: 'correct-horse-battery-1',
      password: 'x'.repeat(20),
    });
    expect(sent.headers.location).toBe(`/confirm?to=${encodeURIComponent(path)}`);
    expect(JSON.stringify(accounts.kept.get('mary'))).toBe(before);
    expect((await enter('mary', since - 1).get(path)).status).toBe(200);
  });

  test('showing it leads back', async () => {
    const mary = world().enter('mary');
    const asked = await mary.get('/account/recovery');
    const page = await mary.get(asked.headers.location!);
    const wrong = await mary.send(page, '/confirm', { method: 'totp', code: '1' });
    expect(wrong.status).toBe(422);
    const right = await mary.send(wrong, '/confirm', { method: 'totp', code: '123456' });
    expect([right.status, right.headers.location]).toEqual([303, '/account/recovery']);
    expect((await mary.get('/account/recovery')).status).toBe(200);
  });

  test('without a second step, somebody who has just signed in may add one; later she signs in again first', async () => {
    const { app, accounts } = world();
    const late = visitorOf(app, accounts.enter('anna', { signedInAt: now - since }));
    expect((await late.get('/account/authenticator')).headers.location).toBe('/sign-in?again=&to=%2Faccount%2Fauthenticator');
    const anna = visitorOf(app, accounts.enter('anna'));
    const page = await anna.get('/confirm?to=/terms');
    expect(page.text).toContain('Add a second step first');
    expect(page.text).toContain('href="/account/authenticator?to=%2Fterms"');

    const scan = await anna.send('/account/authenticator?to=/terms', '/account/authenticator');
    expect(scan.text).toContain('JBSW Y3DP');
    expect(scan.text).toContain('<svg class="scan" role="img" aria-label=');
    expect(scan.text).toContain('href="otpauth://totp/Kindred:anna?issuer=Kindred&amp;secret=');
    const wrong = await anna.send(scan, '/account/authenticator/code', { code: '000000' });
    expect(wrong.status).toBe(422);
    // What a form brings back is drawn again, but never becomes a link to elsewhere.
    const odd = await anna.send(wrong, '/account/authenticator/code', { code: '000000', uri: 'javascript:alert(1)' });
    expect(odd.text).not.toContain('href="javascript');
    const added = await anna.send(wrong, '/account/authenticator/code', { code: '123 456' });
    expect([added.headers.location, accounts.kept.get('anna')!.totp]).toEqual(['/terms', 'JBSWY3DPEHPK3PXP']);
  });
});

describe('the account', () => {
  test('a password is changed by who knows it', async () => {
    const { accounts, enter } = world();
    const mary = enter('mary', 0);
    const wrong = await mary.send('/account/password', '/account/password', { old: 'no', password: 'four odd words here' });
    expect([wrong.status, wrong.text.includes('This is not your password now.')]).toEqual([422, true]);
    const short = await mary.send('/account/password', '/account/password', { old: 'correct-horse-battery-1', password: 'short' });
    expect([short.status, short.text.includes('<a href="#field-password">')]).toEqual([422, true]);
    const done = await mary.send('/account/password', '/account/password', { old: 'correct-horse-battery-1', password: 'four odd words here' });
    expect([done.headers.location, accounts.kept.get('mary')!.password]).toEqual(['/account?done=password', 'four odd words here']);
    expect((await mary.get('/account?done=password')).text).toContain('Your password has been changed');
  });

  test('what an address says has been done is one of our own sentences, or nothing', async () => {
    const { text } = await world().enter('mary').get('/account?done=%3Cb%3Ehello&done=constructor');
    expect(text).not.toMatch(/hello|constructor/);
    const other = await world().enter('mary').get('/account?done=constructor');
    expect([other.status, other.text.includes('notice good')]).toEqual([200, false]);
  });

  test('an app and passkeys go, with a warning where nothing is left', async () => {
    const { accounts, enter } = world();
    const [mary, lee] = [enter('mary', 0), enter('dr-lee', 0)];
    expect((await mary.get('/account/authenticator/remove')).text).not.toContain('your only second step');
    const last = await lee.get('/account/authenticator/remove');
    expect(last.text).toContain('your only second step');
    expect((await lee.send(last, '/account/authenticator/remove')).headers.location).toBe('/account?done=authenticator-removed');
    expect(accounts.kept.get('dr-lee')).not.toHaveProperty('totp');
    expect((await mary.send('/account/passkeys/cGFzc2tleQ/remove', '/account/passkeys/cGFzc2tleQ/remove')).status).toBe(303);
    expect(accounts.kept.get('mary')!.passkeys).toEqual([]);
    expect((await mary.get('/account/passkeys/cGFzc2tleQ/remove')).status).toBe(404);
  });

  test('a passkey is added under the name that it was given', async () => {
    const { accounts, enter } = world();
    const mary = enter('mary', 0);
    const page = await mary.get('/account/passkeys?to=/terms');
    expect((await mary.send(page, '/account/passkeys', { name: 'x', challenge: '', response: '' })).status).toBe(422);
    const added = await mary.send(page, '/account/passkeys', { name: ` ${'My phone '.repeat(20)}`, challenge: 'x', response: '{"id":"x"}' });
    expect(added.headers.location).toBe('/terms');
    expect(accounts.kept.get('mary')!.passkeys!.at(-1)!.name).toMatch(/^My phone .{51}$/);
  });

  test('recovery codes are shown once', async () => {
    const mary = world().enter('mary', 0);
    const codes = await mary.send('/account/recovery', '/account/recovery');
    expect(codes.text.match(/<code>/g)).toHaveLength(10);
    expect(codes.headers['cache-control']).toBe('no-store');
    expect((await mary.get('/account/recovery')).text).not.toContain('abcd-efgh');
    expect((await mary.get('/account')).text).toContain('10 left');
  });

  test('signing out everywhere ends every session of the account, and of no other', async () => {
    const { app, accounts } = world();
    const [one, two, anna] = [visitorOf(app, accounts.enter('mary')), visitorOf(app, accounts.enter('mary')), visitorOf(app, accounts.enter('anna'))];
    const out = await one.send('/account', '/account/sign-out-everywhere');
    expect([out.headers.location, setCookies(out)[0]]).toEqual(['/sign-in?out', expect.stringContaining('Max-Age=0')]);
    expect((await two.get('/account')).status).toBe(303);
    expect((await anna.get('/account')).status).toBe(200);
  });
});
