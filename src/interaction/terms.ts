import { Problem } from '../fhir/problem.ts';
import { parseReference } from '../fhir/reference.ts';
import { baseSources } from '../fhir/terminology/base.ts';
import { type CodeSystem, citedBy, partsOf, type Sources, type ValueSet } from '../fhir/terminology/sources.ts';
import type { ResourceType } from '../fhir/types.ts';
import { and, type Predicate, queryOf, type SearchQuery } from '../search/query.ts';
import type { Registry } from '../search/registry.ts';
import { citedIn, termsIn, withTerms } from '../search/terms.ts';
import type { ResourceReader, Version } from '../store/store.ts';

type Definition = ValueSet | CodeSystem;
type Kind = Definition['resourceType'];
interface Context {
  readonly registry: Registry;
  /** The public FHIR base URL. */
  base(): string;
}
/** What one search may make the server read for it. */
const most = { definitions: 100, bytes: 20_000_000, versions: 20 } as const;

/** The types that a plan brings along (`alsoBrings`) so that `resolveTerms` may look at them: none where the query asks of no terminology. */
export const termTypes = (query: SearchQuery): readonly ResourceType[] => (termsIn(query).length === 0 ? [] : ['ValueSet', 'CodeSystem']);

/**
 * The query with the codes of each `:in`, `:not-in`, `:above` and `:below` in it. Stored value sets and code systems count as far as `reader` shows them,
 * so that it must be the caller's. Throws a Problem where the codes cannot be told.
 */
export async function resolveTerms(query: SearchQuery, reader: ResourceReader, context: Context): Promise<SearchQuery> {
  const asked = termsIn(query);
  if (asked.length === 0) return query;
  const cited = asked.map(each => citedIn(each, context.registry)).filter(each => each !== undefined);
  const wanted = cited.map(each => ('valueSet' in each ? wantedAs('ValueSet', each.valueSet) : wantedAs('CodeSystem', each.codeSystem)));
  return withTerms(query, context.registry, await gather(wanted, reader, context));
}

interface Wanted {
  readonly kind: Kind;
  readonly canonical: string;
}
const wantedAs = (kind: Kind, canonical: string): Wanted => ({ kind, canonical });

/** All that the codes may depend on. R4's own come first: what R4 defines no stored resource can define anew. */
async function gather(first: readonly Wanted[], reader: ResourceReader, context: Context): Promise<Sources> {
  const found = new Map<string, Definition | undefined>();
  const left = [...first];
  const base = baseSources();
  let stored = 0;
  let bytes = 0;
  for (const { kind, canonical } of left) {
    const name = `${kind} ${canonical}`;
    if (found.has(name)) continue;
    let definition: Definition | undefined = kind === 'ValueSet' ? base.valueSet(canonical) : base.codeSystem(canonical);
    if (definition === undefined || ('content' in definition && definition.content !== 'complete')) {
      stored += 1;
      const versions = await load(kind, canonical, reader, context);
      bytes += versions.reduce((sum, version) => sum + version.body.length, 0);
      if (stored > most.definitions) throw tooMany(`${most.definitions} value sets and code systems`);
      if (bytes > most.bytes) throw tooMany(`${most.bytes} bytes of value sets and code systems`);
      definition = newest(versions, canonical) ?? definition;
    }
    found.set(name, definition);
    if (definition?.resourceType !== 'ValueSet') continue;
    const { valueSets, codeSystems } = citedBy(definition);
    left.push(...valueSets.map(each => wantedAs('ValueSet', each)), ...codeSystems.map(each => wantedAs('CodeSystem', each)));
  }
  return {
    valueSet: canonical => found.get(`ValueSet ${canonical}`) as ValueSet | undefined,
    codeSystem: canonical => found.get(`CodeSystem ${canonical}`) as CodeSystem | undefined,
  };
}
const tooMany = (what: string): Problem => new Problem('too-costly', `what the search asks of a terminology needs more than ${what}`);

/** Those that are stored, as far as the caller may read them: a value set by its id or its address here, any by its url. */
async function load(kind: Kind, canonical: string, reader: ResourceReader, { registry, base }: Context): Promise<readonly Version[]> {
  const named = kind === 'ValueSet' ? parseReference(canonical, base()) : undefined;
  if (named?.kind === 'local') {
    const version = named.type === kind ? await reader.read({ type: kind, id: named.id }, named.version) : undefined;
    return version?.deleted === false ? [version] : [];
  }
  const { url, version } = partsOf(canonical);
  const urlIs: Predicate = { op: 'some', param: registry.param(kind, 'url')!, test: { anyOf: [{ kind: 'uri', how: 'is', uri: url }] } };
  const versionIs: Predicate[] =
    version === undefined ? [] : [{ op: 'some', param: registry.param(kind, 'version')!, test: { anyOf: [{ kind: 'token', code: version }] } }];
  const page = await reader.search(queryOf(kind, and(urlIs, ...versionIs), most.versions));
  if (page.next !== undefined) throw tooMany(`${most.versions} versions of \`${canonical}\``);
  return page.versions;
}

/** The newest of them; an active one before any other. Not of several contributors: nobody's newer version changes what a search of others means. */
function newest(versions: readonly Version[], canonical: string): Definition | undefined {
  const [first, second] = versions.map(ranked).sort(order);
  if (first !== undefined && second !== undefined && order(first, second) === 0)
    throw new Problem('value', `\`${canonical}\` is defined more than once in the same version: name a version, or a value set by its id`);
  if (new Set(versions.map(({ facets: { origin } }) => JSON.stringify(origin))).size > 1)
    throw new Problem('value', `\`${canonical}\` is defined by more than one contributor: name a version, or a value set by its id`);
  return first?.definition;
}
interface Ranked {
  readonly definition: Definition;
  readonly active: boolean;
  readonly number: string;
}
function ranked(stored: Version): Ranked {
  const definition = stored.parsed() as unknown as Definition & { readonly status?: string };
  return { definition, active: definition.status === 'active', number: definition.version ?? '' };
}
/** As versions are counted: 1.10 is newer than 1.9. */
const order = (one: Ranked, other: Ranked): number =>
  Number(other.active) - Number(one.active) || other.number.localeCompare(one.number, 'en', { numeric: true });
