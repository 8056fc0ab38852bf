import { resourceTypes, type SearchParameterDef, searchParameters } from '../fhir/definitions/definitions.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import { unsupportedControls } from './control-names.ts';
import { compile, type Next } from './expression.ts';
import { facetParams } from './facets.ts';
import { indexDate } from './kinds/date.ts';
import { indexReference } from './kinds/reference.ts';
import { indexString } from './kinds/string.ts';
import { impliesSystem, indexToken } from './kinds/token.ts';
import { indexUri } from './kinds/uri.ts';
import type { IndexValue, Kind, SearchParam } from './query.ts';

/** Every search parameter there is. Built once; what it hands out is one object for one definition, so parameters can be compared and be keys of maps. */
export interface Registry {
  /** What is indexed of a type: the client's parameters and all facets. */
  paramsOf(type: ResourceType): readonly SearchParam[];
  /** A parameter that a client may name, by its code. `_id` and `_lastUpdated` are predicates and not among them. */
  param(type: ResourceType, code: string): SearchParam | undefined;
  /** All that a client may name, `_id` and `_lastUpdated` included, sorted. */
  codesOf(type: ResourceType): readonly string[];
  /** Those whose references can be included. */
  includesOf(type: ResourceType): readonly SearchParam[];
  /**
   * What the parameter may refer to from this type, which may be less than its `targets`: from an Observation `encounter` is an Encounter, though
   * from a DocumentReference it may be an EpisodeOfCare. Empty: anything.
   */
  targetsOf(type: ResourceType, param: SearchParam): readonly ResourceType[];
  /** R4 has it, we do not index it yet. */
  unsupported(type: ResourceType, code: string): boolean;
  /** Whether the values of a token parameter never have a system, since it is implied by the element. */
  impliesSystem(type: ResourceType, param: SearchParam): boolean;
}

const kinds: ReadonlySet<string> = new Set<Kind>(['token', 'string', 'date', 'reference', 'uri']);
/** The log is large and append-only: it is found by what its readers ask, and by nothing else. */
const indexedOnly: Readonly<Record<ResourceType, readonly string[]>> = { AuditEvent: ['patient', 'date', 'agent', 'action'] };
const predicates = ['_id', '_lastUpdated'];

/**
 * The registry of R4's parameters and the facets.
 * @param base our public URL: a reference in a resource that begins with it is ours. Not needed where references are stored relative.
 */
export function buildRegistry(base?: string): Registry {
  const byType = new Map<ResourceType, Map<string, SearchParam>>();
  const known = new Map<ResourceType, Set<string>>();
  for (const type of resourceTypes) {
    byType.set(type, new Map());
    known.set(type, new Set(unsupportedControls));
  }
  for (const definition of searchParameters) {
    const everywhere = definition.base.includes('Resource') || definition.base.includes('DomainResource');
    const param = isIndexed(definition) ? paramOf(definition, everywhere, base) : undefined;
    for (const type of everywhere ? resourceTypes : definition.base) {
      const only = indexedOnly[type];
      if (param !== undefined && (only === undefined || only.includes(definition.code))) byType.get(type)?.set(definition.code, param);
      else if (!predicates.includes(definition.code)) known.get(type)?.add(definition.code);
    }
  }
  const lists = new Map([...byType].map(([type, params]) => [type, [...params.values(), ...facetParams]]));
  const systemless = new Map<string, boolean>();
  const narrowed = new Map<string, readonly ResourceType[]>();
  return {
    paramsOf: type => lists.get(type) ?? [],
    param: (type, code) => byType.get(type)?.get(code),
    codesOf: type => [...predicates, ...(byType.get(type)?.keys() ?? [])].sort(),
    includesOf: type => [...(byType.get(type)?.values() ?? [])].filter(param => param.kind === 'reference'),
    targetsOf(type, param) {
      const name = `${type}?${param.code}`;
      const found = narrowed.get(name) ?? targetsIn(definitionOf.get(param)?.expression ?? '', type) ?? param.targets;
      narrowed.set(name, found);
      return found;
    },
    unsupported: (type, code) => known.get(type)?.has(code) ?? false,
    impliesSystem(type, param) {
      const name = `${type}?${param.code}`;
      const found = systemless.get(name) ?? impliesSystem(typesOf(definitionOf.get(param)?.expression ?? '', type));
      systemless.set(name, found);
      return found;
    },
  };
}

const isIndexed = ({ code, type, expression }: SearchParameterDef): boolean => kinds.has(type) && expression !== '' && !predicates.includes(code);

const definitionOf = new WeakMap<SearchParam, SearchParameterDef>();

function paramOf(definition: SearchParameterDef, everywhere: boolean, base: string | undefined): SearchParam {
  const { code, expression } = definition;
  const kind = definition.type as Kind;
  const compiled = new Map<ResourceType, (resource: Resource) => readonly IndexValue[]>();
  const carriers = new Set(everywhere ? resourceTypes : definition.base);
  const param: SearchParam = {
    code,
    kind,
    base: everywhere ? [] : definition.base,
    targets: targetsOf(definition),
    extract({ resource }) {
      const type = resource.resourceType;
      let extract = compiled.get(type);
      if (extract === undefined) {
        extract = carriers.has(type) ? compile(expression, type, leafOf(kind, base)) : () => [];
        compiled.set(type, extract);
      }
      return extract(resource);
    },
  };
  definitionOf.set(param, definition);
  return param;
}

/** R4 lists every type there is where it means any. */
const targetsOf = ({ targets }: SearchParameterDef): readonly ResourceType[] => (targets.length > 100 ? [] : targets);

/** What the elements of one type that an expression yields may refer to; undefined: anything. */
function targetsIn(expression: string, type: ResourceType): readonly ResourceType[] | undefined {
  const found = new Set<ResourceType>();
  let known = true;
  compile(expression, type, (_, targets) => {
    known &&= targets !== undefined;
    for (const target of targets ?? []) found.add(target);
    return undefined;
  });
  return known && found.size > 0 ? [...found] : undefined;
}

/** How the values of a kind are indexed. */
function leafOf(kind: Kind, base: string | undefined): Next<IndexValue> {
  const index = {
    token: indexToken,
    string: indexString,
    date: indexDate,
    uri: indexUri,
    reference: (type: string, value: unknown) => indexReference(type, value, base),
  }[kind];
  return type => (value, into) => {
    for (const found of index(type, value)) into.push(found);
  };
}

/** The FHIR types that an expression can yield for a resource type. */
function typesOf(expression: string, type: ResourceType): readonly string[] {
  const found = new Set<string>();
  compile(expression, type, leaf => {
    found.add(leaf);
    return undefined;
  });
  return [...found];
}
