import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';
import { reasonOf } from './server.ts';

const patience = { reach: 20_000, download: 15 * 60_000 };

/** A mongod that mongodb-memory-server has downloaded, now or before. */
export async function downloadMongod(): Promise<string> {
  const options = await DryMongoBinary.generateOptions({});
  const there = await DryMongoBinary.locateBinary(options);
  if (there !== undefined) return there;
  await reach(source());
  console.error(`Downloading MongoDB ${options.version} for the tests, once (KINDRED_TEST_MONGODB=off does without)`);
  // The library checks no certificate unless npm says so.
  process.env.npm_config_strict_ssl ??= 'true';
  const tidy = remember(options.downloadDir);
  try {
    return await within(patience.download, MongoBinary.getPath(), 'it took too long');
  } catch (error) {
    tidy();
    throw new Error(`mongodb-memory-server cannot download a mongod: ${reasonOf(error)}`);
  }
}

/** Where the library would connect to. */
function source(): URL {
  const { env } = process;
  const proxy = env['npm_config_https-proxy'] || env.npm_config_proxy || env.https_proxy || env.http_proxy || env.HTTPS_PROXY || env.HTTP_PROXY;
  return new URL(proxy || env.MONGOMS_DOWNLOAD_URL || env.MONGOMS_DOWNLOAD_MIRROR || 'https://fastdl.mongodb.org');
}

/** The library tries for long where there is no network: one connection tells sooner. */
async function reach({ hostname, port, protocol }: URL): Promise<void> {
  const socket = connect(Number(port) || (protocol === 'http:' ? 80 : 443), hostname);
  const connected = new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  try {
    await within(patience.reach, connected, 'no answer');
  } catch (error) {
    const { code } = error as { code?: string };
    throw new Error(`no download of one, ${hostname} cannot be reached (${code ?? reasonOf(error)})`);
  } finally {
    socket.on('error', () => {}).destroy();
  }
}

async function within<T>(ms: number, work: Promise<T>, otherwise: string): Promise<T> {
  const cancel = new AbortController();
  const late = pause(ms, undefined, { signal: cancel.signal }).then(() => {
    throw new Error(otherwise);
  });
  late.catch(() => {});
  return Promise.race([work, late]).finally(() => cancel.abort());
}

/** Removes, when called, what has come into a folder since, and the folder where it was not there. */
function remember(folder: string): () => void {
  const made = mkdirSync(folder, { recursive: true });
  const before = new Set(readdirSync(folder));
  return () => {
    const added = readdirSync(folder).filter(name => !before.has(name));
    for (const path of made === undefined ? added.map(name => join(folder, name)) : [made]) rmSync(path, { recursive: true, force: true });
  };
}
