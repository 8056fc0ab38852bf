import { describe, expect, test } from '@jest/globals';
import { fakeWorld } from './fake-world.ts';
import { setCookies, visitorOf } from './visitor.ts';

const mary = { username: 'mary', password: 'correct-horse-battery-1' };
const anna = { username: 'anna', password: 'correct-horse-battery-2' };

describe('signing in', () => {
  test('leads on to where somebody wanted to go', async () => {
    const visitor = visitorOf(fakeWorld().app);
    expect((await visitor.get('/')).headers.location).toBe('/sign-in');
    const away = await visitor.get('/account?done=password');
    expect([away.status, away.headers.location]).toEqual([303, '/sign-in?to=%2Faccount%3Fdone%3Dpassword']);
    const back = await visitor.send(away.headers.location!, '/sign-in', anna);
    expect([back.status, back.headers.location]).toEqual([303, '/account?done=password']);
    expect((await visitor.get('/account')).text).toContain('Anna Reyes');
    expect((await visitor.get('/')).headers.location).toBe('/records');
    expect((await visitor.get('/sign-in')).headers.location).toBe('/');
  });

  test('a form that was sent when the session had ended is not done, and its page is shown after signing in', async () => {
    const { app, accounts } = fakeWorld();
    const visitor = visitorOf(app);
    expect((await visitor.post('/account/password', { old: 'a', password: 'b' })).headers.location).toBe('/sign-in?to=%2Faccount%2Fpassword');
    // There is no page to show for this one.
    expect((await visitor.post('/account/sign-out-everywhere', {})).headers.location).toBe('/sign-in');
    expect(accounts.kept.get('mary')!.password).toBe(mary.password);
  });

  test('a wrong name, a wrong password and an account that is not there are told alike', async () => {
    const { app } = fakeWorld();
    const pages = [];
    for (const given of [
      { ...mary, password: 'wrong' },
      { username: 'nobody', password: 'wrong' },
      { username: 'mary', password: '' },
    ]) {
      const visitor = visitorOf(app);
      const response = await visitor.send('/sign-in', '/sign-in', given);
      expect([response.status, setCookies(response)]).toEqual([422, []]);
      expect(response.text).not.toContain('wrong');
      pages.push(response.text.replaceAll(/name="csrf" value="[^"]*"/g, '').replaceAll('value="nobody"', 'value="mary"'));
    }
    expect(new Set(pages).size).toBe(1);
    expect(pages[0]).toMatch(/<div class="notice bad" role="alert" tabindex="-1" autofocus/);
    expect(pages[0]).toContain('<title>Mistake: Sign in');
  });

  test('with a second step: the password alone opens nothing, and the ticket is in no address', async () => {
    const visitor = visitorOf(fakeWorld().app);
    const half = await visitor.send('/sign-in?to=/terms', '/sign-in', mary);
    expect([half.status, setCookies(half)]).toEqual([200, []]);
    expect(half.text).toContain('<h1>Second step</h1>');
    expect(half.text).toMatch(/name="code"[^>]*autocomplete="one-time-code" inputmode="numeric"/);
    expect((await visitor.get('/account')).status).toBe(303);

    const wrong = await visitor.send(half, '/sign-in/second', { method: 'totp', code: '000000' });
    expect([wrong.status, setCookies(wrong)]).toEqual([422, []]);
    expect(wrong.text).toMatch(/aria-invalid="true"[^>]* aria-describedby="field-code-hint field-code-mistake"/);
    const right = await visitor.send(wrong, '/sign-in/second', { method: 'totp', code: '123 456' });
    expect([right.status, right.headers.location]).toEqual([303, '/terms']);
    expect((await visitor.get('/account')).status).toBe(200);
    expect((await visitorOf(fakeWorld().app).get('/sign-in/second')).headers.location).toBe('/sign-in');
  });

  test('by a recovery code, and by a passkey', async () => {
    const { app } = fakeWorld();
    const recovering = visitorOf(app);
    const half = await recovering.send('/sign-in', '/sign-in', mary);
    expect((await recovering.send(half, '/sign-in/second', { method: 'recovery', recovery: 'abcd-efgh' })).status).toBe(303);

    const visitor = visitorOf(app);
    const page = await visitor.get('/sign-in?to=/terms');
    expect(page.text).toMatch(/name="username"[^>]*autocomplete="username webauthn"/);
    const challenge = await visitor.send(page, '/sign-in/passkey').then(() => visitor.post('/passkeys/challenge', { purpose: 'sign-in', csrf: '' }));
    expect(challenge.status).toBe(403);
    for (const response of ['', 'null', '[', '"text"', '7']) {
      const refused = await visitor.send(page, '/sign-in/passkey', { challenge: 'x', response });
      expect([response, refused.status]).toEqual([response, 422]);
    }
    const signedIn = await visitor.send(page, '/sign-in/passkey', { challenge: 'x', response: '{"id":"x"}' });
    expect([signedIn.status, signedIn.headers.location]).toEqual([303, '/terms']);
  });

  test('a challenge is had for what it is for: nobody without a session adds a passkey or confirms', async () => {
    const { app, accounts } = fakeWorld();
    const csrfOf = async (visitor: ReturnType<typeof visitorOf>, path: string): Promise<string> =>
      /name="csrf" value="([^"]+)"/.exec((await visitor.get(path)).text)![1]!;
    const visitor = visitorOf(app);
    const csrf = await csrfOf(visitor, '/sign-in');
    for (const [purpose, status] of [
      ['sign-in', 200],
      ['second-step', 200],
      ['confirm', 403],
      ['add', 403],
      ['other', 403],
    ] as const) {
      expect([purpose, (await visitor.post('/passkeys/challenge', { purpose, csrf })).status]).toEqual([purpose, status]);
    }
    const entered = visitorOf(app, accounts.enter('mary'));
    const added = await entered.post('/passkeys/challenge', { purpose: 'add', csrf: await csrfOf(entered, '/account') });
    expect(added.body).toMatchObject({ ticket: expect.any(String), options: { user: { name: 'mary' } } });
    expect(added.headers['content-type']).toBe('application/json');
  });

  test('too many tries: 429, and when to come back (RFC 6585 §4)', async () => {
    const { app, accounts } = fakeWorld();
    const visitor = visitorOf(app);
    const [page, up] = [await visitor.get('/sign-in'), await visitor.get('/sign-up')];
    const half = await visitor.send(page, '/sign-in', mary);
    accounts.throttle = true;
    for (const response of [
      await visitor.send(page, '/sign-in', mary),
      await visitor.send(half, '/sign-in/second', { method: 'totp', code: '123456' }),
      await visitor.send(up, '/sign-up', { username: 'zoe' }),
    ]) {
      expect([response.status, response.headers['retry-after']]).toEqual([429, '90']);
      expect(response.text).toContain('2 minutes');
    }
  });

  test('anew, where an app wants it, though somebody has signed in', async () => {
    const { app, accounts } = fakeWorld();
    const visitor = visitorOf(app, accounts.enter('anna'));
    const page = await visitor.get('/sign-in?again&to=/terms');
    expect(page.text).toContain('Please sign in once more');
    const before = visitor.cookies.get('kindred');
    expect((await visitor.send(page, '/sign-in', anna)).headers.location).toBe('/terms');
    expect(visitor.cookies.get('kindred')).not.toBe(before);
  });
});

describe('signing up', () => {
  const zoe = { username: 'zoe', password: 'four odd words here', given: 'Zoe', family: 'Reyes', birthDate: '1980-01-02', terms: 'yes' };

  test('says the rules beforehand, makes the account and signs in', async () => {
    const { app, accounts } = fakeWorld();
    const visitor = visitorOf(app);
    const page = await visitor.get('/sign-up');
    expect(page.text).toContain('At least 15 characters');
    for (const hint of ['given-name', 'family-name', 'bday', 'email', 'username', 'new-password']) expect(page.text).toContain(`autocomplete="${hint}"`);
    expect(page.text).not.toMatch(/onpaste|autocomplete="off"/);
    const made = await visitor.send(page, '/sign-up', zoe);
    expect([made.status, made.headers.location]).toEqual([303, '/account?done=signed-up']);
    expect(accounts.kept.get('zoe')!.name).toBe('Zoe Reyes');
    expect((await visitor.get(made.headers.location!)).text).toContain('Your account has no second step yet');
  });

  test('mistakes stand at their fields and lead to them; what was written is kept, the password is not', async () => {
    const visitor = visitorOf(fakeWorld().app);
    const { status, text } = await visitor.send('/sign-up', '/sign-up', { ...zoe, username: 'mary', password: 'abc', given: '"><script>' });
    expect(status).toBe(422);
    expect(text).toContain('<a href="#field-username">This user name is taken.</a>');
    expect(text).toContain('id="field-username-mistake"');
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
    expect(text).not.toContain('value="abc"');
  });

  test('where people may not do so by themselves there is no such page, and no way to it', async () => {
    const visitor = visitorOf(fakeWorld({ signUp: false }).app);
    expect((await visitor.get('/sign-up')).status).toBe(404);
    const page = await visitor.get('/sign-in');
    expect(page.text).not.toContain('/sign-up');
    expect((await visitor.post('/sign-up', zoe)).status).toBe(404);
  });
});
