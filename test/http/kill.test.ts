import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { ResourceStore } from '../../src/store/store.ts';
import { type Server, startServer } from '../cli/process.ts';
import { engine, openScratch, scratchStore } from '../engine.ts';
import { waitUntilWritable, write } from './lanes.ts';
import { check, type Deed, system } from './ledger.ts';
import { type Client, clientOf, scratch } from './world.ts';

const KILLS = 8;
jest.setTimeout(400_000);
const seed = jest.getSeed();
/** How many milliseconds of the load each kill comes after. */
const moments = fc.sample(fc.noBias(fc.integer({ min: 10, max: 1500 })), { seed, numRuns: KILLS });

// In a describe, so that it ends before the databases go.
describe(`a server that is killed under load (seed ${seed})`, () => {
  const folder = scratch();
  const address = engine === 'sqlite' ? `sqlite:${join(folder.path, 'kill.db')}` : scratchStore();
  const deeds: Deed[] = [];
  let store: ResourceStore | undefined;
  let server: Server | undefined;

  async function start(): Promise<Client> {
    server = await startServer({ KINDRED_STORE: address, KINDRED_AUTH: 'off', KINDRED_LOG: 'error' });
    return clientOf({ server: server.url.replace('localhost', '127.0.0.1') }, undefined);
  }
  afterAll(async () => {
    await server?.stop('SIGKILL');
    await store?.close();
    folder.remove();
  });

  /** Writes to a server and kills it, then looks at what the next one finds. */
  async function killOnce(round: number, moment: number): Promise<void> {
    const client = await start();
    store ??= await openScratch(address, 'checker');
    const since = deeds.length;
    let killed = false;
    const load = { client, round, deeds, killed: () => killed };
    await waitUntilWritable(load);
    const writing = write(load);
    await Promise.race([sleep(moment), writing]);
    // However slow the machine: so many have to be there to be lost.
    const done = (): number => deeds.slice(since).filter(deed => deed.told === 'done').length;
    for (let waited = 0; done() <= 50 && waited < 600; waited++) await sleep(50);
    killed = true;
    expect(await server!.stop('SIGKILL')).toMatchObject({ code: null });
    await writing;
    const next = await start();
    await check(store, deeds, since);
    await checkOver(next, deeds.slice(since));
    expect(await server!.stop('SIGKILL')).toEqual(expect.objectContaining({ code: null, err: '' }));
  }

  test(`has, when it is started again, all that it acknowledged and nothing half done, and can be written to: ${KILLS} times`, async () => {
    for (const [round, moment] of moments.entries()) await killOnce(round, moment);
    await waitUntilWritable({ client: await start(), round: KILLS, deeds, killed: () => false });
    await server!.stop();
    await check(store!, deeds, 0);
    expect(deeds.filter(deed => deed.told === 'done').length).toBeGreaterThan(50 * KILLS);
  });
});

/** The last write of each lane as a client sees it: found by what it says, where it was stored. */
async function checkOver(client: Client, deeds: readonly Deed[]): Promise<void> {
  for (const { lane, traces, stored } of new Map(deeds.map(deed => [deed.lane, deed])).values()) {
    for (const { type, id, version, says } of traces) {
      if (says === undefined || id === 'shared') continue;
      const found = await client.get(`${type}?identifier=${system}|${says}`);
      expect([lane, found.status, found.body.total]).toEqual([lane, 200, stored ? 1 : 0]);
      if (!stored) continue;
      const read = await client.get(`${type}/${id}/_history/${version}`);
      expect([lane, read.status, read.body.identifier[0].value]).toEqual([lane, 200, says]);
    }
  }
}
