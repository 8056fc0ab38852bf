import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type CodeSystem, type Sources, sourcesOf, type ValueSet } from './sources.ts';

let read: Sources | undefined;

/** R4's own value sets and code systems. Read when first asked for, since most servers never ask. */
export function baseSources(): Sources {
  const file = new URL('../definitions/r4-terminology.json.gz', import.meta.url);
  read ??= sourcesOf(JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as readonly (ValueSet | CodeSystem)[]);
  return read;
}
