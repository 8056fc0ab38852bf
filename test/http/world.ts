import { mkdtempSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import type { Running } from '../../src/cli/command.ts';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import { mistakesIn, type Seed } from '../../src/cli/seed-format.ts';
import { plant } from '../../src/cli/seeding.ts';
import { type Config, readConfig } from '../../src/config.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { serve } from '../../src/serve.ts';
import { scratchStore } from '../engine.ts';

/** A running server with a family in it, and what tests ask of it over HTTP. */
export interface World extends Running {
  /** A client's requests, with its token. */
  as(token: string): Client;
  token(client: string, scope: string, account?: string, record?: string): Promise<string>;
  end(): Promise<void>;
}
export interface Client {
  get(path: string, headers?: Record<string, string>): request.Test;
  post(path: string, body: object | string, headers?: Record<string, string>): request.Test;
  put(path: string, body: object | string, headers?: Record<string, string>): request.Test;
  delete(path: string, headers?: Record<string, string>): request.Test;
  head(path: string, headers?: Record<string, string>): request.Test;
  patch(path: string, body: object | string, headers?: Record<string, string>): request.Test;
}

export const configWith = (environment: Record<string, string>): Config => {
  const read = readConfig({ PORT: '0', KINDRED_STORE: scratchStore(), KINDRED_LOG: 'error', ...environment });
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  return read.config;
};

/** `server`: one of this process, or the address of another's. */
export function clientOf({ server }: { readonly server: Server | string }, token: string | undefined): Client {
  const send = (test: request.Test, headers: Record<string, string> = {}): request.Test => {
    const authorized = token === undefined ? test : test.set('Authorization', `Bearer ${token}`);
    return authorized
      .set(headers)
      .buffer(true)
      .parse((response, done) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          done(null, text === '' ? undefined : JSON.parse(text));
        });
      });
  };
  const url = (path: string): string => (path.startsWith('http') ? new URL(path).pathname + new URL(path).search : `/fhir/${path}`);
  const to = request(server);
  return {
    get: (path, headers) => send(to.get(url(path)), headers),
    post: (path, body, headers) => send(to.post(url(path)), { 'Content-Type': 'application/fhir+json', ...headers }).send(body as object),
    put: (path, body, headers) => send(to.put(url(path)), { 'Content-Type': 'application/fhir+json', ...headers }).send(body as object),
    delete: (path, headers) => send(to.delete(url(path)), headers),
    head: (path, headers) => send(to.head(url(path)), headers),
    patch: (path, body, headers) => send(to.patch(url(path)), { 'Content-Type': 'application/json-patch+json', ...headers }).send(body as object),
  };
}

/** Opens a server of its own with a seed in it (the demo's family unless told). */
export async function openWorld(environment: Record<string, string> = {}, seed: Seed = family as Seed): Promise<World> {
  const mistakes = mistakesIn(seed);
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'));
  const running = await serve(configWith(environment));
  if (running.app.config.auth) await plant(seed, running.app);
  return {
    ...running,
    as: token => clientOf(running, token),
    async token(client, scope, account, record) {
      const response = await running.app.issue({ client, scope, ...(account === undefined ? {} : { account }), ...(record === undefined ? {} : { record }) });
      return response.access_token;
    },
    end: () => running.stop(),
  };
}

/** A scratch folder that is gone afterwards. */
export function scratch(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'kindred-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
/** The resources of a Bundle. */
export const resourcesOf = (bundle: { entry?: { resource: Resource }[] }): readonly Resource[] => (bundle.entry ?? []).map(entry => entry.resource);

/** A request as it is written, over a socket of its own; the answer, once the server hangs up or has sent its whole body. */
export async function sendRaw(running: Running, text: string | readonly (string | Buffer)[]): Promise<{ status: number; headers: Headers; body: string }> {
  const { port } = running.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  const answer = (): { head: string; body: string } | undefined => {
    const all = Buffer.concat(chunks).toString('utf8');
    const end = all.indexOf('\r\n\r\n');
    return end < 0 ? undefined : { head: all.slice(0, end), body: all.slice(end + 4) };
  };
  const whole = new Promise<void>((resolve, reject) => {
    socket.on('data', chunk => {
      chunks.push(chunk);
      const got = answer();
      const length = /^content-length: (\d+)$/im.exec(got?.head ?? '')?.[1];
      if (got !== undefined && length !== undefined && Buffer.byteLength(got.body) >= Number(length)) resolve();
    });
    socket.on('close', resolve);
    socket.on('error', error => (answer() === undefined ? reject(error) : resolve()));
  });
  for (const part of typeof text === 'string' ? [text] : text) if (!socket.destroyed) socket.write(part);
  await whole;
  socket.destroy();
  const { head, body } = answer() ?? { head: '', body: '' };
  const [first = '', ...lines] = head.split('\r\n');
  return {
    status: Number(first.split(' ')[1]),
    headers: new Headers(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as [string, string])),
    body,
  };
}
