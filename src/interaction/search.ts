import { type ParsedSearch, parseSearch } from '../search/parse.ts';
import type { Place } from '../search/place.ts';
import { isLenient } from './address.ts';
import type { Mark } from './cursor.ts';
import type { FhirRequest, Given, ReadInteraction, ReadPlan } from './interaction.ts';
import { type Answering, answerSearch } from './search-answer.ts';
import { termTypes } from './terms.ts';

interface SearchPlan extends ReadPlan {
  readonly parsed: ParsedSearch;
  readonly text: string;
  readonly mark?: Mark;
}
const DEFAULT_COUNT = 50;
const MAX_COUNT = 1000;

/**
 * http://hl7.org/fhir/R4/http.html#search – GET, and POST to `_search` (whose parameters http has merged): of a type, of a compartment, of the whole server.
 * `code` is one of FHIR's for these.
 */
export const search = (code: 'search-type' | 'search-system', answering: Answering): ReadInteraction<SearchPlan> => ({
  code,
  effect: 'read',
  plan: (request, given) => planSearch(request, given, answering),
  answer: ({ parsed, text, mark }, reader, { bound }) => answerSearch({ parsed, text, bound, ...(mark === undefined ? {} : { mark }) }, reader, answering),
});

function planSearch({ path, query, headers }: FhirRequest, { now, bound }: Given, { registry, base, seal }: Answering): SearchPlan {
  const place = placeOf(path);
  const parsed = parseSearch(place, query, {
    registry,
    base: base(),
    now: Date.parse(now),
    lenient: isLenient(headers.prefer),
    defaultCount: DEFAULT_COUNT,
    maxCount: MAX_COUNT,
  });
  const text = textOf(place, parsed);
  const mark = parsed.cursor === undefined ? undefined : seal.open(parsed.cursor, `${bound} ${text}`);
  return {
    action: 'search',
    types: parsed.types,
    whichever: parsed.whichever,
    alsoNeeds: parsed.reads.needs,
    alsoBrings: [...new Set([...parsed.reads.brings, ...termTypes(parsed.query)])],
    text,
    parsed: mark === undefined ? parsed : { ...parsed, query: { ...parsed.query, from: mark.at } },
    ...(mark === undefined ? {} : { mark }),
  };
}

/** What of the address says which types: `_search` does not, nor does the `*` of a compartment. */
function placeOf(path: readonly string[]): Place {
  const [first, id, last] = path.filter(part => part !== '_search');
  if (first === undefined) return {};
  if (id === undefined) return { type: first };
  return { within: { type: first, id }, ...(last === undefined || last === '*' ? {} : { type: last }) };
}

/** The search as it was understood, without the page: what the log keeps, and what a cursor is good for. */
function textOf({ type, within }: Place, { understood }: ParsedSearch): string {
  const path = within === undefined ? (type ?? '') : `${within.type}/${within.id}/${type ?? '*'}`;
  const parameters = new URLSearchParams(understood.map(([name, value]) => [name, value] as [string, string])).toString();
  return parameters === '' ? path : `${path}?${parameters}`;
}
