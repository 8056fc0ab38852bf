import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/cli/command.ts';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import { plant } from '../../src/cli/seeding.ts';
import { type Server, startServer } from '../cli/process.ts';
import { type Client, clientOf, configWith } from './world.ts';

/** Two server processes on one store under one public URL, as behind a load balancer, and a third that tests take beside them. */
export interface Pair {
  readonly app: App;
  /** The same client at each of them. */
  as(token: string): readonly [Client, Client];
  token(client: string, scope: string, account?: string, record?: string): Promise<string>;
  end(): Promise<void>;
}
const url = 'http://kindred.test';

interface Started {
  readonly server: Server;
  /** Where it is. */
  readonly at: string;
}
/** Starts servers at the same moment, each on a port of its own: all of them, or none goes on. */
export async function startTogether(store: string, count: number): Promise<readonly Started[]> {
  const ports = await freePorts(count);
  const starting = ports.map(async PORT => ({
    server: await startServer({ PORT, KINDRED_STORE: store, KINDRED_URL: url, KINDRED_LOG: 'error' }),
    at: `http://127.0.0.1:${PORT}`,
  }));
  try {
    return await Promise.all(starting);
  } catch (error) {
    for (const one of await Promise.allSettled(starting)) if (one.status === 'fulfilled') await one.value.server.stop('SIGKILL');
    throw error;
  }
}
/** Asked for all at once, so that they are different. What they say is their public URL, so it must be known before where they are. */
async function freePorts(count: number): Promise<readonly string[]> {
  const held = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(held.map(one => once(one, 'listening')));
  const ports = held.map(one => String((one.address() as AddressInfo).port));
  await Promise.all(held.map(one => once(one.close(), 'close')));
  return ports;
}

export async function openPair(store: string): Promise<Pair> {
  const started = await startTogether(store, 2);
  const [one, other] = started;
  const stop = () => Promise.all(started.map(({ server }) => server.stop('SIGKILL')));
  try {
    const app = await openApp(configWith({ KINDRED_STORE: store, KINDRED_URL: url }));
    await plant(family as Seed, app);
    return {
      app,
      as: token => [clientOf({ server: one!.at }, token), clientOf({ server: other!.at }, token)],
      async token(client, scope, account, record) {
        const asked = { client, scope, ...(account === undefined ? {} : { account }), ...(record === undefined ? {} : { record }) };
        return (await app.issue(asked)).access_token;
      },
      async end() {
        await stop();
        await app.close();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
