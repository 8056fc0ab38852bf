import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own. */
export interface Child {
  readonly url: string;
  /** CPU time that the process has used so far, user and system, in microseconds. */
  cpu(): Promise<number>;
  /** SIGTERM, and SIGKILL for what has not ended after ten seconds. */
  end(): Promise<void>;
}
const meter = new URL('./cpu-meter.ts', import.meta.url).href;
export const kindred = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
export const floor = fileURLToPath(new URL('./floor.ts', import.meta.url));
export const quiet = '--disable-warning=ExperimentalWarning';

/** Starts a server that prints `{"ready":true,"url":…}` as its first line. Its CPU time is asked over IPC (cpu-meter.ts): /proc knows it by the 10 ms only. */
export async function start(file: string, environment: Readonly<Record<string, string>>, nodeOptions: readonly string[] = []): Promise<Child> {
  const child = fork(file, [], {
    execArgv: [quiet, '--import', meter, ...nodeOptions],
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line') as Promise<[string]>,
    exited.then(([code]) => Promise.reject(new Error(`${file} ended with ${code} before it was ready`))),
  ]);
  return {
    url: (JSON.parse(line) as { url: string }).url,
    async cpu() {
      child.send('cpu');
      const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
      return user + system;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const killing = setTimeout(() => child.kill('SIGKILL'), 10_000);
      child.kill('SIGTERM');
      await exited;
      clearTimeout(killing);
    },
  };
}
