import { resourceTypes, type SearchParameterDef, searchParameters } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import { boundSystem } from './bound.ts';
import { unsupportedControls } from './control-names.ts';
import { facetParams } from './facets.ts';
import { impliesSystem } from './kinds/token.ts';
import { type Definition, isIndexed, makeParams, modifiedParam, targetsIn, typesOf } from './params.ts';
import type { SearchParam } from './query.ts';
import { type Modifier, modifiers } from './special.ts';

/** Every search parameter there is. Built once; what it hands out is one object for one definition, so parameters can be compared and be keys of maps. */
export interface Registry {
  /** What is indexed of a type: the client's parameters, what modifiers ask of them, and all facets. */
  paramsOf(type: ResourceType): readonly SearchParam[];
  /** A parameter that a client may name, by its code. `_id` and `_lastUpdated` are predicates and not among them. */
  param(type: ResourceType, code: string): SearchParam | undefined;
  /** What the modifier asks of the parameter; undefined where its values of this type have nothing for it. */
  modified(type: ResourceType, param: SearchParam, modifier: Modifier): SearchParam | undefined;
  /** All that a client may name, `_id` and `_lastUpdated` included, sorted. */
  codesOf(type: ResourceType): readonly string[];
  /** Those whose references can be included. */
  includesOf(type: ResourceType): readonly SearchParam[];
  /**
   * What the parameter may refer to from this type, which may be less than its `targets`: from an Observation `encounter` is an Encounter, though
   * from a DocumentReference it may be an EpisodeOfCare. Empty: anything.
   */
  targetsOf(type: ResourceType, param: SearchParam): readonly ResourceType[];
  /** As R4 or a package defines it; undefined for a facet. */
  definitionOf(param: SearchParam): Definition | undefined;
  /** R4 has it, we do not index it. */
  unsupported(type: ResourceType, code: string): boolean;
  /** Whether the values of a token parameter never have a system, since it is implied by the element. */
  impliesSystem(type: ResourceType, param: SearchParam): boolean;
  /** The system that is implied, where it is known. */
  impliedSystem(type: ResourceType, param: SearchParam): string | undefined;
}

/** The log is large and append-only: it is found by what its readers ask, and by nothing else. */
const indexedOnly: Readonly<Record<ResourceType, readonly string[]>> = { AuditEvent: ['patient', 'date', 'agent', 'action', 'entity', 'outcome'] };
const predicates = ['_id', '_lastUpdated'];

/**
 * The registry of R4's parameters, those of packages, and the facets.
 * @param base our public URL: a reference in a resource that begins with it is ours. Not needed where references are stored relative.
 * @param more what packages define besides R4; checked before (custom.ts).
 */
export function buildRegistry(base?: string, more: readonly SearchParameterDef[] = []): Registry {
  const byType = new Map<ResourceType, Map<string, SearchParam>>();
  const known = new Map<ResourceType, Set<string>>();
  for (const type of resourceTypes) {
    byType.set(type, new Map());
    known.set(type, new Set(unsupportedControls));
  }
  const params = makeParams([...searchParameters, ...more], base);
  for (const definition of [...searchParameters, ...more]) {
    if (predicates.includes(definition.code)) continue;
    const param = isIndexed(definition) ? params.get(definition.url) : undefined;
    for (const type of carriersOf(definition)) {
      const only = indexedOnly[type];
      if (param !== undefined && (only === undefined || only.includes(definition.code))) byType.get(type)?.set(definition.code, param);
      else known.get(type)?.add(definition.code);
    }
  }
  const definitions = new Map([...searchParameters, ...more].flatMap(each => (params.has(each.url) ? [[params.get(each.url)!, each] as const] : [])));
  const expressionOf = (param: SearchParam): string => definitions.get(param)?.expression ?? '';
  const lists = remembered((type: string) => {
    const own = [...(byType.get(type)?.values() ?? [])];
    const asked = type in indexedOnly ? [] : own.flatMap(param => names.flatMap(modifier => registry.modified(type, param, modifier) ?? []));
    return byType.has(type) ? [...own, ...asked, ...facetParams] : [];
  });
  const modified = remembered((_: string, param: SearchParam, modifier: Modifier) => modifiedParam(param, expressionOf(param), modifier));
  const narrowed = remembered((_: string, param: SearchParam, type: ResourceType) => targetsIn(expressionOf(param), type) ?? param.targets);
  const types = remembered((_: string, param: SearchParam, type: ResourceType) => typesOf(expressionOf(param), type));
  const implied = remembered((_: string, param: SearchParam, type: ResourceType) =>
    typesIn(type, param).every(each => each === 'boolean') ? specialValues : boundSystem(expressionOf(param), type),
  );
  const typesIn = (type: ResourceType, param: SearchParam): readonly string[] => types(`${type}?${param.code}`, param, type);

  const registry: Registry = {
    paramsOf: lists,
    param: (type, code) => byType.get(type)?.get(code),
    modified(type, param, modifier) {
      const { of } = modifiers[modifier];
      if (!modifiable(param, modifier) || !typesIn(type, param).some(each => of.includes(each))) return undefined;
      return modified(`${definitions.get(param)?.url}:${modifier}`, param, modifier);
    },
    codesOf: type => [...predicates, ...(byType.get(type)?.keys() ?? [])].sort(),
    includesOf: type => [...(byType.get(type)?.values() ?? [])].filter(param => param.kind === 'reference'),
    targetsOf: (type, param) => narrowed(`${type}?${param.code}`, param, type),
    definitionOf: param => definitions.get(param),
    unsupported: (type, code) => known.get(type)?.has(code) ?? false,
    impliesSystem: (type, param) => impliesSystem(typesIn(type, param)),
    impliedSystem: (type, param) => implied(`${type}?${param.code}`, param, type),
  };
  return registry;
}

/** What R4 names as the system of true and false (http://hl7.org/fhir/R4/search.html#token). */
const specialValues = 'http://terminology.hl7.org/CodeSystem/special-values';
const names = Object.keys(modifiers) as readonly Modifier[];
const modifiable = ({ kind }: SearchParam, modifier: Modifier): boolean => kind === (modifier === 'identifier' ? 'reference' : 'token');

const carriersOf = ({ base }: SearchParameterDef): Iterable<ResourceType> =>
  base.includes('Resource') || base.includes('DomainResource') ? resourceTypes : base;

/** What was found once for a name is not looked for again. */
function remembered<T, More extends readonly unknown[]>(find: (name: string, ...more: More) => T): (name: string, ...more: More) => T {
  const found = new Map<string, T>();
  return (name, ...more) => {
    if (!found.has(name)) found.set(name, find(name, ...more));
    return found.get(name)!;
  };
}
