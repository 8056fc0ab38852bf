import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Found } from './server.ts';

/** What setup, reporter and teardown share. Jest loads each in its own way, so what a module of theirs holds would be there twice. */
interface Held {
  keeper?: ChildProcess;
  found?: Found;
  line?: string;
}
const place = globalThis as { kindredMongodb?: Held };
place.kindredMongodb ??= {};
export const held: Held = place.kindredMongodb;

/** Starts a mongod that ends with this process at the latest. What it prints, as the progress of a download, goes to stderr. */
export async function startKeeper(): Promise<Found> {
  const keeper = fork(join(import.meta.dirname, 'keeper.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 2, 2, 'ipc'],
  });
  held.keeper = keeper;
  const gone = once(keeper, 'exit').then((): Found => ({ reason: 'what starts a mongod for the tests ended without a word' }));
  return Promise.race([once(keeper, 'message').then(([message]) => message as Found), gone]);
}

/** Ends the mongod and waits until it has gone. */
export async function stopKeeper(): Promise<void> {
  const { keeper } = held;
  delete held.keeper;
  if (keeper === undefined || keeper.exitCode !== null || keeper.signalCode !== null) return;
  const gone = once(keeper, 'exit');
  if (keeper.connected) keeper.disconnect();
  await gone;
}
