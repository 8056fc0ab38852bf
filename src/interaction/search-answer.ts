import { Problem } from '../fhir/problem.ts';
import { nameOf } from '../fhir/types.ts';
import type { ParsedSearch } from '../search/parse.ts';
import type { Registry } from '../search/registry.ts';
import type { Subset } from '../search/subset.ts';
import type { Page, ResourceReader, Version } from '../store/store.ts';
import { breathe } from './breathe.ts';
import { type Mark, markAfter, markBefore, type Seal } from './cursor.ts';
import type { Answer, BundleLink, Entry } from './interaction.ts';
import { bringAlong } from './search-includes.ts';
import { subsetOf } from './summary.ts';
import { resolveTerms } from './terms.ts';

/** What answering needs to know besides what is asked. */
export interface Answering {
  readonly registry: Registry;
  base(): string;
  readonly seal: Seal;
}
/** A search on its way. */
export interface Asked {
  readonly parsed: ParsedSearch;
  /** The address under the base, as the search was understood, without the page. */
  readonly text: string;
  /** The page; absent: the first. */
  readonly mark?: Mark;
  /** Whom a cursor is for. */
  readonly bound: string;
}

/** http://hl7.org/fhir/R4/bundle.html#searchset */
export async function answerSearch(asked: Asked, given: ResourceReader, answering: Answering): Promise<Answer> {
  const { parsed, mark } = asked;
  const reader = hurried(given, SECONDS);
  const { registry, base } = answering;
  const outcome = parsed.ignored.length === 0 ? [] : [ignoredEntry(parsed.ignored)];
  const query = await resolveTerms(parsed.query, reader, { registry, base });
  if (parsed.summary === 'count') {
    const bundle = { type: 'searchset', total: await reader.count(query), link: [{ relation: 'self', url: urlOf(asked, base()) }] };
    return { status: 200, body: { bundle, entries: outcome }, shows: [] };
  }
  const page = await reader.search(query);
  const complete = page.next === undefined && mark === undefined;
  const total = parsed.total === 'accurate' ? await reader.count(query) : complete ? page.versions.length : undefined;
  const included = await bringAlong(parsed.includes, page.versions, reader, registry);
  const entries: Entry[] = [];
  for (const version of page.versions) entries.push(await entryOf(version, base(), 'match', parsed.subset));
  for (const version of included) entries.push(await entryOf(version, base(), 'include', parsed.subset));
  return {
    status: 200,
    body: {
      bundle: { type: 'searchset', ...(total === undefined ? {} : { total }), link: linksOf(asked, page, answering) },
      entries: [...entries, ...outcome],
    },
    shows: [...page.versions, ...included],
  };
}

/** What one search may take, with its total and all that it includes; each question to the store has a limit of its own besides (KINDRED_QUERY_TIME). */
const SECONDS = 10;
/** The reader, which answers nothing more once the time is over. */
function hurried(reader: ResourceReader, seconds: number): ResourceReader {
  const end = performance.now() + seconds * 1000;
  const inTime =
    <A extends readonly unknown[], T>(ask: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (performance.now() > end) throw new Problem('too-costly', `this search takes longer than ${seconds} seconds: ask for less, or for fewer includes`);
      return ask(...args);
    };
  const { read, search, count, history, linked } = reader;
  return { read: inTime(read), search: inTime(search), count: inTime(count), history: inTime(history), linked: inTime(linked) };
}

/** http://hl7.org/fhir/R4/http.html#paging */
function linksOf(asked: Asked, { next }: Page, { base, seal }: Answering): readonly BundleLink[] {
  const { parsed, text, mark, bound } = asked;
  const linkTo = (relation: string, to: Mark | null | undefined): readonly BundleLink[] =>
    to === undefined ? [] : [{ relation, url: urlOf(asked, base(), to === null ? undefined : seal.close(to, `${bound} ${text}`)) }];
  return [
    { relation: 'self', url: urlOf(asked, base(), parsed.cursor) },
    ...linkTo('first', null),
    ...linkTo('next', next && markAfter(mark, next)),
    ...linkTo('previous', mark && markBefore(mark)),
  ];
}
function urlOf({ text }: Asked, base: string, cursor?: string): string {
  const page = cursor === undefined ? '' : `${text.includes('?') ? '&' : '?'}_cursor=${encodeURIComponent(cursor)}`;
  return `${base}${text.startsWith('?') ? '' : '/'}${text}${page}`;
}

/** The bytes that are stored, unless a part of the resource is asked for. */
async function entryOf(version: Version, base: string, mode: 'match' | 'include', subset: Subset | undefined): Promise<Entry> {
  const entry = { fullUrl: `${base}/${nameOf(version.key)}`, search: { mode } };
  if (subset === undefined) return { ...entry, body: version.body };
  await breathe();
  return { ...entry, body: subsetOf(version.parsed(), subset) ?? version.body };
}

function ignoredEntry(ignored: readonly string[]): Entry {
  const diagnostics = `ignored, since they are not known here: ${ignored.map(name => `\`${name}\``).join(', ')}`;
  return { body: { resourceType: 'OperationOutcome', issue: [{ severity: 'warning', code: 'not-supported', diagnostics }] }, search: { mode: 'outcome' } };
}
