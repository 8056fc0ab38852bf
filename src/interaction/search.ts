import { Problem } from '../fhir/problem.ts';
import { nameOf, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import { type ParsedSearch, parseSearch } from '../search/parse.ts';
import type { Registry } from '../search/registry.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import type { Seal } from './cursor.ts';
import type { Answer, BundleLink, Entry, Given, ReadInteraction, ReadPlan } from './interaction.ts';

interface SearchPlan extends ReadPlan {
  readonly parsed: ParsedSearch;
}
/** What searching needs to know besides the request. */
export interface SearchContext {
  readonly registry: Registry;
  base(): string;
  readonly seal: Seal;
}
const DEFAULT_COUNT = 50;
const MAX_COUNT = 1000;
/** Included resources of one page at most; more is refused, never cut. */
const MAX_INCLUDES = 10_000;

/** http://hl7.org/fhir/R4/http.html#search – GET, and POST to `_search` (whose parameters http has merged). */
export const search = (context: SearchContext): ReadInteraction<SearchPlan> => ({
  code: 'search-type',
  effect: 'read',
  plan({ path: [type = ''], query, headers }, { now, bound }) {
    const lenient = /handling=lenient/.test(headers.prefer ?? '');
    const parsed = parseSearch(type, query, {
      registry: context.registry,
      base: context.base(),
      now: Date.parse(now),
      lenient,
      defaultCount: DEFAULT_COUNT,
      maxCount: MAX_COUNT,
    });
    const text = asked(type, parsed);
    const from = parsed.cursor === undefined ? {} : { from: context.seal.open(parsed.cursor, `${bound} ${text}`) };
    return {
      action: 'search',
      type,
      alsoNeeds: parsed.reads.needs,
      alsoBrings: parsed.reads.brings,
      text,
      parsed: { ...parsed, query: { ...parsed.query, ...from } },
    };
  },
  answer: (plan, reader, given) => answerSearch(plan, reader, given, context),
});

/** The search as it was understood, without the page: what the log keeps, and what a cursor is good for. */
function asked(type: ResourceType, parsed: ParsedSearch): string {
  const parameters = parsed.understood.filter(([name]) => name !== '_cursor').map(([name, value]) => [name, value] as [string, string]);
  return parameters.length === 0 ? type : `${type}?${new URLSearchParams(parameters).toString()}`;
}

async function answerSearch({ type, parsed }: SearchPlan, reader: ResourceReader, { bound }: Given, { base, seal }: SearchContext): Promise<Answer> {
  const text = asked(type, parsed);
  const self = (cursor?: string): string =>
    `${base()}/${text}${cursor === undefined ? '' : `${text.includes('?') ? '&' : '?'}_cursor=${encodeURIComponent(cursor)}`}`;
  const outcome = parsed.ignored.length === 0 ? [] : [ignoredEntry(parsed.ignored)];
  const onlyCount = parsed.summary === 'count' || parsed.query.limit === 0;
  if (onlyCount) {
    const total = await reader.count(parsed.query);
    return { status: 200, body: { bundle: { type: 'searchset', total, link: [{ relation: 'self', url: self() }] }, entries: outcome }, shows: [] };
  }
  const page = await reader.search(parsed.query);
  const complete = page.next === undefined && parsed.query.from === undefined;
  const total = parsed.total === 'accurate' ? await reader.count(parsed.query) : complete ? page.versions.length : undefined;
  const included = await include(parsed, page.versions, reader);
  const links: BundleLink[] = [{ relation: 'self', url: self(parsed.cursor) }];
  if (page.next !== undefined) links.push({ relation: 'next', url: self(seal.close(page.next, `${bound} ${text}`)) });
  const entries = [
    ...page.versions.map(version => entryOf(version, base(), 'match')),
    ...included.map(version => entryOf(version, base(), 'include')),
    ...outcome,
  ];
  return {
    status: 200,
    body: { bundle: { type: 'searchset', ...(total === undefined ? {} : { total }), link: links }, entries },
    shows: [...page.versions, ...included],
  };
}

/** What the page refers to through the parameters asked for: each type by its own permit, nothing twice. */
async function include(parsed: ParsedSearch, page: readonly Version[], reader: ResourceReader): Promise<readonly Version[]> {
  const wanted = new Map<string, ResourceKey>();
  for (const { param, from, target } of parsed.includes) {
    const of = page.filter(version => version.key.type === from).map(version => version.key);
    for (const key of await reader.linked(of, param, 'refers-to')) if (target === undefined || key.type === target) wanted.set(nameOf(key), key);
  }
  for (const version of page) wanted.delete(nameOf(version.key));
  if (wanted.size > MAX_INCLUDES)
    throw new Problem('too-costly', `the page would include ${wanted.size} resources; at most ${MAX_INCLUDES} are allowed: ask for a smaller \`_count\``);
  const byType = new Map<ResourceType, ResourceKey[]>();
  for (const key of wanted.values()) byType.set(key.type, [...(byType.get(key.type) ?? []), key]);
  const found: Version[] = [];
  for (const [type, keys] of byType) {
    const versions = await reader.search({ branches: [{ type, where: { op: 'keys', keys }, links: [] }], sort: [], limit: keys.length });
    found.push(...versions.versions);
  }
  return found;
}

const entryOf = (version: Version, base: string, mode: 'match' | 'include'): Entry => ({
  fullUrl: `${base}/${nameOf(version.key)}`,
  body: version.body,
  search: { mode },
});

function ignoredEntry(ignored: readonly string[]): Entry {
  const diagnostics = `ignored, since they are not known here: ${ignored.map(name => `\`${name}\``).join(', ')}`;
  return { body: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported', diagnostics }] }, search: { mode: 'outcome' } };
}
