import { Problem } from '../fhir/problem.ts';
import { expanderOf, listed } from '../fhir/terminology/expand.ts';
import { above, below, completeSystem } from '../fhir/terminology/hierarchy.ts';
import type { Members } from '../fhir/terminology/members.ts';
import type { Sources } from '../fhir/terminology/sources.ts';
import type { ResourceType } from '../fhir/types.ts';
import { boundSystem } from './bound.ts';
import { type Atom, and, type Branch, none, not, or, type Predicate, type SearchParam, type SearchQuery, type TermSet } from './query.ts';
import type { Registry } from './registry.ts';

/** What a query asks of a terminology: of which parameter, and of which type. */
export interface Asked {
  readonly type: ResourceType;
  readonly param: SearchParam;
  readonly terms: TermSet;
}
/** Values that all of them may come to, as many as a client may write itself (limits.ts). */
const most = 2000;

/** What a query asks of a terminology, at any depth; empty for most. */
export function termsIn({ branches }: SearchQuery): readonly Asked[] {
  const found: Asked[] = [];
  for (const branch of branches)
    replaced(branch, asked => {
      found.push(asked);
      return none;
    });
  return found;
}

/** The value set or the code system that one of them begins with; undefined where it names none. */
export function citedIn(asked: Asked, registry: Registry): { readonly valueSet: string } | { readonly codeSystem: string } | undefined {
  if (asked.terms.how === 'in') return { valueSet: asked.terms.valueSet };
  const system = systemOf(asked, registry);
  return system === undefined ? undefined : { codeSystem: system };
}

/** The query with the codes in place of what it asks of a terminology. Throws a Problem where they cannot be told, or are too many. */
export function withTerms(query: SearchQuery, registry: Registry, sources: Sources): SearchQuery {
  let left = most;
  const terminology: Terminology = { sources, expand: expanderOf(sources) };
  const codesFor = (asked: Asked): Predicate => {
    const anyOf = atomsOf(asked, registry, terminology);
    left -= anyOf.length;
    if (left < 0) throw new Problem('too-costly', `${told(asked)} has the search compare with more than ${most} codes, which is the limit`);
    return anyOf.length === 0 ? none : { op: 'some', param: asked.param, test: { anyOf } };
  };
  return { ...query, branches: query.branches.map(branch => replaced(branch, codesFor)) };
}

type Replace = (asked: Asked) => Predicate;
const replaced = ({ type, where, links }: Branch, replace: Replace): Branch => ({
  type,
  where: replacedIn(where, type, replace),
  links: links.map(link => ({ ...link, ends: link.ends.map(end => replaced(end, replace)) })),
});
function replacedIn(where: Predicate, type: ResourceType, replace: Replace): Predicate {
  switch (where.op) {
    case 'and':
    case 'or':
      return (where.op === 'and' ? and : or)(...where.terms.map(term => replacedIn(term, type, replace)));
    case 'not':
      return not(replacedIn(where.term, type, replace));
    case 'some':
      return where.test.terms === undefined ? where : replace({ type, param: where.param, terms: where.test.terms });
    default:
      return where;
  }
}

/** As a message names it. */
const told = ({ param: { code }, terms }: Asked): string =>
  terms.how === 'in' ? `\`${code}\` in the value set \`${terms.valueSet}\`` : `\`${code}:${terms.how}=${terms.system ?? ''}|${terms.code}\``;

/** What the element says of its system where its values never name one: `undefined` where that is not known either. */
const impliedSystem = ({ type, param }: Asked, registry: Registry): string | undefined => boundSystem(registry.definitionOf(param)?.expression ?? '', type);

function systemOf(asked: Asked, registry: Registry): string | undefined {
  if (asked.terms.how === 'in') return undefined;
  if (asked.terms.system !== undefined) return asked.terms.system === '' ? undefined : asked.terms.system;
  return registry.impliesSystem(asked.type, asked.param) ? impliedSystem(asked, registry) : undefined;
}

interface Terminology {
  readonly sources: Sources;
  expand(canonical: string): Members;
}
function atomsOf(asked: Asked, registry: Registry, terminology: Terminology): readonly Atom[] {
  const members = membersOf(asked, registry, terminology);
  if (!registry.impliesSystem(asked.type, asked.param))
    return [...members].flatMap(([system, codes]): readonly Atom[] =>
      codes === 'all' ? [{ kind: 'token', system }] : [...codes].map(code => ({ kind: 'token', system, code })),
    );
  // Only the code is stored. Codes of other systems than the element's are not what it means; where its system is not known, none is held against it.
  const implied = impliedSystem(asked, registry);
  const fitting = new Map([...members].filter(([system]) => implied === undefined || system === implied));
  const codes = new Set([...listed(fitting, terminology.sources).values()].flatMap(each => [...each]));
  return [...codes].map(code => ({ kind: 'token', code }));
}

function membersOf(asked: Asked, registry: Registry, { sources, expand }: Terminology): Members {
  const { terms } = asked;
  if (terms.how === 'in') return expand(terms.valueSet);
  const system = systemOf(asked, registry);
  if (system === undefined)
    throw new Problem('value', `${told(asked)}: what is above or below a code is known by its system only, so \`system|code\` is needed`);
  return new Map([[system, (terms.how === 'above' ? above : below)(completeSystem(system, sources), terms.code)]]);
}
