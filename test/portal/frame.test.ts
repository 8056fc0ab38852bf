import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { Problem } from '../../src/fhir/problem.ts';
import { LARGEST_FORM } from '../../src/portal/form-body.ts';
import { actingForMary, fakeWorld } from './fake-world.ts';
import { setCookies, visitorOf } from './visitor.ts';

const html = { Accept: 'text/html' };

describe('every page', () => {
  test('loads nothing, sends nothing and is framed by nobody but ourselves (Content Security Policy Level 3)', async () => {
    const { app, accounts } = fakeWorld();
    for (const [response, opener] of [
      // An app may have opened a window for this one, and hears of its end.
      [await visitorOf(app).get('/sign-in'), 'unsafe-none'],
      [await visitorOf(app).get('/nowhere'), 'same-origin'],
      [await visitorOf(app, accounts.enter('mary')).get('/account'), 'same-origin'],
      [await visitorOf(app).get('/account'), 'same-origin'],
    ] as const) {
      expect(response.headers['content-security-policy']).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect(response.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cross-origin-opener-policy': opener,
      });
      expect(response.headers).not.toHaveProperty('x-powered-by');
    }
  });

  test('has no script and no style of its own, and one main heading', async () => {
    const { app, accounts } = fakeWorld();
    const mary = visitorOf(app, accounts.enter('mary', { confirmedAt: Date.parse('2026-06-01T12:00:00.000Z') }));
    for (const path of ['/account', '/account/password', '/account/passkeys', '/account/recovery', '/account/authenticator', '/confirm', '/terms']) {
      const { status, text } = await mary.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(text.match(/<h1>/g)).toHaveLength(1);
      expect(text).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script>|javascript:/);
      expect(text).toContain('<html lang="en">');
    }
  });

  test('says for whom a caregiver acts, and does not otherwise', async () => {
    const { app, accounts } = fakeWorld();
    const acting = await visitorOf(app, accounts.enter('anna', { acting: actingForMary })).get('/account');
    expect(acting.text).toContain('You are acting for <strong>Mary Reyes</strong>');
    const own = await visitorOf(app, accounts.enter('anna', { acting: { hat: 'Patient/anna', record: 'Patient/anna' } })).get('/account');
    expect(own.text).not.toContain('You are acting');
    // Also where nothing else is to be seen.
    expect((await visitorOf(app, accounts.enter('anna', { acting: actingForMary })).get('/nowhere')).text).toContain('Mary Reyes');
  });

  test('escapes what people have written', async () => {
    const name = `<script>alert(1)</script> "Mary" O'Reyes & Co`;
    const { app, accounts } = fakeWorld({}, [
      { username: 'odd', name, hats: [], passkeys: [{ id: '"><b>', publicKey: 'AA', counter: 0, name, created: '2026-05-04T10:00:00.000Z' }] },
    ]);
    const odd = visitorOf(app, accounts.enter('odd'));
    const { text } = await odd.get('/account');
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &quot;Mary&quot; O&#39;Reyes &amp; Co');
    expect(text).toContain('/account/passkeys/%22%3E%3Cb%3E/remove');
    const refused = await odd.send('/sign-in?again&to=/x%22%3E%3Cb%3E&username=%22%3E%3Cb%3E', '/sign-in', { username: '"><img src=x>', password: 'x' });
    expect(refused.status).toBe(422);
    expect(refused.text).not.toMatch(/<img|"><b>/);
  });
});

describe('what cannot be answered', () => {
  test('404: a page for browsers; what asks for JSON is left to the rest of the server', async () => {
    const { app } = fakeWorld();
    const page = await request(app).get('/nothing/here').set(html);
    expect(page.status).toBe(404);
    expect(page.text).toContain('<h1>Nothing is here</h1>');
    const rest = await request(app).get('/nothing/here').set('Accept', 'application/fhir+json');
    expect(rest.headers).not.toHaveProperty('content-security-policy-report-only');
    expect(rest.text).not.toContain('<h1>');
  });

  test('405 names what is allowed (RFC 9110 §15.5.6)', async () => {
    const { app } = fakeWorld();
    const response = await request(app).put('/sign-in').set(html);
    expect([response.status, response.headers.allow]).toEqual([405, 'GET, HEAD, POST']);
    expect((await request(app).get('/sign-out').set(html)).headers.allow).toBe('POST');
  });

  test('413 before a large form is read whole, 415 for what is no form', async () => {
    const { app } = fakeWorld();
    const large = await request(app)
      .post('/sign-in')
      .type('form')
      .send(`csrf=${'x'.repeat(LARGEST_FORM)}`);
    expect(large.status).toBe(413);
    const json = await request(app).post('/sign-in').send({ username: 'mary' });
    expect(json.status).toBe(415);
    const packed = await request(app).post('/sign-in').type('form').set('Content-Encoding', 'gzip').send('a=b');
    expect(packed.status).toBe(415);
  });

  test('400 for a path that cannot be decoded', async () => {
    const { app } = fakeWorld();
    const response = await request(app).get('/account/passkeys/%E0%A4%A/remove').set(html);
    expect(response.status).toBe(400);
    expect(response.text).toContain('<h1>');
  });

  test('500 says nothing of the cause, and the operator is told; also where not even the page can be made', async () => {
    const cause = new Error('password=hunter2 at /srv/kindred');
    const { app, accounts, lines } = fakeWorld();
    const cookie = accounts.enter('anna', { acting: actingForMary });
    accounts.choices = () => Promise.reject(cause);
    const response = await visitorOf(app, cookie).get('/account?secret=1');
    expect(response.status).toBe(500);
    expect(response.text).toContain('It is our mistake');
    expect(response.text).not.toMatch(/hunter2|srv/);
    expect(lines.at(-1)).toMatchObject({ status: 500, method: 'GET', what: '/account', problem: { code: 'exception', cause } });
  });

  test('a Problem becomes a page with its status, and none of its words', async () => {
    const { app, accounts } = fakeWorld();
    accounts.session = () => Promise.reject(new Problem('unavailable', 'the store at mongodb://db is away', { headers: { 'Retry-After': '3' } }));
    const response = await visitorOf(app).get('/sign-in');
    expect([response.status, response.headers['retry-after']]).toEqual([503, '3']);
    expect(response.text).not.toContain('mongodb');
  });
});

test('HEAD is answered like GET, without a body (RFC 9110 §9.3.2)', async () => {
  const { app } = fakeWorld();
  const [got, head] = [await request(app).get('/terms').set(html), await request(app).head('/terms').set(html)];
  expect(head.status).toBe(200);
  expect(Number(head.headers['content-length'])).toBe(Buffer.byteLength(got.text));
  expect(head.text ?? '').toBe('');
});

test('the sheet and the script are asked for each time and sent when they have changed', async () => {
  const { app } = fakeWorld();
  for (const [path, type] of [
    ['/style.css', 'text/css; charset=utf-8'],
    ['/passkey.js', 'text/javascript; charset=utf-8'],
  ] as const) {
    const first = await request(app).get(path);
    expect([first.status, first.headers['content-type'], first.headers['x-content-type-options']]).toEqual([200, type, 'nosniff']);
    const again = await request(app).get(path).set('If-None-Match', first.headers.etag!);
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await request(app).get(path).set('If-None-Match', '"other"')).status).toBe(200);
  }
});

test('lines for the operator hold no cookie, no query and no name from a path', async () => {
  const { app, accounts, lines } = fakeWorld();
  const cookie = accounts.enter('mary', { confirmedAt: Date.parse('2026-06-01T12:00:00.000Z') });
  const mary = visitorOf(app, cookie);
  await mary.get('/account/passkeys/cGFzc2tleQ/remove?x=secret');
  await mary.send('/account/password', '/account/password', { old: 'correct-horse-battery-1', password: 'new-horse-battery-1' });
  const all = JSON.stringify(lines);
  expect(all).toContain('/account/passkeys/:id/remove');
  for (const secret of [cookie, 'secret', 'cGFzc2tleQ', 'horse', ...setCookies(await mary.get('/sign-in?again'))]) expect(all).not.toContain(secret);
});
