import type { CodeList } from './artefact.ts';

interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
  readonly property?: readonly { readonly code: string; readonly valueCode?: string }[];
}
export interface CodeSystem {
  readonly resourceType: 'CodeSystem';
  readonly url: string;
  readonly content: string;
  readonly concept?: readonly Concept[];
}
interface Include {
  readonly system?: string;
  readonly concept?: readonly Concept[];
  readonly filter?: readonly { readonly property: string; readonly op: string; readonly value: string }[];
  readonly valueSet?: readonly string[];
}
export interface ValueSet {
  readonly resourceType: 'ValueSet';
  readonly url: string;
  readonly compose?: { readonly include: readonly Include[]; readonly exclude?: readonly Include[] };
}
type Expand = (url: string) => CodeList | undefined;
/** `system` and code of each member, with a space between: neither may hold one at that place. */
type Members = Set<string>;

const flatten = (concepts: readonly Concept[] = []): Concept[] => concepts.flatMap(concept => [concept, ...flatten(concept.concept)]);

/** A code and all below it, by nesting and by `subsumedBy` (how the v3 systems say it). */
function below(all: readonly Concept[], code: string): Concept[] {
  const root = all.filter(concept => concept.code === code);
  const found = new Set([...root, ...flatten(root)]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    const codes = new Set([...found].map(concept => concept.code));
    for (const concept of all) if (concept.property?.some(({ code, valueCode }) => code === 'subsumedBy' && codes.has(valueCode ?? ''))) found.add(concept);
  }
  return [...found];
}

/** The codes that an include or exclude names within its system; undefined when it cannot be listed. */
function conceptsOf(include: Include, systems: ReadonlyMap<string, CodeSystem>): readonly Concept[] | undefined {
  if (include.concept) return include.concept;
  const system = systems.get(include.system!);
  if (system?.content !== 'complete') return undefined;
  let concepts: readonly Concept[] = flatten(system.concept);
  for (const { property, op, value } of include.filter ?? []) {
    if (property !== 'concept' || op !== 'is-a') return undefined;
    const kept = new Set(below(flatten(system.concept), value));
    concepts = concepts.filter(concept => kept.has(concept));
  }
  return concepts;
}

/**
 * Lists the codes of value sets by their `compose`, from the given definitions alone.
 * @returns for a canonical (with or without version) its codes, sorted; undefined where they cannot be listed (UCUM, BCP 13, ISO 4217 …).
 */
export function expander(definitions: readonly (CodeSystem | ValueSet)[]): Expand {
  const systems = new Map<string, CodeSystem>();
  const valueSets = new Map<string, ValueSet>();
  for (const definition of definitions) {
    if (definition.resourceType === 'CodeSystem') systems.set(definition.url, definition);
    else valueSets.set(definition.url, definition);
  }

  function membersOf(include: Include): Members | undefined {
    const parts: Members[] = [];
    if (include.system !== undefined) {
      const concepts = conceptsOf(include, systems);
      if (!concepts) return undefined;
      parts.push(new Set(concepts.map(concept => `${include.system} ${concept.code}`)));
    }
    for (const url of include.valueSet ?? []) {
      const members = expand(url);
      if (!members) return undefined;
      parts.push(members);
    }
    return parts.reduce((all, part) => all.intersection(part));
  }

  function expand(canonical: string): Members | undefined {
    const compose = valueSets.get(canonical.split('|')[0]!)?.compose;
    if (!compose) return undefined;
    let members: Members = new Set();
    for (const include of compose.include) {
      const part = membersOf(include);
      if (!part) return undefined;
      members = members.union(part);
    }
    for (const exclude of compose.exclude ?? []) {
      const part = membersOf(exclude);
      if (!part) return undefined;
      members = members.difference(part);
    }
    return members;
  }

  return canonical => {
    const members = expand(canonical);
    if (!members || members.size === 0) return undefined;
    const pairs = [...members].map(member => member.split(' ') as [string, string]);
    const found = new Set(pairs.map(([system]) => system));
    const codes = [...new Set(pairs.map(([, code]) => code))].sort();
    return found.size === 1 ? { system: pairs[0]![0], codes } : { codes };
  };
}
