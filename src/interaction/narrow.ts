import type { ResourceType } from '../fhir/types.ts';
import type { LoadedGrant } from '../search/grant.ts';
import type { Indexed, RecordId } from '../search/indexed.ts';
import { matches } from '../search/match.ts';
import { and, type Branch, none, type Predicate } from '../search/query.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import { viewOf } from './view.ts';

/** What the rules left: for each type, what is still demanded; undefined where the type was not permitted at all. */
export interface Permitted {
  only(type: ResourceType): Predicate | undefined;
  grants(records: readonly RecordId[]): Promise<readonly LoadedGrant[]>;
  /** A superseded version with the labels that it has today. */
  today(version: Version): Promise<Version>;
}

/** A live version as rules and predicates see it. */
export const indexedOf = (version: Version): Indexed => ({
  // Most rules look at the facets only, so the body is parsed when it is asked for.
  get resource() {
    return version.parsed();
  },
  get facets() {
    return version.facets;
  },
  updated: Date.parse(version.lastUpdated),
});

/** What is demanded of each type, inside a branch and at every end of its chains: no condition may be tried on what is hidden. */
export const narrowBranch = (branch: Branch, demanded: (type: ResourceType) => Predicate): Branch => ({
  ...branch,
  where: and(branch.where, demanded(branch.type)),
  links: branch.links.map(link => ({ ...link, ends: link.ends.map(end => narrowBranch(end, demanded)) })),
});

/**
 * The same reader, showing only what is permitted. Interactions hold this one and no other, so none can forget: the predicate of the type is inside every
 * query, of every chain end too, and every version is judged by itself.
 */
export function narrow(reader: ResourceReader, permitted: Permitted): ResourceReader {
  const demanded = (type: ResourceType): Predicate => permitted.only(type) ?? none;
  const narrowed = (branch: Branch): Branch => narrowBranch(branch, demanded);
  const shown = async (version: Version): Promise<boolean> =>
    matches(demanded(version.key.type), indexedOf(version), await permitted.grants(version.facets.records));

  /** The version itself, or the last live one before a deletion: by that it is judged. */
  const judgedBy = async (version: Version): Promise<Version | undefined> => {
    if (!version.deleted) return version;
    const before = await reader.read(version.key, String(Number(version.versionId) - 1));
    return before === undefined ? undefined : permitted.today(before);
  };
  /** A version of this resource as it is shown: one that is not the current one with today's labels. */
  const view = async (version: Version, current: Version): Promise<Version> =>
    viewOf(version.deleted || version.versionId === current.versionId ? version : await permitted.today(version));

  /** A version shows iff it may be read under today's rules and the latest live one may too. */
  const visible = async (version: Version, current: Version): Promise<boolean> => {
    const judged = await judgedBy(version);
    if (judged === undefined || !(await shown(judged))) return false;
    if (current.versionId === version.versionId) return true;
    const latest = await judgedBy(current);
    return latest !== undefined && (await shown(latest));
  };

  return {
    async read(key, versionId) {
      const current = await reader.read(key);
      const stored = versionId === undefined ? current : await reader.read(key, versionId);
      if (current === undefined || stored === undefined) return undefined;
      const version = await view(stored, current);
      return (await visible(version, current)) ? version : undefined;
    },
    async search(query) {
      const page = await reader.search({ ...query, branches: query.branches.map(narrowed) });
      return { ...page, versions: page.versions.map(viewOf) };
    },
    count: query => reader.count({ ...query, branches: query.branches.map(narrowed) }),
    async history(query) {
      const current = await reader.read(query.of);
      if (current === undefined) return [];
      const found: Version[] = [];
      let before = query.before;
      // Hidden versions must not shorten a page, so it is filled from the versions below.
      while (found.length < query.limit) {
        const versions = await reader.history({ of: query.of, limit: query.limit, ...(before === undefined ? {} : { before }) });
        for (const stored of versions) {
          const version = await view(stored, current);
          if (found.length < query.limit && (await visible(version, current))) found.push(version);
        }
        if (versions.length < query.limit) break;
        before = Number(versions.at(-1)!.versionId);
      }
      return found;
    },
    linked: (of, param, how) => reader.linked(of, param, how),
  };
}
