import { parseArgs } from 'node:util';
import { type Command, configOf, exits } from './command.ts';

/** `npm start`: serves until SIGTERM or SIGINT. */
export const serve: Command = {
  name: 'serve',
  summary: 'serve FHIR until a signal ends it (the default; `npm start`)',
  help: `Usage: npx kindred serve

The first line on stdout is {"ready":true,"url":"…"}. Everything else is a JSON line on stderr.
Configured by the environment: see \`npx kindred --help\`. Bad configuration ends with exit code 78.`,
  async run(args, doors) {
    parseArgs({ args: [...args], options: {} });
    const running = await doors.serve(configOf(doors.environment));
    process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
    await new Promise<void>(resolve => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    await running.stop();
    return exits.done;
  },
};
