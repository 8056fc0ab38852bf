import { Problem } from '../fhir/problem.ts';
import { nameOf, type ResourceKey } from '../fhir/types.ts';
import type { Version } from '../store/store.ts';
import type { Entry, ReadInteraction, ReadPlan } from './interaction.ts';
import { notFound, versionHeaders } from './read.ts';

interface HistoryPlan extends ReadPlan {
  readonly key: ResourceKey;
  readonly limit: number;
  readonly before?: number;
}
const LIMIT = 100;
const MOST = 1000;

/** http://hl7.org/fhir/R4/http.html#history – of one resource. `base` is the public FHIR base. */
export const history = (base: () => string): ReadInteraction<HistoryPlan> => ({
  code: 'history-instance',
  effect: 'read',
  plan({ path: [type = '', id = ''], query }) {
    const numbers: Record<string, number> = {};
    for (const [name, value] of query) {
      if (name === '_format' || name === '_pretty') continue;
      if (name !== '_count' && name !== '_before') throw new Problem('invalid', `the history of a resource knows no parameter \`${name}\`; it knows _count`);
      if (!/^[1-9]\d{0,8}$/.test(value)) throw new Problem('value', `\`${name}\` must be a number above zero, not \`${value}\``);
      numbers[name] = Number(value);
    }
    const { _count: count = LIMIT, _before: before } = numbers;
    return {
      action: 'read',
      types: [type],
      key: { type, id },
      alsoNeeds: [],
      alsoBrings: [],
      limit: Math.min(count, MOST),
      ...(before === undefined ? {} : { before }),
    };
  },
  async answer({ key, limit, before }, reader) {
    const versions = await reader.history({ of: key, limit: limit + 1, ...(before === undefined ? {} : { before }) });
    if (versions.length === 0 && before === undefined) throw notFound(key);
    const page = versions.slice(0, limit);
    const self = `${base()}/${nameOf(key)}/_history?_count=${limit}`;
    const last = page.at(-1);
    const next = versions.length > limit && last !== undefined ? [{ relation: 'next', url: `${self}&_before=${last.versionId}` }] : [];
    return {
      status: 200,
      body: {
        bundle: { type: 'history', link: [{ relation: 'self', url: before === undefined ? self : `${self}&_before=${before}` }, ...next] },
        entries: page.map((version, index) => entryOf(version, versions[index + 1], base())),
      },
      shows: page,
    };
  },
});

/** `previous`: the version before it, where that shows too. */
function entryOf(version: Version, previous: Version | undefined, base: string): Entry {
  const first = version.versionId === '1';
  const method = version.deleted ? 'DELETE' : first ? 'POST' : 'PUT';
  return {
    fullUrl: `${base}/${nameOf(version.key)}`,
    ...(version.deleted ? {} : { body: version.body }),
    request: { method, url: method === 'POST' ? version.key.type : nameOf(version.key) },
    response: {
      status: version.deleted ? '204' : first || previous?.deleted ? '201' : '200',
      etag: versionHeaders(version).ETag!,
      lastModified: version.lastUpdated,
    },
  };
}
