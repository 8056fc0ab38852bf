import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { scratch } from '../http/world.ts';
import { kindred, root, type Server, startServer } from './process.ts';

// Loading files, into the store itself and through a running server.
jest.setTimeout(60_000);
const folder = scratch();
const store = { KINDRED_STORE: `sqlite:${join(folder.path, 'kindred.db')}`, KINDRED_AUTH: 'off' };
const memory = { KINDRED_STORE: 'sqlite::memory:', KINDRED_AUTH: 'off' };
const report = join(folder.path, 'report.json');
let server: Server;

const write = (name: string, content: unknown): string => {
  const path = join(folder.path, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
};
const practitioner = (id: string): object => ({ resourceType: 'Practitioner', id, name: [{ family: id }] });
const lines = (...values: readonly unknown[]): string => values.map(value => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n');

async function load(
  environment: Record<string, string>,
  ...args: readonly string[]
): Promise<{ code: number | null; summary: Record<string, unknown>; err: string }> {
  const { code, out, err } = await kindred(['load', '--report', report, ...args], environment);
  return { code, err, summary: out === '' ? {} : (JSON.parse(out.trim().split('\n').at(-1)!) as Record<string, unknown>) };
}

beforeAll(async () => {
  mkdirSync(join(folder.path, 'many/inner'), { recursive: true });
  write('many/1.json', practitioner('one'));
  write('many/2.ndjson', `${lines(practitioner('two'), '', practitioner('three'))}\r\n`);
  write('many/3.json.gz', gzipSync(JSON.stringify(practitioner('four'))));
  write('many/inner/4.ndjson.gz', gzipSync(lines(practitioner('five'), { resourceType: 'Basic', code: { text: 'nameless' } })));
  write('many/readme.txt', 'not for loading');
  write('transaction.json', {
    resourceType: 'Bundle',
    type: 'transaction',
    entry: [
      { fullUrl: 'urn:uuid:1', resource: { resourceType: 'Patient' }, request: { method: 'POST', url: 'Patient' } },
      { resource: { resourceType: 'Basic', code: { text: 'x' }, subject: { reference: 'urn:uuid:1' } }, request: { method: 'POST', url: 'Basic' } },
      { resource: practitioner('once'), request: { method: 'POST', url: 'Practitioner', ifNoneExist: '_id=one' } },
    ],
  });
  write('collection.json', { resourceType: 'Bundle', type: 'collection', entry: [{ resource: practitioner('six') }, {}, { resource: practitioner('seven') }] });
  write(
    'wrong.ndjson',
    lines(
      practitioner('right'),
      { resourceType: 'Practitioner', id: 'wrong', gender: 'nonsense' },
      '{',
      '7',
      'null',
      '{}',
      '[1]',
      { resourceType: 'Practitioner', id: { x: 1 } },
      practitioner('last'),
    ),
  );
  server = await startServer(memory);
});
afterAll(async () => {
  await server.stop();
  folder.remove();
});

test('files, folders, NDJSON, gzip, transactions and collections, into the store', async () => {
  const { code, summary, err } = await load(store, join(folder.path, 'many'), join(folder.path, 'transaction.json'), join(folder.path, 'collection.json'));
  expect([code, err]).toEqual([0, expect.not.stringContaining('    at ')]);
  // Of the transaction two: a conditional create found the third.
  expect(summary).toEqual({ files: 6, resources: 10, refused: 0, seconds: expect.any(Number), byType: { Practitioner: 7, Basic: 2, Patient: 1 } });
  const again = await load(store, join(folder.path, 'many/1.json'));
  expect([again.code, again.summary.resources]).toEqual([0, 1]);
  expect(existsSync(report)).toBe(false);
});

test('the same through a running server', async () => {
  const { code, summary } = await load(
    {},
    '--url',
    `${server.url}/fhir/`,
    join(folder.path, 'many'),
    join(folder.path, 'transaction.json'),
    join(folder.path, 'collection.json'),
  );
  expect([code, summary.resources, summary.refused]).toEqual([0, 10, 0]);
  const { total } = (await (await fetch(`${server.url}/fhir/Practitioner?_summary=count`)).json()) as { total: number };
  expect(total).toBe(7);
});

test.each([
  ['into the store', () => [] as string[]],
  ['through a server', () => ['--url', `${server.url}/fhir`]],
])('what is refused is reported, the rest is loaded, and the end is 1 (%s)', async (_how, more) => {
  const { code, summary } = await load(memory, ...more(), join(folder.path, 'wrong.ndjson'));
  expect([code, summary]).toEqual([1, { files: 1, resources: 2, refused: 7, seconds: expect.any(Number), byType: { Practitioner: 2 }, report }]);
  const refusals = JSON.parse(readFileSync(report, 'utf8')) as { file: string; what: string; why: string }[];
  expect(refusals).toHaveLength(7);
  expect(refusals[0]).toEqual({
    file: join(folder.path, 'wrong.ndjson'),
    what: 'Practitioner/wrong',
    why: expect.stringMatching(/gender.*Practitioner\.gender/),
  });
});

test('a transaction that is refused, entries of a batch that are', async () => {
  const wrong = { resource: { resourceType: 'Practitioner', gender: 'nonsense' }, request: { method: 'POST', url: 'Practitioner' } };
  const right = { resource: practitioner('x'), request: { method: 'POST', url: 'Practitioner' } };
  const transaction = await load(memory, write('t.json', { resourceType: 'Bundle', type: 'transaction', entry: [right, wrong] }));
  expect([transaction.code, transaction.summary]).toMatchObject([1, { resources: 0, refused: 1 }]);
  expect(JSON.parse(readFileSync(report, 'utf8'))[0].why).toContain('entry 1');
  const batch = await load(memory, write('b.json', { resourceType: 'Bundle', type: 'batch', entry: [right, wrong, null] }));
  expect([batch.code, batch.summary]).toMatchObject([1, { resources: 1, refused: 2 }]);
});

test('files that cannot be read are refused, and the others are loaded', async () => {
  const cut = gzipSync(lines(practitioner('a'), practitioner('b'))).subarray(0, 40);
  const { code, summary, err } = await load(
    memory,
    write('no.json.gz', 'no gzip'),
    write('no.ndjson.gz', 'no gzip'),
    write('cut.ndjson.gz', cut),
    join(folder.path, 'many/1.json'),
  );
  expect([code, err]).toEqual([1, expect.not.stringContaining('    at ')]);
  expect(summary).toMatchObject({ files: 4, refused: 3 });
  expect(summary.byType).toMatchObject({ Practitioner: expect.any(Number) });
});

test('what is not there, nobody to load for, a server that is not there', async () => {
  expect((await load(memory, join(folder.path, 'absent.json'))).code).toBe(2);
  mkdirSync(join(folder.path, 'empty'));
  expect((await load(memory, join(folder.path, 'empty'))).code).toBe(2);
  const nobody = await load({ KINDRED_STORE: 'sqlite::memory:' }, join(folder.path, 'many'));
  expect([nobody.code, nobody.err]).toEqual([2, expect.stringContaining('--organization')]);
  const unknown = await load({ KINDRED_STORE: 'sqlite::memory:' }, '--organization', 'ima', join(folder.path, 'many'));
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('ima')]);
  const unreachable = await load({}, '--url', 'http://127.0.0.1:9/fhir', join(folder.path, 'many'));
  expect([unreachable.code, unreachable.err]).toEqual([1, expect.stringContaining('http://127.0.0.1:9/fhir')]);
});

test('for an organization: it is the origin of what is loaded', async () => {
  const own = { KINDRED_STORE: `sqlite:${join(folder.path, 'organization.db')}` };
  expect((await kindred(['seed', join(root, 'src/cli/demo-family.json')], own)).code).toBe(0);
  const file = write('statement.json', {
    resourceType: 'MedicationStatement',
    id: 'loaded',
    status: 'active',
    subject: { reference: 'Patient/mary' },
    medicationCodeableConcept: { text: 'x' },
  });
  const strange = await load(own, '--organization', 'harbor', file);
  expect([strange.code, strange.summary.refused]).toEqual([1, 1]);
  const { code, summary } = await load(own, '--organization', 'ima', file);
  expect([code, summary.resources]).toEqual([0, 1]);
});
