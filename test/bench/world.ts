import { execFile } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { type Child, floor, kindred, quiet, start } from './child.ts';
import { records, STATEMENTS, statementId } from './data.ts';

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
export const modes: readonly Mode[] = [
  { name: 'off', environment: { KINDRED_AUTH: 'off', KINDRED_AUDIT: 'off' } },
  { name: 'audit', environment: { KINDRED_AUTH: 'off' } },
  { name: 'system', environment: {}, token: ['--client', 'ehr', '--scope', 'system/*.cruds'] },
  { name: 'patient', environment: {}, token: ['--client', 'app', '--account', 'p0', '--scope', 'patient/*.cruds'], own: true },
];

/** Two files in the folder with the same resources: Kindred's, made by its own commands, and the floor's. */
export interface World {
  readonly patients: number;
  /** A server of its own, over a copy of the file, and a token for the mode. */
  open(mode: Mode, nodeOptions: readonly string[]): Promise<{ readonly child: Child; readonly token: string | undefined }>;
  openFloor(): Promise<Child>;
}
export const readPath = (patient: number, at: number): string => `/fhir/MedicationStatement/${statementId(patient, at % STATEMENTS)}`;
export const searchPath = (patient: number): string => `/fhir/MedicationStatement?patient=Patient/p${patient}&_count=20`;

const seed = {
  organizations: [{ id: 'clinic', name: 'Clinic' }],
  accounts: [{ username: 'p0', hats: [{ kind: 'patient', resource: 'Patient/p0' }] }],
  clients: [
    { client_id: 'ehr', client_name: 'EHR', kind: 'system', organization: 'clinic', scope: 'system/*.cruds' },
    { client_id: 'app', client_name: 'App', kind: 'app', scope: 'patient/*.cruds' },
  ],
};

export async function makeWorld(folder: string, patients: number): Promise<World> {
  const store = join(folder, 'kindred.db');
  const run = async (path: string, ...args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env.PATH, KINDRED_STORE: `sqlite:${path}` };
    return (await execute(process.execPath, [quiet, kindred, ...args], { env, cwd: folder })).stdout;
  };
  writeFileSync(join(folder, 'seed.json'), JSON.stringify(seed));
  writeFileSync(join(folder, 'records.ndjson'), records(patients).join('\n'));
  await run(store, 'seed', 'seed.json');
  await run(store, 'load', 'records.ndjson', '--organization', 'clinic');
  fillFloor(join(folder, 'floor.db'), store, patients);
  let opened = 0;
  return {
    patients,
    async open({ environment, token }, nodeOptions) {
      const copy = join(folder, `kindred-${opened++}.db`);
      copyFileSync(store, copy);
      const child = await start(kindred, { PORT: '0', KINDRED_LOG: 'error', KINDRED_STORE: `sqlite:${copy}`, ...environment }, nodeOptions);
      return { child, token: token === undefined ? undefined : (JSON.parse(await run(copy, 'token', ...token)) as { access_token: string }).access_token };
    },
    openFloor: () => start(floor, { FLOOR_STORE: join(folder, 'floor.db') }),
  };
}

/** The bytes that Kindred has stored, by key; and for each search that is asked the keys of its page. */
function fillFloor(path: string, store: string, patients: number): void {
  const from = new DatabaseSync(store, { readOnly: true });
  const to = new DatabaseSync(path);
  to.exec('CREATE TABLE stored (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID; CREATE TABLE page (key TEXT PRIMARY KEY, keys TEXT); BEGIN');
  const keep = to.prepare('INSERT INTO stored VALUES (?, ?)');
  for (const { name, id, body } of from
    .prepare(`SELECT type.name, res.id, res.body FROM res JOIN type ON type.id = res.type WHERE deleted = 0 AND name <> 'AuditEvent'`)
    .all() as unknown as { name: string; id: string; body: Uint8Array }[])
    keep.run(`${name}/${id}`, body);
  const page = to.prepare('INSERT INTO page VALUES (?, ?)');
  for (let patient = 0; patient < patients; patient++) {
    const keys = Array.from({ length: 20 }, (_, at) => `MedicationStatement/${statementId(patient, at)}`);
    page.run(searchPath(patient), JSON.stringify(keys));
  }
  to.exec('COMMIT');
  to.close();
  from.close();
}
