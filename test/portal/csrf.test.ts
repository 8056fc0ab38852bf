import { describe, expect, test } from '@jest/globals';
import { fakeWorld } from './fake-world.ts';
import { setCookies, tokenIn, visitorOf } from './visitor.ts';

const right = { username: 'mary', password: 'correct-horse-battery-1' };
const stale = 'This form is out of date';

describe('a form does something only in the browser for which its page was made', () => {
  test('before sign-in: bound to a cookie of the visitor', async () => {
    const { app } = fakeWorld();
    const visitor = visitorOf(app);
    const page = await visitor.get('/sign-in');
    expect((await visitor.send(page, '/sign-in', { username: 'dr-lee', password: 'correct-horse-battery-3' })).text).toContain('Second step');

    const none = await visitor.post('/sign-in', right);
    expect([none.status, none.text.includes(stale)]).toEqual([403, true]);
    expect((await visitor.post('/sign-in', { ...right, csrf: 'x' })).status).toBe(403);
    expect((await visitor.post('/sign-in', { ...right, csrf: `${tokenIn(page).slice(0, -1)}-` })).status).toBe(403);
    // Of another visitor, who has a cookie as well; and of somebody who has none.
    const other = visitorOf(app);
    await other.get('/sign-in');
    expect((await other.post('/sign-in', { ...right, csrf: tokenIn(page) })).status).toBe(403);
    expect((await visitorOf(app).post('/sign-in', { ...right, csrf: tokenIn(page) })).status).toBe(403);
  });

  test('after sign-in: bound to the session', async () => {
    const { app, accounts } = fakeWorld();
    const mary = visitorOf(app, accounts.enter('mary'));
    const anna = visitorOf(app, accounts.enter('anna'));
    const token = tokenIn(await mary.get('/account'));
    expect((await anna.post('/account/sign-out-everywhere', { csrf: token })).status).toBe(403);
    expect((await anna.get('/account')).status).toBe(200);
    // Nor another session of the same account, nor what was good before signing in.
    expect((await visitorOf(app, accounts.enter('mary')).post('/sign-out', { csrf: token })).status).toBe(403);
    const before = visitorOf(app);
    const visitorToken = tokenIn(await before.get('/sign-in'));
    before.cookies.set('kindred', accounts.enter('mary'));
    expect((await before.post('/sign-out', { csrf: visitorToken })).status).toBe(403);
    expect((await mary.post('/sign-out', { csrf: token })).status).toBe(303);
  });

  test('the token is in the form, never in the address', async () => {
    const { app, accounts } = fakeWorld();
    const mary = visitorOf(app, accounts.enter('mary'));
    const token = tokenIn(await mary.get('/account'));
    expect((await mary.post(`/sign-out?csrf=${token}`, {})).status).toBe(403);
  });

  test.each([
    ['another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['another host of the same site', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin', { Origin: 'https://evil.example' }],
    ['nobody, as a sandboxed frame does', { Origin: 'null' }],
    ['our host by another scheme', { Origin: 'https://localhost:8080' }],
  ])('and a browser that says it comes from %s is refused, token or not (Fetch §3.2)', async (_, headers) => {
    const { app, accounts } = fakeWorld();
    const mary = visitorOf(app, accounts.enter('mary'));
    expect((await mary.send('/account', '/sign-out', {}, headers)).status).toBe(403);
    expect((await mary.get('/account')).status).toBe(200);
  });

  test('a form that is sent twice does no harm', async () => {
    const { app, accounts } = fakeWorld();
    const visitor = visitorOf(app);
    const page = await visitor.get('/sign-up');
    const fields = {
      csrf: tokenIn(page),
      username: 'zoe',
      password: 'four odd words here',
      given: 'Zoe',
      family: 'Reyes',
      birthDate: '1980-01-02',
      terms: 'yes',
    };
    expect((await visitor.post('/sign-up', fields)).status).toBe(303);
    const made = accounts.kept.size;
    await visitor.post('/sign-up', fields);
    expect(accounts.kept.size).toBe(made);
    const out = tokenIn(await visitor.get('/account'));
    expect((await visitor.post('/sign-out', { csrf: out })).headers.location).toBe('/sign-in?out');
    expect((await visitor.post('/sign-out', { csrf: out })).status).toBe(403);
  });
});

describe('cookies (RFC 6265bis)', () => {
  const cookieOf = async (url: string): Promise<readonly string[]> => {
    const { app } = fakeWorld({ url });
    const visitor = visitorOf(app);
    const page = await visitor.get('/sign-in');
    const token = tokenIn(page);
    const [entered] = setCookies(
      await visitor.post('/sign-in', { username: 'anna', password: 'correct-horse-battery-2', csrf: token }, { Origin: new URL(url).origin }),
    );
    return [setCookies(page)[0]!, entered!];
  };

  test('are kept to this host and to https where we are there, and from scripts and other sites always', async () => {
    const [visitor, session] = await cookieOf('https://kindred.example');
    expect(visitor).toMatch(/^__Host-kindred-visitor=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    expect(session).toMatch(/^__Host-kindred=[\w-]{20,}; Path=\/; HttpOnly; SameSite=Lax; Secure$/);
    const [plain, entered] = await cookieOf('http://localhost:8080');
    expect(plain).toMatch(/^kindred-visitor=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(entered).toMatch(/^kindred=[\w-]{20,}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test('a cookie that was not written here, is tampered with, or stands there twice opens nothing', async () => {
    const { app, accounts } = fakeWorld();
    const cookie = accounts.enter('mary');
    for (const odd of [
      `kindred=${cookie}x`,
      `kindred=${cookie.slice(0, -1)}`,
      `kindred=${cookie.toUpperCase()}`,
      `kindred="${cookie}"`,
      `kindred=${cookie}; kindred=${accounts.enter('anna')}`,
      `Kindred=${cookie}`,
      `__Host-kindred=${cookie}`,
      'kindred=__proto__',
      `kindred=${'x'.repeat(4000)}`,
      'kindred',
      '=',
    ]) {
      const response = await visitorOf(app).get('/account', { Cookie: odd });
      expect([odd, response.status, response.headers.location]).toEqual([odd, 303, '/sign-in?to=%2Faccount']);
    }
    expect((await visitorOf(app).get('/account', { Cookie: `a=b; kindred=${cookie}; c` })).status).toBe(200);
  });

  test('the session cookie goes with the session', async () => {
    const { app, accounts } = fakeWorld();
    const mary = visitorOf(app, accounts.enter('mary'));
    const out = await mary.send('/account', '/sign-out');
    expect(setCookies(out)).toEqual(['kindred=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0']);
    expect((await mary.get('/account')).status).toBe(303);
  });
});
