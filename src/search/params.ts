import { resourceTypes, type SearchParameterDef } from '../fhir/definitions/definitions.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import { compile } from './expression.ts';
import { indexDate } from './kinds/date.ts';
import { indexPosition } from './kinds/position.ts';
import { indexQuantity } from './kinds/quantity.ts';
import { indexReference } from './kinds/reference.ts';
import { indexString } from './kinds/string.ts';
import { indexToken, tokensOf } from './kinds/token.ts';
import { indexUri } from './kinds/uri.ts';
import { contentWords, narrativeWords, soundsOf } from './kinds/words.ts';
import type { IndexValue, Kind, SearchParam } from './query.ts';
import { shownSecurity } from './security.ts';
import { type Component, compileComposite, type Modifier, modifiers } from './special.ts';

export type Definition = SearchParameterDef;
type Index = (type: string, value: unknown) => readonly IndexValue[];
type Extract = (resource: Resource) => readonly IndexValue[];

const kinds: Readonly<Record<SearchParameterDef['type'], Kind>> = {
  token: 'token',
  string: 'string',
  date: 'date',
  reference: 'reference',
  uri: 'uri',
  number: 'quantity',
  quantity: 'quantity',
  composite: 'composite',
  special: 'position',
};
/** Those that look at the resource as a whole, and have no expression. */
const whole: ReadonlyMap<string, Extract> = new Map([
  ['_text', narrativeWords],
  ['_content', contentWords],
]);

export const isIndexed = ({ code, type, expression }: SearchParameterDef): boolean =>
  whole.has(code) || (expression !== '' && (type !== 'special' || code === 'near'));

/** The parameters of these definitions by their urls. Each is compiled for a type when it is first asked of one. */
export function makeParams(definitions: readonly SearchParameterDef[], base: string | undefined): ReadonlyMap<string, SearchParam> {
  const params = new Map<string, SearchParam>();
  // Composites come last, since they are made of the others.
  for (const definition of definitions.filter(isIndexed).toSorted((one, other) => Number(one.type === 'composite') - Number(other.type === 'composite'))) {
    const param = paramOf(definition, params, base);
    if (param !== undefined) params.set(definition.url, param);
  }
  return params;
}

/** Undefined for a composite of what is not there. */
function paramOf(definition: SearchParameterDef, made: ReadonlyMap<string, SearchParam>, base: string | undefined): SearchParam | undefined {
  const { code, expression, type, components } = definition;
  const kind: Kind = whole.has(code) || code === 'phonetic' ? 'words' : kinds[type];
  const parts = components.map(({ definition: url }) => made.get(url)).filter(part => part !== undefined);
  if (parts.length < components.length) return undefined;
  const compiled = (of: ResourceType): Extract => {
    const wholly = whole.get(code);
    if (wholly !== undefined) return wholly;
    if (code === 'phonetic') return sounds(compile(expression, of, leafOf(indexString)));
    if (kind !== 'composite') return compile(expression, of, leafOf(indexOf(kind, base)));
    return compileComposite(
      expression,
      components.map((component, at): Component => ({ expression: component.expression, index: indexOf(parts[at]!.kind, base) })),
      of,
    );
  };
  const everywhere = definition.base.includes('Resource') || definition.base.includes('DomainResource');
  return {
    code,
    kind,
    base: everywhere ? [] : definition.base,
    targets: targetsOf(definition),
    ...(kind === 'composite' ? { components: parts } : {}),
    extract: code === '_security' ? securityTokens : compiledOnce(everywhere ? resourceTypes : new Set(definition.base), compiled),
  };
}
/** How the texts sound that an expression yields. */
const sounds =
  (texts: Extract): Extract =>
  resource =>
    soundsOf(texts(resource).flatMap(value => (value.kind === 'string' ? [value.exact] : [])));
/** The labels that are shown, not those that were sent. */
const securityTokens: SearchParam['extract'] = ({ resource, facets }) => tokensOf(shownSecurity(resource.meta?.security ?? [], facets));

/** What a modifier asks of a parameter: it is indexed beside it, under a code of its own. */
export function modifiedParam({ code, base, targets }: SearchParam, expression: string, modifier: Modifier): SearchParam {
  const { kind, of, index } = modifiers[modifier];
  const compiled = (type: ResourceType): Extract => compile(expression, type, at => (of.includes(at) ? leafOf(index)(at) : undefined));
  return { code: `${code}:${modifier}`, kind, base, targets, extract: compiledOnce(base.length === 0 ? resourceTypes : new Set(base), compiled) };
}

function compiledOnce(carriers: ReadonlySet<ResourceType>, compiled: (type: ResourceType) => Extract): SearchParam['extract'] {
  const extracts = new Map<ResourceType, Extract>();
  return ({ resource }) => {
    const type = resource.resourceType;
    let extract = extracts.get(type);
    if (extract === undefined) {
      extract = carriers.has(type) ? compiled(type) : () => [];
      extracts.set(type, extract);
    }
    return extract(resource);
  };
}

/** R4 lists every type there is where it means any. */
const targetsOf = ({ targets }: SearchParameterDef): readonly ResourceType[] => (targets.length > 100 ? [] : targets);

/** How the values of a kind are indexed. */
function indexOf(kind: Kind, base: string | undefined): Index {
  switch (kind) {
    case 'token':
      return indexToken;
    case 'string':
      return indexString;
    case 'date':
      return indexDate;
    case 'uri':
      return indexUri;
    case 'reference':
      return (type, value) => indexReference(type, value, base);
    case 'quantity':
      return indexQuantity;
    case 'position':
      return (_, value) => indexPosition(value);
    case 'composite':
    case 'words':
      // Of the whole resource, never of one value.
      return () => [];
  }
}
const leafOf =
  (index: Index) =>
  (type: string) =>
  (value: unknown, into: IndexValue[]): void => {
    for (const found of index(type, value)) into.push(found);
  };

/** The FHIR types that an expression can yield for a resource type. */
export function typesOf(expression: string, type: ResourceType): readonly string[] {
  const found = new Set<string>();
  if (expression !== '')
    compile(expression, type, leaf => {
      found.add(leaf);
      return undefined;
    });
  return [...found];
}

/** What the elements of one type that an expression yields may refer to; undefined: anything. */
export function targetsIn(expression: string, type: ResourceType): readonly ResourceType[] | undefined {
  const found = new Set<ResourceType>();
  let known = expression !== '';
  if (expression !== '')
    compile(expression, type, (_, targets) => {
      known &&= targets !== undefined;
      for (const target of targets ?? []) found.add(target);
      return undefined;
    });
  return known && found.size > 0 ? [...found] : undefined;
}
