import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MongoClient } from 'mongodb';
import { withDatabase } from '../mongodb/url.ts';
import { type Child, floor, kindred, quiet, start } from './child.ts';
import { records } from './data.ts';
import { fillMongodbFloor, fillSqliteFloor } from './floor-filling.ts';

const execute = promisify(execFile);

/** How Kindred is run, and as whom it is asked. */
export interface Mode {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments of `kindred token`; absent: none is needed. */
  readonly token?: readonly string[];
  /** Asks about the first record only. */
  readonly own?: true;
}
export const modes = [
  { name: 'off', environment: { KINDRED_AUTH: 'off', KINDRED_AUDIT: 'off' } },
  { name: 'audit', environment: { KINDRED_AUTH: 'off' } },
  { name: 'system', environment: {}, token: ['--client', 'ehr', '--scope', 'system/*.cruds'] },
  { name: 'patient', environment: {}, token: ['--client', 'app', '--account', 'p0', '--scope', 'patient/*.cruds'], own: true },
] as const satisfies readonly Mode[];

/** One engine with the same resources twice: Kindred's, made by its own commands, and the floor's. */
export interface World {
  readonly engine: 'SQLite' | 'MongoDB';
  readonly patients: number;
  /** A server of its own (SQLite: over a copy of the file), and a token for the mode. */
  open(mode: Mode, nodeOptions: readonly string[]): Promise<{ readonly child: Child; readonly token: string | undefined }>;
  openFloor(): Promise<Child>;
}

const seed = {
  organizations: [{ id: 'clinic', name: 'Clinic' }],
  accounts: [{ username: 'p0', hats: [{ kind: 'patient', resource: 'Patient/p0' }] }],
  clients: [
    { client_id: 'ehr', client_name: 'EHR', kind: 'system', organization: 'clinic', scope: 'system/*.cruds' },
    { client_id: 'app', client_name: 'App', kind: 'app', scope: 'patient/*.cruds' },
  ],
};

/** The worlds of the engines, with these clients besides: that of MongoDB where the URL of a server is given, in databases of its own that go with `end`. */
export async function makeWorlds(
  folder: string,
  patients: number,
  mongodb: string | undefined,
  moreClients: readonly object[] = [],
): Promise<{ readonly worlds: readonly World[]; end(): Promise<void> }> {
  const file = join(folder, 'kindred.db');
  const run = async (store: string, ...args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env.PATH, KINDRED_STORE: store };
    return (await execute(process.execPath, [quiet, kindred, ...args], { env, cwd: folder })).stdout;
  };
  const opener =
    (storeFor: () => string): World['open'] =>
    async ({ environment, token }, nodeOptions) => {
      const store = storeFor();
      const child = await start(kindred, { PORT: '0', KINDRED_LOG: 'error', KINDRED_STORE: store, ...environment }, nodeOptions);
      return { child, token: token === undefined ? undefined : (JSON.parse(await run(store, 'token', ...token)) as { access_token: string }).access_token };
    };
  writeFileSync(join(folder, 'seed.json'), JSON.stringify({ ...seed, clients: [...seed.clients, ...moreClients] }));
  writeFileSync(join(folder, 'records.ndjson'), records(patients).join('\n'));
  await run(`sqlite:${file}`, 'seed', 'seed.json');
  await run(`sqlite:${file}`, 'load', 'records.ndjson', '--organization', 'clinic');
  fillSqliteFloor(join(folder, 'floor.db'), file, patients);
  let opened = 0;
  const sqlite: World = {
    engine: 'SQLite',
    patients,
    open: opener(() => {
      const copy = join(folder, `kindred-${opened++}.db`);
      copyFileSync(file, copy);
      return `sqlite:${copy}`;
    }),
    openFloor: () => start(floor, { FLOOR_STORE: join(folder, 'floor.db') }),
  };
  if (mongodb === undefined) return { worlds: [sqlite], end: async () => {} };
  const name = `kindred_bench_${process.pid}`;
  const [store, floorStore] = [withDatabase(mongodb, name), withDatabase(mongodb, `${name}_floor`)];
  const client = new MongoClient(mongodb);
  const end = async (): Promise<void> => {
    for (const database of [name, `${name}_floor`]) await client.db(database).dropDatabase();
    await client.close();
  };
  try {
    await run(store, 'migrate', `sqlite:${file}`, store);
    await fillMongodbFloor(floorStore, file, patients);
  } catch (error) {
    await end();
    throw error;
  }
  return { worlds: [sqlite, { engine: 'MongoDB', patients, open: opener(() => store), openFloor: () => start(floor, { FLOOR_STORE: floorStore }) }], end };
}
