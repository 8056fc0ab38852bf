import { parseArgs } from 'node:util';
import { type ChainHead, verifyChain } from '../audit/chain.ts';
import { type Command, CommandProblem, configOfStore, exits, print, withApp } from './command.ts';
import { readJson } from './seed.ts';

/** Checks the log against its own chain, and against heads that were kept elsewhere. */
export const audit: Command = {
  name: 'audit',
  summary: 'verify the log: nothing altered, hidden, taken out, added or cut off',
  help: `Usage: npx kindred audit verify [--heads FILE] [--json]

Reads the whole log, recomputes its hash chain, and checks that every event is shown to and found by whom it was
written for. Ends with 1 when the log is not as it was written. Each process has a chain of its own that begins where
the others were, so that one which has ended is missed too.
The heads that it prints (--json: \`heads\`) are worth keeping outside: with --heads FILE, the JSON of an earlier
run, a log that was cut off or rewritten since is found too.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { heads: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    if (positionals.length !== 1 || positionals[0] !== 'verify') throw new CommandProblem('the command is `kindred audit verify`', exits.usage);
    const published = values.heads === undefined ? [] : readHeads(values.heads);
    const result = await withApp(doors, configOfStore(doors.environment), app => verifyChain(app.store.chain(), published));
    const sound = result.faults.length === 0;
    print(values.json, { sound, ...result }, sound ? `the log is sound: ${result.events} events in ${result.links} links` : result.faults.join('\n'));
    return sound ? exits.done : exits.failed;
  },
};

function readHeads(file: string): readonly ChainHead[] {
  const { heads } = (readJson(file) ?? {}) as { heads?: readonly ChainHead[] };
  if (!Array.isArray(heads)) throw new CommandProblem(`\`${file}\` holds no heads`, exits.usage);
  return heads;
}
