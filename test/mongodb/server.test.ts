import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { lookAt } from './look.ts';
import { onPath, startMongod } from './mongod.ts';
import { type Found, findServer, firstFound, kindOf, lastWords } from './server.ts';
import { summarize } from './summary.ts';
import { hostsOf, withDatabase, withoutCredentials } from './url.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-finder-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('which server', () => {
  const started: Found = { url: 'mongodb://127.0.0.1:9/', what: 'started' };
  const ways = {
    look: async (url: string): Promise<Found> => (url.includes('up') ? { url, what: 'asked for' } : { reason: 'it does not serve' }),
    start: async () => started,
  };
  test('the one that was asked for, or none; else one that is started', async () => {
    expect(await findServer('mongodb://up/', ways)).toEqual({ url: 'mongodb://up/', what: 'asked for' });
    expect(await findServer('mongodb://down/', ways)).toEqual({ reason: 'it does not serve' });
    expect(await findServer(undefined, ways)).toBe(started);
    expect(await findServer('', ways)).toBe(started);
    expect(await findServer('off', ways)).toEqual({ reason: 'switched off by KINDRED_TEST_MONGODB=off' });
  });
  test('the first way that leads to one; without any, the reasons of all, each on one line', async () => {
    const no = async (): Promise<Found> => ({ reason: 'not here' });
    const broken = async (): Promise<Found> => Promise.reject(new Error('broken\nin a way that takes long to tell'));
    const never = async (): Promise<Found> => Promise.reject(new Error('asked though there was one'));
    expect(await firstFound([no, broken, ways.start, never])).toBe(started);
    expect(await firstFound([no, broken])).toEqual({ reason: 'not here; broken' });
  });
  test('one without transactions does not do', () => {
    expect(kindOf({ setName: 'kindred', maxWireVersion: 25 }, '8.0.1')).toBe('mongod 8.0.1, replica set');
    expect(kindOf({ msg: 'isdbgrid', maxWireVersion: 21 }, '7.0.0')).toBe('a server that presents itself as mongos, wire version 21');
    expect(() => kindOf({ maxWireVersion: 25 }, '8.0.1')).toThrow('standalone');
  });
});

describe('a mongod on the PATH', () => {
  const program = (name: string, script: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  test('is the first that can be run', () => {
    const file = program('mongod', 'exit 1');
    writeFileSync(join(folder, 'plain'), '');
    expect(onPath('mongod', ['/nowhere', '', folder].join(delimiter))).toBe(file);
    expect(onPath('plain', folder)).toBeUndefined();
    expect(onPath('mongod', '')).toBeUndefined();
  });
  test('that ends at once tells why', async () => {
    const mongod = await startMongod(program('broken', 'echo "no such library" >&2; exit 3'), folder);
    await expect(mongod.ready()).rejects.toThrow('broken ended: exit code 3, no such library');
    await mongod.stop();
    const nothing = await startMongod(join(folder, 'nothing'), folder);
    await expect(nothing.ready()).rejects.toThrow('ENOENT');
    await nothing.stop();
  });
  test('says in its log what was wrong', () => {
    const line = (s: string, msg: string, attr?: object): string => JSON.stringify({ s, c: 'CONTROL', msg, attr });
    expect(lastWords([line('I', 'starts'), line('E', 'cannot listen', { error: 'in use' }), line('I', 'ends')].join('\n'))).toBe('cannot listen: in use');
    expect(lastWords([line('I', 'starts'), line('I', 'ends')].join('\n'))).toBe('ends');
    expect(lastWords(`${line('I', 'starts')}\nAborted\n`)).toBe('Aborted');
    expect(lastWords('\n')).toBe('it said nothing');
  });
});

describe('URLs', () => {
  test.each([
    ['mongodb://h', 'mongodb://h/d'],
    ['mongodb://h:1,[::1]:2/?replicaSet=r', 'mongodb://h:1,[::1]:2/d?replicaSet=r'],
    ['mongodb://u:p@h/own', 'mongodb://u:p@h/d?authSource=own'],
    ['mongodb://u:p@h/?w=1', 'mongodb://u:p@h/d?w=1&authSource=admin'],
    ['mongodb+srv://u:p@h/own?authSource=users', 'mongodb+srv://u:p@h/d?authSource=users'],
  ])('%s with another database', (url, expected) => {
    expect(withDatabase(url, 'd')).toBe(expected);
  });
  test('their credentials are never shown, however the URL is mistaken', async () => {
    expect(hostsOf('mongodb://bob:secret@h:1,i/x?authSource=y')).toBe('h:1,i');
    expect(withoutCredentials('cannot reach mongodb://bob:se/cret@h:1/x?password=secret now')).toBe('cannot reach mongodb://h:1/x now');
    for (const url of [
      'mongodb://bob:sec@ret@h/',
      'mongodb://bob:sec/ret@h/',
      'mongodb://bob:1?ret@h/',
      'http://bob:secret@h/',
      'mongodb://bob:secret@h/?nonsense=1',
    ]) {
      const found = await lookAt(url);
      expect(found).toMatchObject({ reason: expect.stringContaining('KINDRED_TEST_MONGODB (') });
      expect(JSON.stringify(found)).not.toMatch(/bob|sec|ret/);
    }
  });
});

test('the last line of a run tells what was tested', () => {
  const of = (name: string, ...statuses: string[]) => ({ displayName: { name }, testResults: statuses.map(status => ({ status })) });
  const results = { testResults: [of('MongoDB', 'passed', 'failed', 'pending'), of('SQLite', 'passed')] };
  expect(summarize({ url: 'mongodb://u:p@h/', what: 'mongod 8.0.1, replica set' }, results)).toBe('MongoDB: 2 tests against mongod 8.0.1, replica set');
  expect(summarize({ reason: 'why' }, { testResults: [of('MongoDB', 'pending')] })).toBe('MongoDB: 1 test skipped: why');
  expect(summarize({ reason: 'why' }, { testResults: [of('MongoDB')] })).toBe('MongoDB: not tested: why');
});
