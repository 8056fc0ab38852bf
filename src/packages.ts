import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { Found } from './search/custom.ts';

interface File {
  /** Its path inside the package. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** Our own SearchParameters. */
const profiles = fileURLToPath(new URL('../profiles', import.meta.url));
/** What a package may unpack to: the largest published ones are a tenth of it. */
const LARGEST = 2 ** 30;

/**
 * The SearchParameters of FHIR packages as they are published (https://confluence.hl7.org/display/FHIR/NPM+Package+Specification: a .tgz, or the folder that
 * it unpacks to) and of a folder of profiles. Examples, which lie in folders below, are not looked at.
 */
export function readParameters(
  packages: readonly string[],
  folder: string = profiles,
): { readonly found: readonly Found[]; readonly mistakes: readonly string[] } {
  const found: Found[] = [];
  const mistakes: string[] = [];
  for (const [path, files] of [...packages.map(path => [path, packageFiles] as const), [folder, folderFiles] as const]) {
    try {
      for (const { name, bytes } of files(path)) {
        const resource = parameterIn(bytes, `${basename(path)}/${name}`);
        if (resource !== undefined) found.push({ file: `${basename(path)}/${name}`, resource });
      }
    } catch (error) {
      mistakes.push(`the ${path === folder ? 'folder' : 'package'} \`${path}\` cannot be read: ${(error as Error).message}`);
    }
  }
  return { found, mistakes };
}

/** Only what can be one is parsed: profiles and value sets are large. */
function parameterIn(bytes: Buffer, file: string): Found['resource'] | undefined {
  if (!bytes.includes('"SearchParameter"')) return undefined;
  try {
    const resource: unknown = JSON.parse(bytes.toString('utf8'));
    const is = typeof resource === 'object' && resource !== null && 'resourceType' in resource && resource.resourceType === 'SearchParameter';
    return is ? (resource as Found['resource']) : undefined;
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`);
  }
}

function packageFiles(path: string): readonly File[] {
  if (!statSync(path).isDirectory())
    return tarFiles(gunzipSync(readFileSync(path), { maxOutputLength: LARGEST })).flatMap(({ name, bytes }) => {
      const inside = /^package\/([^/]+\.json)$/.exec(name)?.[1];
      return inside === undefined ? [] : [{ name: inside, bytes }];
    });
  const inside = readdirSync(path).includes('package') ? join(path, 'package') : path;
  const files = folderFiles(inside);
  if (!readdirSync(inside).includes('package.json')) throw new Error('there is no package.json in it');
  return files;
}
const folderFiles = (path: string): readonly File[] =>
  readdirSync(path)
    .filter(name => name.endsWith('.json'))
    .sort()
    .map(name => ({ name, bytes: readFileSync(join(path, name)) }));

const BLOCK = 512;
/** The files of a tar archive (https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, ustar and pax; GNU's long names). */
export function tarFiles(archive: Buffer): readonly File[] {
  const files: File[] = [];
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    const text = (from: number, to: number): string => header.toString('utf8', from, to).replace(/\0.*$/s, '');
    // Two empty blocks end it.
    if (header.every(byte => byte === 0)) return files;
    const size = Number.parseInt(text(124, 136).trim(), 8);
    if (text(257, 262) !== 'ustar' || Number.isNaN(size)) throw new Error('it is no tar archive');
    const bytes = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (bytes.length < size) throw new Error('it breaks off');
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
    const kind = text(156, 157);
    if (kind === 'x') longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(bytes.toString('utf8'))?.[1] ?? longName;
    else if (kind === 'L') longName = bytes.toString('utf8').replace(/\0.*$/s, '');
    else if (kind !== 'g') {
      const prefix = text(345, 500);
      const name = longName ?? (prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`);
      longName = undefined;
      if (kind === '0' || kind === '') files.push({ name, bytes });
    }
  }
  throw new Error('it breaks off');
}
