import { createReadStream, writeFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { parseScopes } from '../access/scope.ts';
import { parseJson } from '../fhir/json.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import { type Command, CommandProblem, configOf, type Doors, exits, withApp } from './command.ts';
import { type Post, postTo, runWith } from './posting.ts';

interface Summary {
  files: number;
  resources: number;
  refused: number;
  seconds: number;
  byType: Record<string, number>;
}
interface Refusal {
  readonly file: string;
  readonly what: string;
  readonly why: string;
}

/** Files, folders, NDJSON, gzip; Bundles and single resources. */
export const load: Command = {
  name: 'load',
  summary: 'load files or folders of resources and Bundles',
  help: `Usage: npx kindred load PATH… [--organization O] [--url U --token T] [--report FILE] [--json]

  PATH            .json, .ndjson, either with .gz, or a folder of them (in the order of their names)
  --organization  for whom it is loaded: the origin of every entry (open mode: \`open\`)
  --url, --token  send it to a running server instead of working on the store
  --report        where refusals are written when there are any (default kindred-load-report.json)

Transactions and batches are sent as they are; what a collection holds, and single resources, are put under their
ids, or created where they have none. The last line on stdout is a JSON summary. Ends with 1 when anything was refused.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        organization: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string' },
        report: { type: 'string', default: 'kindred-load-report.json' },
        json: { type: 'boolean' },
      },
    });
    if (positionals.length === 0) throw new CommandProblem('name at least one file or folder', exits.usage);
    const files = (await Promise.all(positionals.map(filesOf))).flat();
    if (files.length === 0) throw new CommandProblem('there is no .json or .ndjson file', exits.usage);
    const { url, token, organization } = values;
    const { summary, refusals } = url === undefined ? await loadHere(files, organization, doors) : await loadAll(files, postTo(url.replace(/\/+$/, ''), token));
    if (refusals.length > 0) writeFileSync(values.report, `${JSON.stringify(refusals, null, 1)}\n`);
    process.stdout.write(`${JSON.stringify({ ...summary, ...(refusals.length > 0 ? { report: values.report } : {}) })}\n`);
    return refusals.length > 0 ? exits.failed : exits.done;
  },
};

function loadHere(files: readonly string[], organization: string | undefined, doors: Doors): Promise<{ summary: Summary; refusals: Refusal[] }> {
  const config = configOf(doors.environment);
  if (config.auth && organization === undefined) throw new CommandProblem('--organization says for whom it is loaded', exits.usage);
  return withApp(doors, config, async app => {
    if (!config.auth) return loadAll(files, runWith(app, app.open));
    if ((await app.store.document('organization', organization!)) === undefined) throw new CommandProblem(`there is no organization \`${organization}\``);
    const who = `Organization/${organization!}` as const;
    const { scopes } = parseScopes('system/*.cruds');
    return loadAll(
      files,
      runWith(app, {
        kind: 'system',
        client: 'kindred-load',
        who,
        actors: [who],
        organization: organization!,
        purpose: 'TREAT',
        scopes,
        grant: 'kindred-load',
        token: 'load',
        grantEpoch: 0,
      }),
    );
  });
}

async function loadAll(files: readonly string[], post: Post): Promise<{ summary: Summary; refusals: Refusal[] }> {
  const started = performance.now();
  const summary: Summary = { files: 0, resources: 0, refused: 0, seconds: 0, byType: {} };
  const refusals: Refusal[] = [];
  for (const file of files) {
    for await (const read of resourcesIn(file)) {
      const { written, refused } = 'problem' in read ? { written: [], refused: [{ what: 'the file', why: read.problem }] } : await post(read.resource);
      for (const type of written) summary.byType[type] = (summary.byType[type] ?? 0) + 1;
      summary.resources += written.length;
      summary.refused += refused.length;
      refusals.push(...refused.map(one => ({ file, ...one })));
      showProgress(summary, files.length);
    }
    summary.files++;
    showProgress(summary, files.length);
  }
  if (process.stderr.isTTY) process.stderr.write('\n');
  summary.seconds = Math.round((performance.now() - started) / 10) / 100;
  return { summary, refusals };
}
function showProgress({ files, resources, refused }: Summary, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${files}/${of} files, ${resources} resources${refused > 0 ? `, ${refused} refused` : ''} `);
}

const loadable = /\.(json|ndjson)(\.gz)?$/;
async function filesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CommandProblem(`\`${path}\` is not there`, exits.usage);
  if (!found.isDirectory()) return [path];
  const names = (await readdir(path, { recursive: true })).filter(name => loadable.test(name)).sort();
  return names.map(name => join(path, name));
}

/** The resources of one file, one at a time; what cannot be read further is a problem and ends it. */
async function* resourcesIn(file: string): AsyncGenerator<{ readonly resource: Resource } | { readonly problem: string }> {
  const opened = createReadStream(file);
  // Errors of either stream come out at its end.
  const stream = file.endsWith('.gz') ? pipeline(opened, createGunzip(), () => {}) : opened;
  const parse = (json: string): { readonly resource: Resource } | { readonly problem: string } => {
    try {
      return { resource: parseJson(json) as Resource };
    } catch (error) {
      return { problem: error instanceof Problem ? error.message : String(error) };
    }
  };
  try {
    if (!/\.ndjson(\.gz)?$/.test(file)) yield parse(await text(stream));
    else for await (const line of linesOf(stream)) if (line.trim() !== '') yield parse(line);
  } catch (error) {
    yield { problem: `it cannot be read: ${(error as Error).message}` };
  }
}
async function* linesOf(stream: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}
