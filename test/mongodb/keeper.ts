/**
 * Holds the mongod of a test run, in a process of its own: whatever becomes of the run, even SIGKILL, its channel closes, and with it the mongod goes.
 * Says on the channel what it found, then waits.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadMongod } from './download.ts';
import { lookAt } from './look.ts';
import { type Mongod, onPath, startMongod } from './mongod.ts';
import { type Found, firstFound, reasonOf } from './server.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-mongodb-'));
let mongod: Mongod | undefined;
let ending = false;

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await mongod?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}

/** Where this mongod does not serve, it has gone before another is tried. */
async function serve(binary: string): Promise<Found> {
  const started = await startMongod(binary, mkdtempSync(join(folder, 'data-')));
  mongod = started;
  const found = await started.ready().then(
    url => lookAt(url, binary),
    (error: unknown): Found => ({ reason: reasonOf(error) }),
  );
  if ('reason' in found) await started.stop();
  return found;
}

process.on('disconnect', end);
process.on('SIGTERM', end);
process.on('SIGHUP', end);
// Ctrl-C comes to the test run too, and that closes the channel.
process.on('SIGINT', () => {});

const installed = onPath('mongod');
const found = await firstFound([
  async () => (installed === undefined ? { reason: 'no mongod on the PATH' } : serve(installed)),
  async () => serve(await downloadMongod()),
]);
if (process.connected) process.send!(found);
if ('reason' in found) await end();
