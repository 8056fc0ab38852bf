import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Child, quiet } from './child.ts';
import { type Answered, type Ask, ask, requestBytes } from './client.ts';
import { statement } from './data.ts';
import { readPath, searchPath } from './paths.ts';
import { type Mode, makeWorlds, modes, type World } from './world.ts';

const help = `Usage: npm run bench -- [--mongodb URL] [--quick] [--only TEXT] [--profile FOLDER] [--json FILE]

How much more than the floor Kindred needs. The floor is an Express server that sends the same stored bytes from the same
engine by key, puts the same page together, and inserts the same body: in SQLite with group commit, in MongoDB acknowledged
by a majority (test/bench/floor.ts). Servers run on loopback over real files, 32 connections each, floor and Kindred in
turns; what is compared are medians of rounds. What searches cost as the database grows: npm run bench:searches.

Modes: off      KINDRED_AUTH=off KINDRED_AUDIT=off
       audit    KINDRED_AUTH=off
       system   everything on, the EHR that contributed the records (a create makes a Provenance too)
       patient  everything on, the patient's app

  --mongodb URL     MongoDB beside SQLite, in databases of its own on that server (or KINDRED_TEST_MONGODB)
  --quick           two short rounds: to see that it works
  --only TEXT       only what has TEXT in its name, such as \`search\`, \`patient\` or \`MongoDB create system\`
  --profile FOLDER  CPU profiles of Kindred (.cpuprofile), one for each shape and mode
  --json FILE       where the figures go (bench-results.json)
`;

interface Shape {
  readonly name: string;
  /** Of one round. */
  readonly count: number;
  path(at: number, patient: number): string;
  body?(at: number, patient: number): string;
}
const shapes: readonly Shape[] = [
  { name: 'read', count: 3000, path: (at, patient) => readPath(patient, at) },
  { name: 'search', count: 1500, path: (_, patient) => searchPath(patient) },
  { name: 'create', count: 1000, path: () => '/fhir/MedicationStatement', body: (at, patient) => JSON.stringify(statement(`Patient/p${patient}`, at)) },
];
/** No round is longer. */
const SECONDS = 3;

/** What one round, or the median of several, came to. */
interface Figures {
  /** CPU time of the server, µs a request. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Requests a second. */
  readonly rate: number;
}
const names = ['cpu', 'p50', 'p95', 'p99', 'rate'] as const;
interface Result {
  readonly engine: string;
  readonly shape: string;
  readonly mode: string;
  readonly floor: Figures;
  readonly kindred: Figures;
  /** Kindred's median to the floor's. */
  readonly ratio: Figures;
}

const quantile = (sorted: readonly number[], part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
const each = (value: (name: (typeof names)[number]) => number): Figures =>
  Object.fromEntries(names.map(name => [name, Math.round(value(name) * 1000) / 1000])) as unknown as Figures;
const medians = (rounds: readonly Figures[]): Figures =>
  each(name =>
    quantile(
      rounds.map(round => round[name]).sort((a, b) => a - b),
      0.5,
    ),
  );

async function round(child: Child, count: number, make: Ask): Promise<Figures> {
  const before = await child.cpu();
  const { latencies, seconds }: Answered = await ask(child.url, count, SECONDS, make);
  const used = (await child.cpu()) - before;
  const sorted = latencies.toSorted((a, b) => a - b);
  return { cpu: used / sorted.length, p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99), rate: sorted.length / seconds };
}

/** Floor and Kindred in turns; the first of each warms up and does not count. */
async function compare(shape: Shape, mode: Mode, world: World, rounds: number, scale: number, nodeOptions: readonly string[]): Promise<Result> {
  const floor = await world.openFloor();
  const { child, token } = await world.open(mode, nodeOptions);
  const asking = (bearer: string | undefined): Ask => {
    let made = 0;
    return () => {
      const at = made++;
      const patient = mode.own ? 0 : (at * 7) % world.patients;
      const body = shape.body?.(at, patient);
      return requestBytes(body === undefined ? 'GET' : 'POST', shape.path(at, patient), bearer, body);
    };
  };
  const [askFloor, askKindred] = [asking(undefined), asking(token)];
  const figures: { readonly floor: Figures[]; readonly kindred: Figures[] } = { floor: [], kindred: [] };
  try {
    for (let at = 0; at <= rounds; at++) {
      const one = await round(floor, shape.count * scale, askFloor);
      const other = await round(child, shape.count * scale, askKindred);
      if (at === 0) continue;
      figures.floor.push(one);
      figures.kindred.push(other);
    }
  } finally {
    await Promise.all([floor.end(), child.end()]);
  }
  const [least, ours] = [medians(figures.floor), medians(figures.kindred)];
  return { engine: world.engine, shape: shape.name, mode: mode.name, floor: least, kindred: ours, ratio: each(name => ours[name] / least[name]) };
}

const cell = (text: string, width: number): string => text.padStart(width);
const columns = (figures: Figures, digits: number): string =>
  names.map(name => cell(figures[name].toFixed(name === 'cpu' || name === 'rate' ? (digits === 2 ? 2 : 0) : digits), 8)).join('');
const heading = `${'store'.padEnd(9)}${'shape'.padEnd(8)}${'mode'.padEnd(9)}${'who'.padEnd(8)}${['CPU µs', 'p50 ms', 'p95 ms', 'p99 ms', 'req/s'].map(name => cell(name, 8)).join('')}`;
function lines({ engine, shape, mode, floor, kindred, ratio }: Result): string {
  const line = (who: string, text: string): string => `${engine.padEnd(9)}${shape.padEnd(8)}${mode.padEnd(9)}${who.padEnd(8)}${text}`;
  return [line('floor', columns(floor, 1)), line('Kindred', columns(kindred, 1)), line('ratio', columns(ratio, 2))].join('\n');
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    mongodb: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    profile: { type: 'string' },
    json: { type: 'string', default: 'bench-results.json' },
  },
});
if (values.help) process.stdout.write(help);
else {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-bench-'));
  const [rounds, scale, patients] = values.quick ? [2, 0.2, 10] : [5, 1, 60];
  try {
    const { worlds, end } = await makeWorlds(folder, patients, values.mongodb ?? (process.env.KINDRED_TEST_MONGODB || undefined));
    const results: Result[] = [];
    try {
      process.stdout.write(`${heading}\n`);
      for (const shape of shapes)
        for (const mode of modes)
          for (const world of worlds) {
            const name = `${world.engine} ${shape.name} ${mode.name}`;
            if (!name.includes(values.only)) continue;
            const profile =
              values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`, `--cpu-prof-name=${name.replaceAll(' ', '-')}.cpuprofile`];
            const result = await compare(shape, mode, world, rounds, scale, [quiet, ...profile]);
            results.push(result);
            process.stdout.write(`${lines(result)}\n`);
          }
    } finally {
      await end();
    }
    writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), node: process.version, rounds, patients, results }, null, 1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
