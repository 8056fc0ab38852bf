import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { lastWords } from './server.ts';

/** The first program of that name on a PATH. */
export function onPath(name: string, path = process.env.PATH ?? ''): string | undefined {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return path
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, file))
    .find(isProgram);
}
function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Mongod {
  /** The URL, once it is the primary of its replica set. */
  ready(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a mongod that is a replica set of one: transactions need a replica set. */
export async function startMongod(binary: string, folder: string): Promise<Mongod> {
  const port = await freePort();
  const flags = [
    '--replSet',
    'kindred',
    '--bind_ip',
    '127.0.0.1',
    '--port',
    `${port}`,
    '--dbpath',
    folder,
    '--oplogSize',
    '256',
    '--wiredTigerCacheSizeGB',
    '0.5',
  ];
  if (process.platform !== 'win32') flags.push('--nounixsocket');
  const child = spawn(binary, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const hear = (chunk: Buffer): void => {
    output = (output + chunk).slice(-100_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const ended = new Promise<string>(resolve => {
    child.on('error', error => resolve(error.message));
    child.on('close', (code, signal) => resolve(`${code === null ? signal : `exit code ${code}`}, ${lastWords(output)}`));
  });
  return {
    async ready() {
      const failed = ended.then(why => {
        throw new Error(`${binary} ended: ${why}`);
      });
      return Promise.race([failed, initiate(port, ended)]);
    },
    async stop() {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const stubborn = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(stubborn);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function initiate(port: number, ended: Promise<string>): Promise<string> {
  const host = `127.0.0.1:${port}`;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 60_000 });
  // Nothing will answer then.
  ended.then(() => client.close());
  try {
    const admin = client.db('admin');
    await admin.command({ replSetInitiate: { _id: 'kindred', members: [{ _id: 0, host }] } });
    for (const until = Date.now() + 60_000; Date.now() < until; await pause(100)) {
      if ((await admin.command({ hello: 1 })).isWritablePrimary === true) return `mongodb://${host}/?replicaSet=kindred`;
    }
    throw new Error('it did not become primary within a minute');
  } finally {
    await client.close();
  }
}
