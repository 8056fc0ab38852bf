import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** The root of the project. */
export const root = resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}
type Environment = Readonly<Record<string, string>>;

const launch = (args: readonly string[], environment: Environment): ChildProcess =>
  spawn('node', ['--disable-warning=ExperimentalWarning', 'src/main.ts', ...args], {
    cwd: root,
    // What the shell has set for a server of its own does not count here.
    env: { PATH: `${root}/node_modules/.bin:${process.env.PATH}`, HOME: process.env.HOME ?? '/', KINDRED_LOG: 'warn', ...environment },
  });

/** Runs a command of the real program to its end. */
export async function kindred(args: readonly string[], environment: Environment = {}, stdin = ''): Promise<Ended> {
  const child = launch(args, environment);
  child.stdin!.on('error', () => {}).end(stdin);
  const ended = new Promise<number | null>(done => child.on('close', code => done(code)));
  const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
  return { code: await ended, out, err };
}

export interface Server {
  readonly url: string;
  /** The first line on stdout. */
  readonly first: string;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ readonly code: number | null; readonly ms: number; readonly err: string }>;
}

/** Starts the real server and waits for its first line. */
export async function startServer(environment: Environment, args: readonly string[] = ['serve']): Promise<Server> {
  const child = launch(args, { PORT: '0', ...environment });
  const err = text(child.stderr!);
  const ended = new Promise<number | null>(done => child.on('close', code => done(code)));
  const lines = createInterface({ input: child.stdout! });
  const first = await Promise.race([
    new Promise<string>(got => lines.once('line', got)),
    ended.then(async code => {
      throw new Error(`it ended with ${code}: ${await err}`);
    }),
  ]);
  return {
    first,
    url: (JSON.parse(first) as { url: string }).url,
    async stop(signal = 'SIGTERM') {
      const begun = performance.now();
      child.kill(signal);
      const code = await ended;
      return { code, ms: performance.now() - begun, err: await err };
    },
  };
}
