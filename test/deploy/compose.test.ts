import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { root, startServer } from '../cli/process.ts';

// What can be said of the Dockerfile and the compose file without an engine.
jest.setTimeout(60_000);
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

/** Runs the image's health check as the engine does: the words as they are, without a shell. */
const healthCheck = (port: string): Promise<number | null> => {
  const words = /^HEALTHCHECK .*\\\n +CMD (\[.*\])$/m.exec(read('Dockerfile'))?.[1];
  const [command = '', ...args] = JSON.parse(words ?? '[]') as string[];
  const child = spawn(command, args, { env: { PATH: `${root}/node_modules/.bin:${process.env.PATH}`, PORT: port }, stdio: 'ignore' });
  return new Promise((done, failed) => child.on('close', done).on('error', failed));
};

test('the health check of the image passes on a server that is ready, and fails where there is none', async () => {
  const server = await startServer({ KINDRED_STORE: 'sqlite::memory:' });
  const { port } = new URL(server.url);
  const ready = await healthCheck(port);
  await server.stop();
  expect([ready, await healthCheck(port)]).toEqual([0, 1]);
});

test('the build is sent all that the Dockerfile copies, and nothing else', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) => sources!.split(' '));
  const sent = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map(([, name]) => name);
  expect(read('.dockerignore')).toMatch(/^\*$/m);
  expect(copied.length).toBeGreaterThan(0);
  expect(sent.sort()).toEqual(copied.sort());
});

// Needs the docker client with its compose plugin, not an engine.
const compose = (...args: readonly string[]) => spawnSync('docker', ['compose', '-f', 'docker-compose.yml', ...args], { cwd: root, encoding: 'utf8' });
if (compose('version').status === 0)
  test('docker compose takes the file; MongoDB has no port, and Kindred has one on this machine only', () => {
    const { status, stderr, stdout } = compose('config', '--format', 'json');
    expect(status === 0 ? '' : stderr).toBe('');
    const { services, networks } = JSON.parse(stdout);
    expect(services.mongodb.ports ?? []).toEqual([]);
    expect(Object.keys(services.mongodb.networks)).toEqual(['store']);
    expect(networks.store.internal).toBe(true);
    expect(services.kindred.ports).toMatchObject([{ host_ip: '127.0.0.1', target: 8080 }]);
    expect(services.kindred).toMatchObject({ read_only: true, cap_drop: ['ALL'], depends_on: { mongodb: { condition: 'service_healthy' } } });
  });
else test.skip('docker compose takes the file (skipped: there is no docker client with compose here)', () => {});
