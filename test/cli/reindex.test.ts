import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Job } from '../../src/interaction/reindex-job.ts';
import { put } from '../contract/world.ts';
import { engine, openScratch, scratchStore } from '../engine.ts';
import { eyes, makePackage, patientWith } from '../http/packages.ts';
import { type Client, clientOf, scratch } from '../http/world.ts';
import { kindred, root, type Server, startServer } from './process.ts';

jest.setTimeout(180_000);
const folder = scratch();
const running: Server[] = [];
afterAll(async () => {
  await Promise.all(running.map(server => server.stop('SIGKILL')));
  folder.remove();
});
async function start(environment: Record<string, string>): Promise<{ readonly server: Server; readonly client: Client }> {
  const server = await startServer({ KINDRED_AUTH: 'off', KINDRED_LOG: 'info', ...environment });
  running.push(server);
  return { server, client: clientOf({ server: server.url.replace('localhost', '127.0.0.1') }, undefined) };
}
/** Lines of the operator's log with this event. */
const told = (err: string, event: string): readonly Record<string, unknown>[] =>
  err
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(line => line.event === event);

const address = (name: string): string => (engine === 'sqlite' ? `sqlite:${join(folder.path, `${name}.db`)}` : scratchStore());
/** So many that it takes a while, and so many in one commit. */
const [patients, portion] = engine === 'sqlite' ? [6000, 500] : [800, 40];
const names = Array.from({ length: 12 }, (_, at) => ({ family: `Family${at}`, given: [`Given${at}`, `Other${at}`] }));
/** A store with so many resources that it takes a while to index them, half of them with green eyes; servers were there before. */
async function filled(name: string): Promise<string> {
  const made = address(name);
  const { server } = await start({ KINDRED_STORE: made });
  await server.stop();
  const store = await openScratch(made, 'filler');
  for (let from = 0; from < patients; from += portion)
    await store.commit(
      Array.from({ length: portion }, (_, at) => put(`Patient/p${from + at}`, { ...patientWith(at % 2 === 0 ? 'green' : 'brown'), name: names })),
      new Date().toISOString(),
    );
  await store.close();
  return made;
}
/** Waits for an answer to the search; gives how far it was told to be meanwhile. */
async function indexed(client: Client, until: (percent: number) => boolean = () => false): Promise<readonly number[]> {
  const seen: number[] = [];
  for (;;) {
    const { status, body } = await client.get('Patient?eyes=green&_summary=count');
    if (status === 200) {
      expect(body.total).toBe(patients / 2);
      return seen;
    }
    expect(status).toBe(503);
    seen.push(Number(/: (\d+) % is done/.exec(body.issue[0].diagnostics)?.[1] ?? 0));
    if (until(seen.at(-1)!)) return seen;
    await sleep(20);
  }
}

describe('making the index anew', () => {
  let added: string;
  beforeAll(() => {
    added = makePackage(folder.path, 'eyes', [eyes]);
  });

  test('goes on, after the server was killed in the middle, where it was; everything else is answered meanwhile', async () => {
    const store = await filled('killed');
    const first = await start({ KINDRED_STORE: store, KINDRED_PACKAGES: added });
    const seen = await indexed(first.client, percent => percent >= 20);
    expect(seen.at(-1)).toBeGreaterThanOrEqual(20);
    expect(seen.at(-1)).toBeLessThan(90);
    expect((await first.client.get('Patient?family=Family3&_summary=count')).body.total).toBe(patients);
    expect((await first.client.post('Patient', patientWith('blue'))).status).toBe(201);
    expect(await first.server.stop('SIGKILL')).toMatchObject({ code: null });

    const second = await start({ KINDRED_STORE: store, KINDRED_PACKAGES: added });
    const rest = await indexed(second.client);
    expect(Math.min(...rest)).toBeGreaterThanOrEqual(20);
    expect((await second.client.get('Patient?eyes=blue&_summary=count')).body.total).toBe(1);
    const { err } = await second.server.stop();
    expect(told(err, 'indexing')).toEqual([expect.objectContaining({ done: expect.any(Number) })]);
    expect(told(err, 'indexing')[0]!.done).toBeGreaterThanOrEqual((patients * 20) / 100);
    expect(told(err, 'indexed anew')).toHaveLength(1);
  });

  test('is done once, by one of two servers, and both know it; a command beside them waits for it', async () => {
    const store = await filled('two');
    const both = await Promise.all([1, 2].map(() => start({ KINDRED_STORE: store, KINDRED_PACKAGES: added })));
    await indexed(both[0]!.client, percent => percent > 0);
    const command = kindred(['reindex', '--json'], { KINDRED_STORE: store, KINDRED_PACKAGES: added, KINDRED_AUTH: 'off' });
    await Promise.all(both.map(({ client }) => indexed(client)));
    const { code, out } = await command;
    expect([code, JSON.parse(out)]).toEqual([0, { indexed: patients, failed: 0, seconds: expect.any(Number) }]);
    const logs = await Promise.all(both.map(({ server }) => server.stop()));
    expect(logs.flatMap(({ err }) => told(err, 'indexing'))).toHaveLength(1);
    expect(logs.flatMap(({ err }) => told(err, 'indexed anew'))).toEqual([expect.objectContaining({ resources: patients, failed: 0 })]);

    // What is whole is made anew when that is asked for, without a server too.
    const again = await kindred(['reindex'], { KINDRED_STORE: store, KINDRED_PACKAGES: added, KINDRED_AUTH: 'off' });
    expect([again.code, again.out]).toEqual([0, expect.stringMatching(/^\d+ resources are indexed anew, in [\d.]+ s\n$/)]);
    const look = await openScratch(store, 'looker');
    expect((await look.document('note', 'reindex')) as Job).toMatchObject({ failed: 0, types: [], ended: expect.any(String) });
    await look.close();
  });

  test('makes what a store of an older version lacks: it has no note of what it is indexed by', async () => {
    const store = address('older');
    const old = await openScratch(store, 'old', () => []);
    await old.commit([put('Patient/p', { name: names }), put('Observation/o', { valueQuantity: { value: 5 } })], new Date().toISOString());
    await old.close();
    const { server, client } = await start({ KINDRED_STORE: store });
    for (let answer = await client.get('Patient?family=Family3'); ; answer = await client.get('Patient?family=Family3')) {
      if (answer.status === 200) expect(answer.body.total).toBe(1);
      else expect(answer.status).toBe(503);
      if (answer.status === 200) break;
      await sleep(20);
    }
    expect((await client.get('Observation?value-quantity=5')).body.total).toBe(1);
    await server.stop();
  });

  test('a store is not migrated by who does not know all that it is indexed by', async () => {
    const [from, to] = [address('from'), address('to')];
    const { server, client } = await start({ KINDRED_STORE: from, KINDRED_PACKAGES: added });
    expect((await client.post('Patient', patientWith('green'))).status).toBe(201);
    await server.stop();
    const refused = await kindred(['migrate', from, to]);
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining(`is indexed by ${eyes.url}; set KINDRED_PACKAGES as its servers have it`)]);
    expect((await kindred(['migrate', from, to], { KINDRED_PACKAGES: added })).code).toBe(0);
    const next = await start({ KINDRED_STORE: to, KINDRED_PACKAGES: added });
    expect((await next.client.get('Patient?eyes=green')).body.total).toBe(1);
    expect(told((await next.server.stop()).err, 'indexing')).toEqual([]);
  });
});

describe('packages that are wrong end the start with every mistake (exit code 78)', () => {
  const store = { KINDRED_STORE: 'sqlite::memory:', KINDRED_AUTH: 'off', PORT: '0' };
  test('what cannot be read, and what cannot be indexed', async () => {
    const broken = join(folder.path, 'broken.tgz');
    writeFileSync(broken, 'no archive');
    const bare = join(folder.path, 'bare');
    mkdirSync(bare);
    const half = join(folder.path, 'half.tgz');
    copyFileSync(makePackage(folder.path, 'whole', [eyes], true), half);
    execFileSync('sh', ['-c', `gunzip -c ${half} | head -c 1500 | gzip > ${half}.cut && mv ${half}.cut ${half}`]);
    const wrong = makePackage(
      folder.path,
      'wrong',
      [
        { ...eyes, expression: 'Patient.name' },
        { ...eyes, url: 'http://example.org/2', code: '_eyes' },
      ],
      true,
    );
    const packages = [broken, bare, half, join(folder.path, 'nowhere'), wrong].join(',');
    const { code, out, err } = await kindred(['serve'], { ...store, KINDRED_PACKAGES: packages });
    expect([code, out]).toEqual([78, '']);
    const lines = err.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^the package `.*broken\.tgz` cannot be read: .*header check/),
      expect.stringMatching(/^the package `.*bare` cannot be read: there is no package\.json in it$/),
      expect.stringMatching(/^the package `.*half\.tgz` cannot be read: it breaks off$/),
      expect.stringMatching(/^the package `.*nowhere` cannot be read: ENOENT/),
      'wrong.tgz/SearchParameter-0.json: SearchParameter `eyes`: `expression` yields HumanName, of which no token is made',
      'wrong.tgz/SearchParameter-1.json: SearchParameter `_eyes`: the code `_eyes` must begin with a letter, and go on with letters, digits, `-` or `_`',
    ]);
  });
  test('a file that is no JSON is named', async () => {
    const path = makePackage(folder.path, 'no-json', []);
    writeFileSync(join(path, 'package', 'SearchParameter-x.json'), '{ "resourceType": "SearchParameter", ');
    const { code, err } = await kindred(['reindex'], { ...store, KINDRED_PACKAGES: path });
    expect([code, err]).toEqual([78, expect.stringContaining('no-json/SearchParameter-x.json: ')]);
  });
});

const archive = join(process.env.KINDRED_DATA ?? resolve(root, '../shared/data'), 'us-core.tar.xz');
(existsSync(archive) ? test : test.skip)('US Core 3.1.1, 6.1.0 and 7.0.0 as published: every parameter is added, or left out with a reason', async () => {
  execFileSync('tar', ['-xJf', archive, '-C', folder.path]);
  const inside = join(folder.path, 'us-core');
  const packages = readdirSync(inside).map(name => join(inside, name));
  expect(packages).toHaveLength(3);
  const { server, client } = await start({ KINDRED_STORE: 'sqlite::memory:', KINDRED_PACKAGES: packages.join(':'), KINDRED_LOG: 'debug' });
  const { body } = await client.get('metadata');
  const codes = (type: string): readonly string[] =>
    body.rest[0].resource.find((each: { type: string }) => each.type === type).searchParam.map((each: { name: string }) => each.name);
  expect(codes('Patient')).toEqual(expect.arrayContaining(['race', 'ethnicity', 'gender-identity']));
  expect([codes('Condition'), codes('CareTeam'), codes('Encounter'), codes('Goal')]).toEqual(
    ['asserted-date', 'role', 'discharge-disposition', 'description'].map(code => expect.arrayContaining([code])),
  );
  const { err } = await server.stop();
  // 290 in the three of them.
  expect(told(err, 'left out').length).toBe(290 - 7);
});
