import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { consent, lisinopril } from './resources.ts';
import { openWorld, type World } from './world.ts';

// Whatever comes, there is no 5xx, and what is refused is refused with an OperationOutcome that says something.
let world: World;
let tokens: readonly (string | undefined)[];
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  world = await openWorld();
  tokens = [
    undefined,
    await world.token('ehr-ima', 'system/*.cruds'),
    await world.token('med-app', 'patient/*.cruds patient/Consent.cruds', 'mary'),
    await world.token('med-app', 'patient/*.cruds', 'anna', 'Patient/mary'),
  ];
});
afterAll(async () => {
  agent.destroy();
  await world.end();
});

const numRuns = Number(process.env.FUZZ_RUNS ?? 400);

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}
const send = ({ method, path, headers, body }: Sent): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const { port } = world.server.address() as AddressInfo;
    const sending = request({ agent, port, host: '127.0.0.1', method, path, headers }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode!, text: Buffer.concat(chunks).toString('utf8') }));
    });
    sending.on('error', reject);
    sending.end(body);
  });

const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map(text => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom('%zz', '%00', '%ff', '..', '.', '$x', '_search', '*', ';', '%2f'),
);
const type = fc.constantFrom(
  'Patient',
  'MedicationStatement',
  'Consent',
  'Provenance',
  'AuditEvent',
  'Observation',
  'Medication',
  'Basic',
  'Bundle',
  'metadata',
  'Parameters',
);
const id = fc.constantFrom('mary', 'lee', 'x', 'anna-for-mary', 'fuzz');
const segment = fc.oneof({ weight: 3, arbitrary: type }, { weight: 3, arbitrary: id }, fc.constantFrom('_history', '1', '2', '_search', ''), odd);
const path = fc.oneof(
  { weight: 2, arbitrary: type },
  { weight: 2, arbitrary: fc.tuple(type, id).map(parts => parts.join('/')) },
  fc.tuple(type, id).map(parts => `${parts.join('/')}/_history`),
  fc.array(segment, { maxLength: 6 }).map(parts => parts.join('/')),
);
const name = fc.oneof(
  fc.constantFrom(
    '_id',
    '_count',
    '_sort',
    '_include',
    '_total',
    '_summary',
    '_cursor',
    '_lastUpdated',
    '_format',
    '_before',
    'code',
    'date',
    'name',
    'identifier',
    'subject',
    'patient',
    'status',
  ),
  fc.constantFrom(
    'code:not',
    'name:exact',
    'name:contains',
    'date:missing',
    'subject:Patient.name',
    'patient.identifier',
    'subject:Patient',
    '_has:Provenance:target:agent',
    'url:below',
  ),
  odd,
);
const value = fc.oneof(
  fc.constantFrom(
    '',
    'true',
    '0',
    '-1',
    '1',
    '99999999999999999999',
    'ge2026',
    'lt2026-02-30',
    'Patient/mary',
    'http://x|y',
    '|',
    '||',
    ',',
    '\\',
    '\\,',
    '-date',
    'json',
    'Observation:subject',
    '9'.repeat(400),
  ),
  odd,
);
const query = fc.oneof(
  { weight: 2, arbitrary: fc.constant('') },
  fc
    .array(
      fc.tuple(name, value).map(([one, other]) => `${one}=${other}`),
      { maxLength: 4 },
    )
    .map(parts => `?${parts.join('&')}`),
);
const headers = fc.record(
  {
    'If-Match': fc.constantFrom('W/"1"', '*', 'x', ''),
    'If-None-Match': fc.constantFrom('W/"1"', '*', ',,', 'x'),
    'If-Modified-Since': fc.constantFrom('x', new Date(0).toUTCString(), new Date(8e12).toUTCString()),
    'If-None-Exist': fc.constantFrom('identifier=x', '?', 'x', '_id=mary', 'name:exact=%00', 'subject:Patient.name=x'),
    Prefer: fc.constantFrom('return=minimal', 'handling=lenient', 'return=OperationOutcome', '=', ';;'),
    Accept: fc.constantFrom('*/*', 'application/xml', '', 'q'),
    'Content-Type': fc.constantFrom('application/fhir+json', 'application/x-www-form-urlencoded', 'text/plain', ''),
  },
  { requiredKeys: [] },
);

/** A sound resource with one thing in it replaced by something else. */
const templates: readonly object[] = [
  lisinopril({ id: 'fuzz' }),
  { resourceType: 'Patient', id: 'fuzz', name: [{ family: 'x', given: ['y'] }], birthDate: '1950-01-01', identifier: [{ system: 'urn:x', value: '1' }] },
  consent({ kind: 'authorized-user', actor: 'Practitioner/lee', more: { id: 'fuzz' } }),
  {
    resourceType: 'Provenance',
    id: 'fuzz',
    target: [{ reference: 'Patient/mary' }],
    recorded: '2026-01-01T00:00:00Z',
    agent: [{ who: { reference: 'Patient/mary' } }],
  },
  {
    resourceType: 'Bundle',
    type: 'batch',
    entry: [{ fullUrl: 'urn:uuid:x', resource: lisinopril(), request: { method: 'POST', url: 'MedicationStatement', ifNoneExist: 'status=active' } }],
  },
  {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [{ resource: lisinopril(), request: { method: 'POST', url: 'MedicationStatement' } }, { request: { method: 'GET', url: 'Patient?name=x' } }],
  },
];
const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    '',
    7,
    -1.5e300,
    true,
    [],
    {},
    [null],
    [[]],
    '#x',
    'Patient/',
    'urn:uuid:x',
    '2026-99',
    '\u0000',
    '\ud800',
    'Patient?name=x',
    { reference: 7 },
    { reference: '#' },
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
function replaced(value: unknown, place: number, by: unknown): unknown {
  let at = 0;
  const walk = (node: unknown): unknown => {
    if (at++ === place) return by;
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, member]) => [key, walk(member)]));
  };
  return walk(value);
}
const mutated = fc
  .tuple(fc.constantFrom(...templates), fc.nat({ max: 40 }), strange)
  .map(([template, place, by]) => JSON.stringify(replaced(template, place, by)));
const body = fc.oneof({ weight: 4, arbitrary: mutated }, fc.json(), fc.string({ maxLength: 40 }));
const typeOf = (text: string): string => /^\{"resourceType":"([A-Za-z]+)"/.exec(text)?.[1] ?? 'Patient';

async function isAnswered(sent: Sent): Promise<void> {
  const { status, text } = await send(sent);
  const shown = JSON.stringify(sent).slice(0, 600);
  expect([shown, status < 500]).toEqual([shown, true]);
  // Nor inside a batch.
  expect([shown, text.includes('"status":"5')]).toEqual([shown, false]);
  if (status < 400 || sent.method === 'HEAD') return;
  const outcome = JSON.parse(text) as { resourceType: string; issue: readonly { diagnostics: string }[] };
  expect([shown, outcome.resourceType, outcome.issue.every(issue => issue.diagnostics.length > 0)]).toEqual([shown, 'OperationOutcome', true]);
}
const authorized = (token: string | undefined): Record<string, string> => (token === undefined ? {} : { Authorization: `Bearer ${token}` });

test('any path and query, with any method and headers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'),
      path,
      query,
      headers,
      fc.nat({ max: 3 }),
      async (method, where, asked, given, who) => {
        const withBody = method === 'POST' || method === 'PUT';
        await isAnswered({ method, path: `/fhir/${where}${asked}`, headers: { ...authorized(tokens[who]), ...given }, body: withBody ? '{}' : undefined });
      },
    ),
    { numRuns },
  );
});

test('any body, created, put under its id, or sent to the base', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('POST', 'PUT'), body, headers, fc.integer({ min: 1, max: 3 }), async (method, sent, given, who) => {
      const is = typeOf(sent);
      const where = is === 'Bundle' ? '' : method === 'PUT' ? `${is}/fuzz` : is;
      await isAnswered({
        method: is === 'Bundle' ? 'POST' : method,
        path: `/fhir/${where}`,
        headers: {
          ...authorized(tokens[who]),
          'Content-Type': 'application/fhir+json',
          ...(given['If-Match'] === undefined ? {} : { 'If-Match': given['If-Match'] }),
        },
        body: sent,
      });
    }),
    { numRuns },
  );
});
