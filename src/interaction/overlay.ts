import type { Caller } from '../access/caller.ts';
import { joined, needsOf, reaches, sameMaker, settled, stamp, tempered } from '../access/facets.ts';
import { type KeyName, nameOf, type Resource, type ResourceKey } from '../fhir/types.ts';
import type { Facets, Indexed, Origin } from '../search/indexed.ts';
import type { ResourceStore, Version } from '../store/store.ts';

/** What is stored, with what this request will change laid over it: every look at another resource goes through here. */
export interface StampOverlay {
  /** Loads what is not known yet. */
  load(keys: readonly ResourceKey[]): Promise<void>;
  stored(key: ResourceKey): Version | undefined;
  /** Intended by this request, and not stored yet. */
  isNew(key: ResourceKey): boolean;
  /** Lays an intended version over the stored one. Facets are computed when they are first asked for, so order does not matter. */
  lay(key: ResourceKey, resource: Resource, origin: Origin): void;
  /** It will be deleted: to everything else in the request it is gone. */
  bury(key: ResourceKey): void;
  /** Lays a stored version over itself: the same content, to be stamped anew because of a change by this maker. */
  relay(version: Version, by: Origin): Indexed;
  /** Lets a shared resource join the records of what cites it, where it tells of that at all. Gives it where that is new to it. */
  lend(name: KeyName, citing: Facets): Indexed | undefined;
  /** Facets and resource of an intended version. */
  after(key: ResourceKey): Indexed;
  /** The resource as it will be: intended, else stored and live. */
  current(key: ResourceKey): Indexed | undefined;
  /** Stored versions that the stamping of others looked at. */
  used(): readonly Version[];
  /** What it looked for and did not find. */
  missed(): readonly ResourceKey[];
}
export const keyOfName = (name: KeyName): ResourceKey => {
  const slash = name.indexOf('/');
  return { type: name.slice(0, slash), id: name.slice(slash + 1) };
};

/** Origin of what this caller makes: from the token, never from a body. */
export function originOf(caller: Caller): Origin {
  if (caller.origin !== undefined) return caller.origin;
  if (caller.kind === 'patient' || caller.kind === 'caregiver') return { kind: caller.kind, by: caller.who, record: caller.record ?? caller.who };
  if (caller.organization !== undefined) return { kind: 'organization', by: caller.organization };
  return { kind: 'server', by: caller.client };
}

interface Laid {
  readonly resource: Resource;
  readonly origin: Origin;
  readonly at: number;
  facets?: Facets;
  /** Being stamped. */
  busy?: boolean;
}

/** `at`: epoch ms of the commit. */
export function layOver(store: ResourceStore, at: number): StampOverlay {
  const versions = new Map<KeyName, Version>();
  const asked = new Set<KeyName>();
  const laid = new Map<KeyName, Laid>();
  const used = new Map<KeyName, Version>();
  const missed = new Set<KeyName>();
  const buried = new Set<KeyName>();

  const facetsOf = (name: KeyName): Facets | undefined => {
    const entry = laid.get(name);
    if (entry === undefined) return undefined;
    // A circle of references adds nothing to itself.
    if (entry.busy) return undefined;
    if (entry.facets === undefined) {
      entry.busy = true;
      const previous = versions.get(name)?.facets;
      entry.facets = stamp(entry.resource, { origin: entry.origin, at: entry.at, known, ...(previous === undefined ? {} : { previous }) });
      entry.busy = false;
    }
    return entry.facets;
  };
  const known = (name: KeyName): { exists: boolean; facets?: Facets } | undefined => {
    if (laid.has(name)) {
      const facets = facetsOf(name);
      return { exists: true, ...(facets === undefined ? {} : { facets }) };
    }
    const version = versions.get(name);
    if (version === undefined) {
      missed.add(name);
      return undefined;
    }
    used.set(name, version);
    return { exists: true, facets: version.facets };
  };
  return {
    async load(keys) {
      const missing = keys.filter(key => !asked.has(nameOf(key)));
      for (const key of missing) asked.add(nameOf(key));
      if (missing.length === 0) return;
      for (const version of await store.readMany(missing)) versions.set(nameOf(version.key), version);
    },
    stored: key => versions.get(nameOf(key)),
    isNew: key => laid.has(nameOf(key)) && !versions.has(nameOf(key)),
    lay(key, resource, origin) {
      laid.set(nameOf(key), { resource, origin, at });
    },
    bury: key => void buried.add(nameOf(key)),
    relay(version, by) {
      const name = nameOf(version.key);
      const resource = version.parsed();
      const entry: Laid = { resource, origin: version.facets.origin, at: Date.parse(version.lastUpdated) };
      laid.set(name, entry);
      const anew = facetsOf(name)!;
      const facets = sameMaker(by, version.facets.origin) ? settled(version.facets, anew) : tempered(version.facets, anew);
      laid.set(name, { ...entry, facets });
      return { resource, facets };
    },
    lend(name, citing) {
      const entry = laid.get(name);
      const version = versions.get(name);
      const facets = facetsOf(name) ?? (version?.deleted ? undefined : version?.facets);
      if (facets === undefined || !reaches(citing, facets, keyOfName(name).type)) return undefined;
      const more = joined(facets, citing.records);
      if (more === facets) return undefined;
      const resource = entry?.resource ?? version!.parsed();
      laid.set(name, { resource, origin: more.origin, at, facets: more });
      return { resource, facets: more };
    },
    after(key) {
      const name = nameOf(key);
      return { resource: laid.get(name)!.resource, facets: facetsOf(name)! };
    },
    current(key) {
      const name = nameOf(key);
      const entry = laid.get(name);
      if (entry !== undefined) return { resource: entry.resource, facets: facetsOf(name)! };
      const version = versions.get(name);
      return version === undefined || version.deleted || buried.has(name)
        ? undefined
        : { resource: version.parsed(), facets: version.facets, updated: Date.parse(version.lastUpdated) };
    },
    used: () => [...used.values()],
    missed: () => [...missed].filter(name => !laid.has(name)).map(keyOfName),
  };
}

/** The keys that stamping this resource will look up. */
export const lookups = (resource: Resource): readonly ResourceKey[] => needsOf(resource).map(keyOfName);

const time: Origin = { kind: 'server', by: 'time' };

/**
 * A superseded or deleted version with the labels that it has today: what it cites may have become sensitive since, and nobody stamps old versions anew.
 */
export async function asToday(store: ResourceStore, version: Version): Promise<Version> {
  const overlay = layOver(store, Date.parse(version.lastUpdated));
  await overlay.load(lookups(version.parsed()));
  return { ...version, facets: overlay.relay(version, time).facets };
}
