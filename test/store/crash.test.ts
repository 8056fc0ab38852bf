import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { linkHash, verifyChain } from '../../src/audit/chain.ts';
import { queryOf } from '../../src/search/query.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { keyOf, registry, some, token } from '../contract/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-crash-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'crash.db');

interface Told {
  readonly lane: number;
  readonly version: number;
  /** Whether the commit also changed grants and a document. */
  readonly more: boolean;
}

/** Lets a process write for some milliseconds after its first commit, kills it, and gives what it had been told was stored. */
function writeAndKill(round: number, milliseconds: number): Promise<readonly Told[]> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./crash-writer.ts', import.meta.url)), path, String(round)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [told, errors] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    if (told === '') setTimeout(() => child.kill('SIGKILL'), milliseconds);
    told += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself: ${errors}`));
      // A line may be cut off by the kill.
      const lines = told.slice(0, told.lastIndexOf('\n')).split('\n');
      return resolve(
        lines.map(line => line.split(' ')).map(([lane, version, more]) => ({ lane: Number(lane), version: Number(version), more: more === 'true' })),
      );
    });
  });
}

/** What was told is there, and whatever is there is whole. */
async function check(store: ResourceStore, round: number, told: readonly Told[], eventOf: Map<string, string>): Promise<void> {
  const chain = await verifyChain(store.chain());
  expect(chain.faults).toEqual([]);
  const events = new Set<string>();
  for await (const link of store.chain()) for (const event of link.events) events.add(event.id.slice(event.id.indexOf('-') + 1));
  for (const { lane, version } of told) eventOf.set(`${lane}-${version}`, `${round}-${lane}-${version}`);
  let versions = 0;
  for (let lane = 0; lane < 16; lane++) {
    const key = keyOf(`Patient/lane${lane}`);
    const current = await store.read(key);
    const newest = Number(current?.versionId ?? 0);
    expect(newest).toBeGreaterThanOrEqual(Math.max(0, ...told.filter(one => one.lane === lane).map(one => one.version)));
    const history = await store.history({ of: key, limit: 100_000 });
    expect(history.map(version => version.versionId)).toEqual(Array.from({ length: newest }, (_, n) => String(newest - n)));
    versions += newest;
    // Every put is there with its event, and no event without its put.
    for (let version = 1; version <= newest; version++) expect(events.has(`${lane}-${version}`)).toBe(true);
    const found = await store.search(queryOf('Patient', some('Patient', 'identifier', token(`${lane}-${newest}`, 'http://crash')), 2));
    expect(found.versions.map(version => version.key.id)).toEqual(newest === 0 ? [] : [key.id]);
    // Grants and the document were changed by one commit; its epoch counts them.
    const [grant] = await store.grants([`Patient/lane${lane}`], ['Patient/x']);
    const note = await store.document('note', `lane${lane}`);
    expect(grant?.depth).toBe(note);
    const promised = told.filter(one => one.lane === lane && one.more).at(-1)?.version ?? 0;
    expect(Number(note ?? 0)).toBeGreaterThanOrEqual(promised);
  }
  expect(events.size).toBe(versions);
  for (const id of eventOf.values()) expect(await store.read({ type: 'AuditEvent', id })).toBeDefined();
  expect(await store.totals()).toMatchObject({ AuditEvent: versions });
}

test('a process killed at any moment loses nothing that it was told is stored, and leaves nothing half done', async () => {
  const eventOf = new Map<string, string>();
  let acknowledged = 0;
  for (let round = 0; round < 30; round++) {
    const told = await writeAndKill(round, Math.random() * 150);
    acknowledged += told.length;
    const store = await openSqlite({ path, paramsOf: registry.paramsOf, linkHash, writer: 'checker' });
    await check(store, round, told, eventOf);
    await store.close();
  }
  expect(acknowledged).toBeGreaterThan(1000);
}, 180_000);
