import { parseArgs } from 'node:util';
import { followed } from '../interaction/reindex.ts';
import { type Job, percentOf } from '../interaction/reindex-job.ts';
import { type Command, configOfStore, exits, print, withApp } from './command.ts';

/** What resources are found by, made anew from what is stored. */
export const reindex: Command = {
  name: 'reindex',
  summary: 'make anew what resources are found by',
  help: `Usage: npx kindred reindex [--json]

  --json   one JSON object on stdout at the end

Makes what is missing for parameters that are new or have changed (KINDRED_PACKAGES, profiles/); where nothing is
missing, makes all of it anew. A server does the first by itself when it starts. It may run beside servers on the same
store, which go on answering; one that is under way already is waited for. Stopped at any moment (Ctrl-C, a crash), it
goes on where it was when it is run again, or when a server is there to do it.`,
  async run(args, doors) {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } });
    const began = performance.now();
    const { done, failed } = await withApp(doors, configOfStore(doors.environment), async ({ parts: { reindexer } }) => {
      const job = await followed(reindexer, await reindexer.begin(), show);
      if (process.stderr.isTTY) process.stderr.write('\n');
      return job;
    });
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    const more = failed === 0 ? '' : `; ${failed} could not be read and stay as they were`;
    print(values.json, { indexed: done - failed, failed, seconds }, `${done - failed} resources are indexed anew, in ${seconds} s${more}`);
    return failed === 0 ? exits.done : exits.failed;
  },
};

function show(job: Job): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${job.done} of ${Math.max(job.done, job.total)} resources (${percentOf(job)} %)\x1b[K`);
}
