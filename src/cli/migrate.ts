import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { verifyChain } from '../audit/chain.ts';
import { packagesIn } from '../config.ts';
import { addressForms, parseAddress, type StoreAddress, shownAddress, withoutCredentials } from '../store/address.ts';
import { carry, type Tell } from '../store/carry.ts';
import { compare } from '../store/compare.ts';
import type { Transfer } from '../store/transfer.ts';
import { type Command, CommandProblem, type Doors, exits, print } from './command.ts';

interface Named {
  readonly address: StoreAddress;
  /** Without credentials, and always alike. */
  readonly name: string;
}
interface Outcome {
  readonly parts: Readonly<Record<string, { readonly count: number }>>;
  /** Sentences on what is not the same. */
  readonly differences: readonly string[];
  /** How many faults the log had already. */
  readonly faults: number;
  readonly events: number;
}

/** A whole store into another one, of the same engine or not. */
export const migrate: Command = {
  name: 'migrate',
  summary: 'carry a store to another engine or place, all of it',
  help: `Usage: npx kindred migrate FROM TO [--again] [--json]

  FROM, TO  ${addressForms.replace(', `sqlite::memory:`', '')}
  --again   empty TO first, where it holds a migration that is not finished
  --json    one JSON object on stdout at the end

Carries every version of every resource, byte for byte, with grants, accounts, keys and the log with its hash chain.
The servers on FROM must be stopped; TO must be empty. KINDRED_PACKAGES must be as they have it. Stopped at any moment (Ctrl-C, a crash) it goes on where it was
when it is run again; until it is finished nothing else opens TO. At the end both are read again and compared, and the
log of TO is verified: exit code 0 says that all is there. FROM is left as it is.

  npx kindred migrate sqlite:./data/kindred.db 'mongodb://db1,db2,db3/kindred?replicaSet=rs0'
  KINDRED_STORE='mongodb://db1,db2,db3/kindred?replicaSet=rs0' npm start`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { again: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length !== 2) throw new CommandProblem('name two stores: from where, and where to', exits.usage);
    const [from, to] = positionals.map(named) as [Named, Named];
    if (from.name === to.name) throw new CommandProblem('both are the same store', exits.usage);
    const begun = performance.now();
    const { parts, differences, faults, events } = await migrateStore(from, to, values.again, doors);
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    const counts = Object.fromEntries(Object.entries(parts).map(([part, { count }]) => [part, count]));
    const what = `${counts.resource} resources, ${counts.past} old versions, ${counts.grants} Consents with grants, ${counts.document} documents, ${events} events in ${counts.link} links of the log`;
    const lines =
      differences.length === 0
        ? [
            `carried from ${from.name} to ${to.name} in ${seconds} s: ${what}`,
            'both were read again and are the same',
            faults === 0
              ? `the log is sound: ${events} events in ${counts.link} links`
              : `the log is not as it was written, in ${faults} places, and was not so before either: see \`kindred audit verify\``,
          ]
        : [
            ...differences,
            `${to.name} is not the same as ${from.name}, and stays closed. Something wrote to one of them meanwhile: stop the servers on ${from.name}, and run it again with --again, which empties ${to.name} first`,
          ];
    print(values.json, { from: from.name, to: to.name, seconds, events, ...counts, faults, differences }, lines.join('\n'));
    return differences.length === 0 ? exits.done : exits.failed;
  },
};

function named(text: string): Named {
  const address = parseAddress(text);
  if (address === undefined) throw new CommandProblem(`\`${shownAddress(text)}\` is no store; one is ${addressForms}`, exits.usage);
  if (address.engine === 'mongodb') return { address, name: shownAddress(text) };
  if (address.path === ':memory:') throw new CommandProblem('a store in memory is gone with its process: name a file', exits.usage);
  const path = resolve(address.path);
  return { address: { engine: 'sqlite', path }, name: `sqlite:${path}` };
}

async function migrateStore(from: Named, to: Named, again: boolean, doors: Doors): Promise<Outcome> {
  let under = false;
  const show = shower();
  const tell: Tell = (...told) => {
    under = true;
    show(...told);
  };
  try {
    return await withTransfer(doors, from.address, 'source', source =>
      withTransfer(doors, to.address, 'target', async target => {
        const at = await carry({ source, target, from: from.name, again, tell });
        const { parts, differences } = await compare(source, target, tell);
        const { faults, events } = await verifyChain(target.chain());
        const before = new Set(faults.length === 0 ? [] : (await verifyChain(source.chain())).faults);
        const fresh = faults.filter(fault => !before.has(fault));
        if (differences.length + fresh.length === 0) await target.note(at, undefined);
        return { parts, differences: [...differences, ...fresh], faults: faults.length, events };
      }),
    );
  } catch (error) {
    // Engines speak of the setting that usually holds the address, and drivers of addresses as they are.
    const reason = withoutCredentials((error as Error).message).replaceAll('KINDRED_STORE', 'the address');
    throw new CommandProblem(under ? `${reason}\nWhat was carried stays: run the same command again, and it goes on from there` : reason);
  } finally {
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}
async function withTransfer<T>(doors: Doors, address: StoreAddress, role: 'source' | 'target', work: (transfer: Transfer) => Promise<T>): Promise<T> {
  const transfer = await doors.openTransfer(address, role, packagesIn(doors.environment));
  try {
    return await work(transfer);
  } finally {
    await transfer.close();
  }
}

/** A line each second, on a terminal only: what is done, how much of it, and how fast. */
function shower(): Tell {
  let current = { step: '', since: 0, from: 0 };
  let shown = 0;
  return (step, done, total) => {
    const now = performance.now();
    if (!process.stderr.isTTY) return;
    if (step !== current.step) current = { step, since: now, from: done };
    if (now - shown < 1000) return;
    shown = now;
    const rate = Math.round(((done - current.from) * 1000) / Math.max(1, now - current.since));
    process.stderr.write(`\r${step}: ${done} of ${Math.max(done, total)}, ${rate} a second\x1b[K`);
  };
}
