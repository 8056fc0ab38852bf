import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Command, CommandProblem, configOf, exits, print, withApp } from './command.ts';
import { mistakesIn, type Seed } from './seed-format.ts';
import { plant } from './seeding.ts';

/** Organisations, accounts, clients, records and first resources from a file. */
export const seed: Command = {
  name: 'seed',
  summary: 'bring organisations, accounts, clients, records and resources from a file',
  help: `Usage: npx kindred seed FILE.json [--json]

Idempotent: what is there already, as the file has it, is left as it is. Every mistake in the file is named with its
JSON pointer, and then nothing is done. The format is in the README.`,
  async run(args, doors) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
    const [file] = positionals;
    if (file === undefined || positionals.length > 1) throw new CommandProblem('name one seed file', exits.usage);
    const value = readJson(file);
    const mistakes = mistakesIn(value);
    if (mistakes.length > 0) throw new CommandProblem(mistakes.join('\n'));
    const { made, kept } = await withApp(doors, configOf(doors.environment), app => plant(value as Seed, app));
    print(values.json, { made, kept }, [...made.map(one => `made  ${one}`), ...kept.map(one => `kept  ${one}`)].join('\n'));
    return exits.done;
  },
};

/** A JSON file, or a sentence that says why it cannot be read. */
export function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new CommandProblem(`\`${file}\` cannot be read`, exits.usage);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CommandProblem(`\`${file}\` is not JSON: ${(error as Error).message}`);
  }
}
