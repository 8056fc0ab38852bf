import { settings } from '../config.ts';
import { Problem } from '../fhir/problem.ts';
import { account } from './account.ts';
import { audit } from './audit.ts';
import { client } from './client.ts';
import { type Command, CommandProblem, type Doors, exits } from './command.ts';
import { consent } from './consent.ts';
import { demo } from './demo.ts';
import { key } from './key.ts';
import { launch } from './launch.ts';
import { load } from './load.ts';
import { migrate } from './migrate.ts';
import { reindex } from './reindex.ts';
import { seed } from './seed.ts';
import { serve } from './serve.ts';
import { token } from './token.ts';

const commands: readonly Command[] = [serve, demo, seed, account, client, key, token, launch, consent, load, audit, migrate, reindex];

const overview = (): string => `kindred: a FHIR R4 server in which every permission over somebody else's record is a Consent

Usage: npx kindred COMMAND [options]       npx kindred COMMAND --help

${commands.map(command => `  ${command.name.padEnd(8)} ${command.summary}`).join('\n')}

Settings, from the environment:
${settings.map(([name, value, meaning]) => `  ${name.padEnd(17)} ${meaning}${value === '' ? '' : ` [${value}]`}`).join('\n')}
`;

/** Runs one command line; says what went wrong in a sentence. Gives back the exit code. */
export async function runCommand(args: readonly string[], doors: Doors): Promise<number> {
  const [name = 'serve', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return exits.done;
  }
  const command = commands.find(one => one.name === name);
  if (command === undefined) {
    process.stderr.write(`there is no command \`${name}\`; there are ${commands.map(one => one.name).join(', ')}\n`);
    return exits.usage;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`kindred ${command.name}: ${command.summary}\n\n${command.help}\n`);
    return exits.done;
  }
  try {
    return await command.run(rest, doors);
  } catch (error) {
    process.stderr.write(`${sentence(error)}\n`);
    return error instanceof CommandProblem ? error.exit : isUsage(error) ? exits.usage : exits.failed;
  }
}
const isUsage = (error: unknown): boolean => error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
function sentence(error: unknown): string {
  if (error instanceof Problem)
    return error.issues.map(issue => (issue.expression === undefined ? issue.text : `${issue.text} (${issue.expression})`)).join('\n');
  return error instanceof Error ? error.message : String(error);
}
