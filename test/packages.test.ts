import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readParameters, tarFiles } from '../src/packages.ts';
import { eyes, makePackage } from './http/packages.ts';
import { scratch } from './http/world.ts';

const folder = scratch();
afterAll(() => folder.remove());

test('a package is read as it is published and as it is unpacked, without its examples; profiles after it', () => {
  const profiles = join(folder.path, 'profiles');
  mkdirSync(profiles);
  writeFileSync(join(profiles, 'SearchParameter-hair.json'), JSON.stringify({ ...eyes, code: 'hair' }));
  writeFileSync(join(profiles, 'CodeSystem-x.json'), '{"resourceType":"CodeSystem"}');
  const unpacked = makePackage(folder.path, 'unpacked', [eyes]);
  const packed = makePackage(folder.path, 'packed', [eyes], true);
  const { found, mistakes } = readParameters([unpacked, packed, join(unpacked, 'package')], profiles);
  expect(mistakes).toEqual([]);
  expect(found.map(({ file, resource }) => [file, resource.code])).toEqual([
    ['unpacked/SearchParameter-0.json', 'eyes'],
    ['packed.tgz/SearchParameter-0.json', 'eyes'],
    ['package/SearchParameter-0.json', 'eyes'],
    ['profiles/SearchParameter-hair.json', 'hair'],
  ]);
});

test('our own profiles can be read', () => {
  expect(readParameters([]).mistakes).toEqual([]);
});

test.each(['ustar', 'pax', 'gnu'])('names of any length are read from an archive (%s)', format => {
  const deep = join(folder.path, format, 'package', 'a'.repeat(90));
  mkdirSync(deep, { recursive: true });
  const names = ['x.json', `${'b'.repeat(format === 'ustar' ? 90 : 150)}.json`];
  for (const name of names) writeFileSync(join(deep, name), name);
  const file = join(folder.path, `${format}.tar`);
  execFileSync('tar', [`--format=${format}`, '-cf', file, '-C', join(folder.path, format), 'package']);
  const files = tarFiles(readFileSync(file));
  expect(files.map(({ name, bytes }) => [name.split('/').at(-1), bytes.toString()]).sort()).toEqual(names.map(name => [name, name]).sort());
  expect(files.every(({ name }) => name.startsWith(`package/${'a'.repeat(90)}/`))).toBe(true);
});
test.each<[string, Buffer]>([
  ['it is no tar archive', Buffer.alloc(1024, 'x')],
  ['it breaks off', Buffer.alloc(0)],
])('%s: what is no whole archive is told', (sentence, bytes) => {
  expect(() => tarFiles(bytes)).toThrow(sentence);
});
