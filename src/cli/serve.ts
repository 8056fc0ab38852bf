import { parseArgs } from 'node:util';
import { type Command, configOf, exits, untilSignal } from './command.ts';

/** `npm start`: serves until SIGTERM or SIGINT. */
export const serve: Command = {
  name: 'serve',
  summary: 'serve FHIR until a signal ends it (the default; `npm start`)',
  help: `Usage: npx kindred serve

  --json   accepted; what it says on stdout is JSON always

The first line on stdout is {"ready":true,"url":"…"}. Everything else is a JSON line on stderr.
Configured by the environment: see \`npx kindred --help\`. Bad configuration ends with exit code 78.`,
  async run(args, doors) {
    parseArgs({ args: [...args], options: { json: { type: 'boolean' } } });
    // Who reads the first line may send a signal at once.
    const ended = untilSignal();
    const running = await doors.serve(configOf(doors.environment));
    process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
    await ended;
    await running.stop();
    return exits.done;
  },
};
