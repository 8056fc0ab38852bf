import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MongoClient } from 'mongodb';
import { withDatabase } from '../mongodb/url.ts';
import { type Child, kindred, quiet, start } from './child.ts';
import { ask, requestBytes } from './client.ts';
import { PER_PATIENT } from './data.ts';
import { fill } from './filling.ts';
import { type Search, searches } from './searches.ts';

const help = `Usage: npm run bench:searches -- [--sizes N,N,…] [--mongodb URL] [--only TEXT] [--json FILE]

What searches cost as the database grows: the same searches, with as many hits, over ${searches.length} shapes that apps and EHRs
send, one after another on one connection (KINDRED_AUTH=off, KINDRED_AUDIT=off). What is compared is the median of each,
at the largest size to that at the smallest.

  --sizes N,N      resources, about (10000,100000; on SQLite 1000000 too takes a quarter of an hour to fill)
  --mongodb URL    MongoDB in place of SQLite, in databases of their own on that server, which go at the end
  --only TEXT      only searches with TEXT in their name
  --json FILE      where the figures go (bench-searches.json)
`;
/** Of each search: first some that do not count. */
const [WARM, COUNTED] = [20, 120];
/** A search is not asked longer. */
const SECONDS = 5;

interface Row {
  readonly search: Search;
  /** Medians in milliseconds, by size. */
  readonly medians: readonly number[];
}
const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

async function measure(child: Child, { query }: Search, patients: number): Promise<number> {
  let at = 0;
  const next = (): Buffer => requestBytes('GET', `/fhir/${encodeURI(query((at++ * 7) % patients)).replaceAll('$', '%24')}`, undefined);
  await ask(child.url, WARM, SECONDS, next, 1);
  return median((await ask(child.url, COUNTED, SECONDS, next, 1)).latencies);
}

/** A server over so many resources: where its store is, and what to do with that at the end. */
interface Place {
  readonly store: string;
  end(): Promise<void>;
}
function placeIn(folder: string, size: number, mongodb: string | undefined): Place {
  if (mongodb === undefined) return { store: `sqlite:${join(folder, `${size}.db`)}`, end: async () => {} };
  const name = `kindred_searches_${process.pid}_${size}`;
  return {
    store: withDatabase(mongodb, name),
    async end() {
      const client = new MongoClient(mongodb);
      await client.db(name).dropDatabase();
      await client.close();
    },
  };
}

async function measureAll(size: number, wanted: readonly Search[], place: Place): Promise<readonly number[]> {
  const patients = Math.ceil(size / PER_PATIENT);
  const took = await fill(place.store, patients);
  process.stderr.write(`${patients * PER_PATIENT} resources in ${Math.round(took)} s\n`);
  const child = await start(kindred, { PORT: '0', KINDRED_LOG: 'error', KINDRED_STORE: place.store, KINDRED_AUTH: 'off', KINDRED_AUDIT: 'off' }, [quiet]);
  try {
    const medians: number[] = [];
    for (const search of wanted) medians.push(await measure(child, search, patients));
    return medians;
  } finally {
    await child.end();
  }
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    sizes: { type: 'string', default: '10000,100000' },
    mongodb: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'string', default: 'bench-searches.json' },
  },
});
if (values.help) process.stdout.write(help);
else {
  const sizes = values.sizes.split(',').map(Number);
  const wanted = searches.filter(search => search.name.includes(values.only));
  const folder = mkdtempSync(join(tmpdir(), 'kindred-searches-'));
  try {
    const columns: (readonly number[])[] = [];
    for (const size of sizes) {
      const place = placeIn(folder, size, values.mongodb);
      try {
        columns.push(await measureAll(size, wanted, place));
      } finally {
        await place.end();
      }
    }
    const rows: readonly Row[] = wanted.map((search, at) => ({ search, medians: columns.map(column => column[at]!) }));
    process.stdout.write(`${'p50 in ms'.padEnd(44)}${sizes.map(size => String(size).padStart(10)).join('')}${'growth'.padStart(8)}\n`);
    for (const { search, medians } of rows) {
      const growth = (medians.at(-1)! / medians[0]!).toFixed(2);
      const note = search.scans === undefined ? '' : `  ${search.scans}`;
      process.stdout.write(`${search.name.padEnd(44)}${medians.map(each => each.toFixed(2).padStart(10)).join('')}${growth.padStart(8)}${note}\n`);
    }
    writeFileSync(
      values.json,
      `${JSON.stringify({ at: new Date().toISOString(), node: process.version, sizes, rows: rows.map(({ search, medians }) => ({ name: search.name, query: search.query(0), medians })) }, null, 1)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
