import { createHmac, hash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type CryptoKey, calculateJwkThumbprint, exportSPKI, importJWK, type JWK, SignJWT } from 'jose';
import { openApp } from '../../src/app.ts';
import { keysOf } from '../../src/auth/issuer-keys.ts';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import { type Client, configWith, openWorld, scratch, type World } from '../http/world.ts';
import { clientKey } from './world.ts';

// Access tokens of other authorization servers: RFC 9068 §4, RFC 8725.
const folder = scratch();
const clock = join(folder.path, 'now');
const config = join(folder.path, 'issuers.json');
const BASE = 'http://kindred.test/fhir';
const keys: Record<string, Awaited<ReturnType<typeof clientKey>>> = {};
let now = Date.parse('2026-06-01T12:00:00Z');
const setClock = (ms: number): void => {
  now = ms;
  writeFileSync(clock, new Date(ms).toISOString());
};
let published: JWK[];
let fetched = 0;
let broken = false;
let jwksServer: Server;
let world: World;

/** IMA's own authorization server; another of Harbor's, whose practitioners it may not speak for; and one whose keys are in the file. */
const issuers = (uri: string): object[] => [
  {
    issuer: 'https://login.ima.example',
    jwks_uri: uri,
    organization: 'ima',
    kinds: ['system', 'practitioner'],
    scope: 'system/Patient.rs system/Observation.cruds user/*.cruds',
  },
  { issuer: 'https://login.harbor.example', jwks: { keys: [keys.harbor!.open] }, organization: 'harbor', kinds: ['system'], scope: 'system/*.cruds' },
  {
    issuer: 'https://narrow.example',
    jwks: { keys: [keys.harbor!.open] },
    organization: 'ima',
    kinds: ['practitioner'],
    scope: 'user/AuditEvent.rs user/Patient.r',
    audience: 'urn:ours',
  },
  {
    issuer: 'https://unknown-organization.example',
    jwks: { keys: [keys.harbor!.open] },
    organization: 'elsewhere',
    kinds: ['system'],
    scope: 'system/*.cruds',
  },
];

beforeAll(async () => {
  setClock(now);
  for (const [name, alg] of [
    ['RS256', 'RS256'],
    ['RS384', 'RS384'],
    ['ES256', 'ES256'],
    ['ES384', 'ES384'],
    ['harbor', 'ES256'],
    ['stranger', 'ES256'],
    ['pss', 'PS256'],
    ['later', 'ES256'],
  ] as const)
    keys[name] = await clientKey(alg, name);
  published = ['RS256', 'RS384', 'ES256', 'ES384', 'pss'].map(name => keys[name]!.open);
  jwksServer = createServer((_request, response) => {
    fetched++;
    response.writeHead(broken ? 500 : 200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>(resolve => jwksServer.listen(0, '127.0.0.1', resolve));
  writeFileSync(config, JSON.stringify(issuers(`http://127.0.0.1:${(jwksServer.address() as AddressInfo).port}/jwks`)));
  world = await openWorld({ KINDRED_CLOCK: `file:${clock}`, KINDRED_URL: 'http://kindred.test', KINDRED_ISSUERS: config, KINDRED_PRIVATE_JWKS: 'on' }, {
    ...family,
    resources: [
      ...family.resources,
      { origin: { kind: 'organization', by: 'harbor' }, resource: { resourceType: 'Practitioner', id: 'of-harbor', name: [{ family: 'Park' }] } },
      { origin: { kind: 'organization', by: 'harbor' }, resource: { resourceType: 'Patient', id: 'john' } },
    ],
  } as unknown as Seed);
});
afterAll(async () => {
  await world.end();
  jwksServer.close();
  folder.remove();
});
// A minute later each time, so that no test waits for what another made.
beforeEach(() => setClock(now + 60_000));

interface Changes {
  readonly claims?: object;
  readonly header?: object;
  readonly key?: string;
}
const claimsOf = (claims: object = {}) => ({
  iss: 'https://login.ima.example',
  sub: 'ima-backend',
  client_id: 'ima-backend',
  aud: BASE,
  iat: Math.floor(now / 1000),
  exp: Math.floor(now / 1000) + 300,
  jti: randomUUID(),
  scope: 'system/*.cruds',
  ...claims,
});
const token = ({ claims = {}, header = {}, key = 'ES256' }: Changes = {}): Promise<string> =>
  new SignJWT(claimsOf(claims)).setProtectedHeader({ alg: keys[key]!.open.alg!, kid: key, typ: 'at+jwt', ...header }).sign(keys[key]!.secret);
const as = async (changes: Changes = {}): Promise<Client> => world.as(await token(changes));
const practitioner = { sub: 'lee@ima.example', client_id: 'chart', fhirUser: 'Practitioner/lee', scope: 'user/*.cruds' };
async function refuse(what: string, given: string): Promise<void> {
  const { status, headers, body } = await world.as(given).get('Patient/mary');
  expect([what, status, body.issue?.[0].code]).toEqual([what, 401, 'login']);
  expect([what, headers['www-authenticate']]).toEqual([what, expect.stringMatching(/^Bearer .*invalid_token/)]);
  expect(JSON.stringify(body)).not.toContain('mary');
}

describe('who it speaks for', () => {
  test.each(['RS256', 'RS384', 'ES256', 'ES384'])('a system of the one organization, signed with %s', async key => {
    const client = await as({ key });
    expect((await client.get('Patient/mary')).status).toBe(200);
    expect((await client.get('Patient/john')).status).toBe(404);
  });

  test('typ may be JWT, or have its prefix; several audiences, of which we are one; sub alone (RFC 9068 §2.1, §2.2)', async () => {
    for (const changes of [
      { header: { typ: 'JWT' } },
      { header: { typ: 'application/at+jwt' } },
      { claims: { aud: ['https://other.example', BASE] } },
      { claims: { client_id: undefined } },
    ])
      expect([changes, (await (await as(changes)).get('Patient/mary')).status]).toEqual([changes, 200]);
  });

  test('what it writes is its organization’s, and the log names issuer and client', async () => {
    const client = await as({ claims: { jti: 'jti-of-theirs' } });
    const made = await client.post('Observation', {
      resourceType: 'Observation',
      status: 'final',
      code: { text: 'x' },
      subject: { reference: 'Patient/mary' },
    });
    expect(made.status).toBe(201);
    expect((await world.app.store.read({ type: 'Observation', id: made.body.id }))!.facets.origin).toEqual({ kind: 'organization', by: 'ima' });
    const lines: { caller?: { client?: string; token?: string } }[] = [];
    for await (const link of world.app.store.chain()) for (const { body } of link.events) lines.push(JSON.parse(Buffer.from(body).toString()));
    expect(lines.filter(line => line.caller?.token === 'jti-of-theirs')[0]!.caller).toMatchObject({
      client: 'https://login.ima.example|ima-backend',
      who: 'Organization/ima',
    });
  });

  test('its scopes are those that both permit', async () => {
    // user/* of the token is of another level; Condition is not configured; Observation is configured and not in the token.
    const client = await as({ claims: { scope: 'system/Patient.cruds system/Condition.rs' } });
    const statuses = [
      await client.get('Patient/mary'),
      await client.get('Condition'),
      await client.get('Observation'),
      await client.put('Patient/mary', { resourceType: 'Patient', id: 'mary' }),
    ];
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 403, 403]);
    const part = await as({ claims: { scope: 'system/Observation.rs?status=amended' } });
    expect((await part.get('Observation?_total=accurate')).body.total).toBe(0);
    const all = await as({ claims: { scope: 'system/Observation.rs' } });
    expect((await all.get('Observation?_total=accurate')).body.total).toBe(1);
    expect((await (await as({ claims: { scope: 'patient/*.cruds', patient: 'mary' } })).get('Patient/mary')).status).toBe(403);
  });

  test('a wildcard gives nothing that wants to be asked for by name, though the other side names it', async () => {
    const lee = { claims: practitioner };
    expect((await (await as(lee)).get('Patient/mary')).status).toBe(200);
    expect((await (await as({ claims: { ...practitioner, scope: 'user/AuditEvent.rs' } })).get('AuditEvent')).status).toBe(403);
    const narrow = await as({ key: 'harbor', claims: { ...practitioner, iss: 'https://narrow.example', aud: 'urn:ours' } });
    expect([(await narrow.get('Patient/mary')).status, (await narrow.get('AuditEvent')).status]).toEqual([200, 403]);
  });

  test('a practitioner that the organization has contributed: as a name, or as our address', async () => {
    for (const fhirUser of ['Practitioner/lee', `${BASE}/Practitioner/lee`])
      expect((await (await as({ claims: { ...practitioner, fhirUser } })).get('Patient/mary')).status).toBe(200);
  });

  test('never another’s practitioner, a patient, a caregiver, or anybody elsewhere', async () => {
    for (const fhirUser of [
      'Practitioner/of-harbor',
      'Practitioner/nobody',
      'Patient/mary',
      'RelatedPerson/anna-for-mary',
      'https://elsewhere.example/fhir/Practitioner/lee',
      'Practitioner/lee/_history/1',
      '',
      { reference: 'Practitioner/lee' },
    ])
      await refuse(`as ${JSON.stringify(fhirUser)}`, await token({ claims: { ...practitioner, fhirUser } }));
    await refuse(
      'kind not configured',
      await token({ key: 'harbor', claims: { ...practitioner, iss: 'https://login.harbor.example', fhirUser: 'Practitioner/of-harbor' } }),
    );
    await refuse(
      'system where only practitioners are',
      await token({ key: 'harbor', claims: { iss: 'https://narrow.example', aud: 'urn:ours', scope: 'system/*.rs' } }),
    );
  });

  test('a practitioner who is deleted, or no longer active, is refused at the next request', async () => {
    const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
    expect((await ehr.put('Practitioner/new', { resourceType: 'Practitioner', id: 'new', active: true })).status).toBe(201);
    const client = await as({ claims: { ...practitioner, fhirUser: 'Practitioner/new' } });
    const seen = [(await client.get('Practitioner/lee')).status];
    await ehr.put('Practitioner/new', { resourceType: 'Practitioner', id: 'new', active: false });
    seen.push((await client.get('Practitioner/lee')).status);
    await ehr.put('Practitioner/new', { resourceType: 'Practitioner', id: 'new', active: true });
    seen.push((await client.get('Practitioner/lee')).status);
    await ehr.delete('Practitioner/new');
    seen.push((await client.get('Practitioner/lee')).status);
    expect(seen).toEqual([200, 401, 200, 401]);
  });

  test('somebody’s token that does not say whose is not the organization’s own; mixed scopes are refused', async () => {
    await refuse('sub of a person', await token({ claims: { sub: 'lee@ima.example' } }));
    await refuse('mixed', await token({ claims: { scope: 'system/*.rs user/*.rs' } }));
  });

  test('another organization’s issuer reads its own and nothing of others; one whose organization is not known speaks for nobody', async () => {
    const harbor = await as({ key: 'harbor', claims: { iss: 'https://login.harbor.example' } });
    expect([(await harbor.get('Patient/john')).status, (await harbor.get('Patient/mary')).status]).toEqual([200, 404]);
    // With a claim that names another: who is configured counts.
    const claiming = await as({ key: 'harbor', claims: { iss: 'https://login.harbor.example', organization: 'ima', grant: 'x', account: 'mary' } });
    expect((await claiming.get('Patient/mary')).status).toBe(404);
    await refuse('unknown organization', await token({ key: 'harbor', claims: { iss: 'https://unknown-organization.example' } }));
  });
});

describe('what is refused', () => {
  test('an issuer that is not configured, or ours with their key', async () => {
    await refuse('unknown', await token({ claims: { iss: 'https://unknown.example' } }));
    await refuse('almost', await token({ claims: { iss: 'https://login.ima.example/' } }));
    await refuse('ours', await token({ claims: { iss: 'http://kindred.test/auth', grant: 'x' } }));
    await refuse('none', await token({ claims: { iss: undefined } }));
    await refuse('the key of another issuer', await token({ key: 'harbor' }));
    await refuse('their key for another issuer', await token({ key: 'ES256', claims: { iss: 'https://login.harbor.example' } }));
  });

  test.each<readonly [string, Changes]>([
    ['another audience', { claims: { aud: 'https://other.example/fhir' } }],
    ['no audience', { claims: { aud: undefined } }],
    ['the audience of our authorization server', { claims: { aud: 'http://kindred.test/auth' } }],
    ['no exp', { claims: { exp: undefined } }],
    ['expired', { claims: { exp: Math.floor(Date.parse('2026-06-01T11:59:00Z') / 1000) } }],
    ['good for more than an hour', { claims: { exp: Math.floor(Date.parse('2026-06-01T14:30:00Z') / 1000) } }],
    ['not yet good', { claims: { nbf: Math.floor(Date.parse('2026-06-01T13:30:00Z') / 1000) } }],
    ['no sub', { claims: { sub: undefined } }],
    ['no scope, as an id_token', { claims: { scope: undefined } }],
    ['scopes as a list', { claims: { scope: ['system/*.rs'] } }],
    ['no kid', { header: { kid: undefined } }],
    ['an unknown kid', { header: { kid: 'nobody' } }],
    ['the kid of another key', { header: { kid: 'ES384' } }],
    ['another typ', { header: { typ: 'dpop+jwt' } }],
    ['no typ', { header: { typ: undefined } }],
    ['an algorithm that is not taken (PS256)', { key: 'pss' }],
    ['an extension that must be understood', { header: { crit: ['x'], x: 1 } }],
    ['a jti that is too long', { claims: { jti: 'x'.repeat(300) } }],
    ['another key than the one named', { key: 'stranger', header: { kid: 'ES256' } }],
  ])('%s', async (what, changes) =>
    refuse(
      what,
      await token(changes).catch(async () => (await token()).replace(/^[^.]+/, encode({ alg: 'ES256', typ: 'at+jwt', kid: 'ES256', ...changes.header }))),
    ),
  );

  test('no signature, or a symmetric one made with the public key (RFC 8725 §3.1)', async () => {
    const payload = encode(claimsOf());
    await refuse('none', `${encode({ alg: 'none', typ: 'at+jwt', kid: 'RS256' })}.${payload}.`);
    const open = (await importJWK(keys.RS256!.open, 'RS256')) as CryptoKey;
    for (const secret of [await exportSPKI(open), JSON.stringify(keys.RS256!.open), Buffer.from(keys.RS256!.open.n!, 'base64url')]) {
      const head = encode({ alg: 'HS256', typ: 'at+jwt', kid: 'RS256' });
      await refuse('HS256', `${head}.${payload}.${createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url')}`);
    }
  });

  test('a key that the token brings along, or tells where to find (RFC 8725 §3.10): nobody is asked', async () => {
    let asked = 0;
    const theirs = createServer((_request, response) => {
      asked++;
      response.end(JSON.stringify({ keys: [keys.stranger!.open] }));
    });
    await new Promise<void>(resolve => theirs.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(theirs.address() as AddressInfo).port}/jwks`;
    const { kid: _kid, ...jwk } = keys.stranger!.open;
    for (const header of [{ jwk }, { jku: uri }, { x5u: uri }, { jwk, jku: uri, kid: 'ES256' }])
      await refuse(JSON.stringify(header), await token({ key: 'stranger', header }));
    expect(asked).toBe(0);
    theirs.close();
    // The same headers harm nobody where the signature is right.
    expect((await (await as({ header: { jku: uri } })).get('Patient/mary')).status).toBe(200);
  });

  test('a token that is bound to a key wants its proof (RFC 9449 §7)', async () => {
    const own = keys.stranger!;
    const { kid: _kid, use: _use, alg, ...jwk } = own.open;
    const bound = await token({ claims: { cnf: { jkt: await calculateJwkThumbprint(own.open) } } });
    const proof = await new SignJWT({
      jti: randomUUID(),
      htm: 'GET',
      htu: `${BASE}/Patient/mary`,
      iat: Math.floor(now / 1000),
      ath: hash('sha256', bound, 'base64url'),
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: alg!, jwk })
      .sign(own.secret);
    const ask = async (headers: Record<string, string>): Promise<number> => (await world.as('').get('Patient/mary', headers)).status;
    expect([
      await ask({ Authorization: `Bearer ${bound}` }),
      await ask({ Authorization: `DPoP ${bound}`, DPoP: proof }),
      await ask({ Authorization: `DPoP ${bound}`, DPoP: proof }),
    ]).toEqual([401, 200, 401]);
    // Bound to what is no key of this kind.
    expect(await ask({ Authorization: `Bearer ${await token({ claims: { cnf: { 'x5t#S256': 'x' } } })}` })).toBe(401);
  });
});

describe('keys at a URL', () => {
  test('a key that was withdrawn counts no longer than it takes to look again, also for a token that was seen', async () => {
    const seen = await token({ key: 'RS384', claims: { exp: Math.floor(now / 1000) + 3600 } });
    expect((await world.as(seen).get('Patient/mary')).status).toBe(200);
    published = published.filter(key => key.kid !== 'RS384');
    setClock(now + 11 * 60_000);
    await refuse('withdrawn', seen);
    await refuse('withdrawn, a new one', await token({ key: 'RS384' }));
    expect((await (await as()).get('Patient/mary')).status).toBe(200);
  });

  test('a new key is found at once, and unknown ones do not make us ask again and again', async () => {
    published = [...published, keys.later!.open];
    expect((await (await as({ key: 'later' })).get('Patient/mary')).status).toBe(200);
    const before = fetched;
    for (let times = 0; times < 5; times++) await refuse('unknown', await token({ key: 'stranger' }));
    expect(fetched - before).toBe(0);
    setClock(now + 31_000);
    for (let times = 0; times < 5; times++) await refuse('unknown', await token({ key: 'stranger' }));
    expect(fetched - before).toBe(1);
  });

  test('where it does not answer, 503 until it does, without asking at every request; old keys are not taken for good', async () => {
    broken = true;
    setClock(now + 6 * 60_000);
    const before = fetched;
    const given = await token({ claims: { exp: Math.floor(now / 1000) + 3000 } });
    for (let times = 0; times < 3; times++) {
      const { status, headers } = await world.as(given).get('Patient/mary');
      expect([status, headers['retry-after']]).toEqual([503, '30']);
    }
    expect(fetched - before).toBe(1);
    broken = false;
    setClock(now + 31_000);
    expect((await world.as(given).get('Patient/mary')).status).toBe(200);
  });

  test('an address of a private network is not asked unless that is configured', async () => {
    let connections = 0;
    const inside = createServer().on('connection', socket => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>(resolve => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '[::1]', '0.0.0.0', '2130706433']) {
      const find = keysOf({ jwks_uri: `https://${host}:${port}/jwks` } as never, { now: () => now, privateJwks: false });
      await expect(find({ alg: 'ES256', kid: 'x' }, {} as never)).rejects.toMatchObject({
        code: 'unavailable',
        cause: { message: expect.stringContaining('public internet') },
      });
    }
    expect(connections).toBe(0);
    inside.close();
  });
});

describe('KINDRED_ISSUERS', () => {
  const opened = async (content: unknown): Promise<string> => {
    const file = join(folder.path, 'wrong.json');
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const environment = { KINDRED_ISSUERS: file, KINDRED_URL: 'http://kindred.test', KINDRED_STORE: 'sqlite::memory:' };
    const error = await openApp(configWith(environment)).then(
      async app => {
        await app.close();
        return { exit: 0, message: '' };
      },
      caught => caught as { exit: number; message: string },
    );
    expect(error.exit).toBe(error.message === '' ? 0 : 78);
    return error.message;
  };
  const good = () => ({ issuer: 'https://a.example', jwks: { keys: [keys.ES256!.open] }, organization: 'ima', kinds: ['system'], scope: 'system/*.rs' });

  test('what is right is taken; every mistake has its JSON pointer, and ends the start with 78', async () => {
    expect(await opened([good()])).toBe('');
    expect(await opened('{')).toContain('is not JSON');
    const { jwks: _jwks, ...keyless } = good();
    for (const [content, ...words] of [
      [{}, '/: must be array'],
      [[{}], "/0: must have required property 'issuer'", "/0: must have required property 'scope'"],
      [[{ ...good(), kinds: ['patient'] }], '/0/kinds/0: must be equal to one of the allowed values: system, practitioner'],
      [[{ ...good(), nonsense: 1, organization: 'a b' }], '/0: must NOT have additional properties: `nonsense`', '/0/organization'],
      [[good(), good()], '/1/issuer: `https://a.example` is there twice'],
      [[{ ...good(), issuer: 'http://kindred.test/auth' }], '/0/issuer: that is this server itself'],
      [[keyless], '/0: one of jwks and jwks_uri'],
      [[{ ...good(), jwks_uri: 'https://a.example/jwks' }], '/0: one of jwks and jwks_uri'],
      [[{ ...keyless, jwks_uri: 'http://a.example/jwks' }], '/0/jwks_uri: must be https'],
      [[{ ...good(), jwks: { keys: [{ kty: 'oct', kid: 'x', k: 'x' }] } }], '/0/jwks/keys/0/kty'],
      [[{ ...good(), jwks: { keys: [{ ...keys.ES256!.open, d: 'x' }] } }], '/0/jwks/keys/0: is a private key'],
      [[{ ...good(), scope: 'user/*.rs system/Nonsense.rs' }], '`user/*.rs` is of none of its kinds', '`system/Nonsense.rs` is no scope', 'no system/ scope'],
      [[{ ...good(), scope: 'patient/*.rs' }], '`patient/*.rs` is of none'],
    ] as const) {
      const message = await opened(content);
      for (const word of words) expect(message).toContain(word);
    }
    const absent = openApp(configWith({ KINDRED_ISSUERS: join(folder.path, 'absent.json'), KINDRED_STORE: 'sqlite::memory:' }));
    await expect(absent).rejects.toMatchObject({ exit: 78, message: expect.stringContaining('cannot be read') });
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
