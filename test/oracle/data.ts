import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** A resource as JSON says it. The oracle knows no more of FHIR than what it walks through. */
export interface Json {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}
/** All resources that the server was given. */
export interface Data {
  readonly all: readonly Json[];
  /** By `Type/id`. */
  readonly named: ReadonlyMap<string, Json>;
  readonly types: ReadonlyMap<string, readonly Json[]>;
  /** In which turn it was given. */
  readonly turns: ReadonlyMap<Json, number>;
  readonly lastTurn: number;
}

export const archive = join(process.env.KINDRED_DATA ?? resolve(import.meta.dirname, '../../../shared/data'), 'synthea-r4-120.tar.xz');
export const dataIsHere = existsSync(archive);

interface Entry {
  readonly fullUrl: string;
  readonly resource: Json;
}

/** The Bundles, the two of hospitals and practitioners first and as many patients as are asked for, each as the resources in it. */
export function readBundles(patients: number): readonly (readonly Json[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-oracle-'));
  try {
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    const root = join(folder, readdirSync(folder)[0]!);
    const names = readdirSync(root).sort();
    const common = names.filter(name => name.startsWith('0-'));
    const files = [...common, ...names.filter(name => !name.startsWith('0-')).slice(0, patients)];
    const texts = files.map(name => readFileSync(join(root, name), 'utf8'));
    return resolved(texts.map(text => (JSON.parse(text) as { entry: Entry[] }).entry));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `urn:uuid:x` and `Practitioner?identifier=system|value` as `Type/id`: what a server makes of them when it takes a transaction. */
function resolved(bundles: readonly (readonly Entry[])[]): readonly (readonly Json[])[] {
  const names = new Map<string, string>();
  for (const { fullUrl, resource } of bundles.flat()) {
    const name = `${resource.resourceType}/${resource.id}`;
    names.set(fullUrl, name);
    for (const { system, value } of (resource.identifier as { system?: string; value?: string }[] | undefined) ?? [])
      names.set(`${resource.resourceType}?identifier=${system}|${value}`, name);
  }
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, key === 'reference' && typeof member === 'string' ? nameFor(member) : walk(member)]),
    );
  };
  const nameFor = (reference: string): string => {
    const name = names.get(reference);
    if (name === undefined && !reference.startsWith('#')) throw new Error(`\`${reference}\` is in none of the files`);
    return name ?? reference;
  };
  return bundles.map(entries => entries.map(({ resource }) => walk(resource) as Json));
}

/** What was given to the server, turn by turn. */
export function dataOf(given: readonly (readonly Json[])[]): Data {
  const all = given.flat();
  const types = new Map<string, Json[]>();
  for (const resource of all) {
    const alike = types.get(resource.resourceType);
    if (alike === undefined) types.set(resource.resourceType, [resource]);
    else alike.push(resource);
  }
  return {
    all,
    named: new Map(all.map(resource => [nameOf(resource), resource])),
    types,
    turns: new Map(given.flatMap((resources, turn) => resources.map(resource => [resource, turn]))),
    lastTurn: given.length - 1,
  };
}
export const nameOf = ({ resourceType, id }: Json): string => `${resourceType}/${id}`;
