import { Problem } from '../problem.ts';
import { type CodeSystem, type Concept, type ConceptProperty, type Sources, versioned } from './sources.ts';

/** The codes of a complete code system and how they stand to each other. */
export interface Hierarchy {
  /** Each concept with what its properties say, by its code. */
  readonly properties: ReadonlyMap<string, readonly ConceptProperty[]>;
  readonly parents: ReadonlyMap<string, ReadonlySet<string>>;
  readonly children: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What a property says of where its value stands, by its code or its uri (http://hl7.org/fhir/R4/codesystem.html#defined-props). */
const directions: ReadonlyMap<string, 'up' | 'down'> = new Map([
  ['parent', 'up'],
  ['subsumedBy', 'up'],
  ['child', 'down'],
  ['http://hl7.org/fhir/concept-properties#parent', 'up'],
  ['http://hl7.org/fhir/concept-properties#child', 'down'],
]);
const known = new WeakMap<CodeSystem, Hierarchy>();

/** A code system all of whose codes are known. Throws a Problem that names what is missing. */
export function completeSystem(system: string, sources: Sources): CodeSystem {
  const found = sources.codeSystem(system);
  if (found === undefined) throw new Problem('unsupported', `the codes of \`${system}\` are not known here: there is no CodeSystem of it`);
  if (found.content !== 'complete')
    throw new Problem('unsupported', `the codes of \`${system}\` are not known here: its CodeSystem is not complete, its content is \`${found.content}\``);
  return found;
}

/** The codes of a complete code system. */
export const codesOf = (system: CodeSystem): Iterable<string> => hierarchyOf(system).properties.keys();

/** Read once for a code system. */
export function hierarchyOf(system: CodeSystem): Hierarchy {
  const hierarchy = known.get(system) ?? readHierarchy(system);
  known.set(system, hierarchy);
  return hierarchy;
}

function readHierarchy({ concept = [], property = [] }: CodeSystem): Hierarchy {
  const roles = new Map(directions);
  for (const { code, uri } of property) if (code !== undefined && directions.has(uri ?? '')) roles.set(code, directions.get(uri!)!);
  const properties = new Map<string, readonly ConceptProperty[]>();
  const parents = new Map<string, Set<string>>();
  const children = new Map<string, Set<string>>();
  const place = (above: string, below: string): void => {
    setOf(parents, below).add(above);
    setOf(children, above).add(below);
  };
  const left: (readonly [Concept, string | undefined])[] = concept.map(each => [each, undefined]);
  // Not by recursion, since somebody may nest them as deep as they like; the list grows while it is walked.
  for (const [{ code, property: said = [], concept: nested = [] }, above] of left) {
    if (code !== undefined) {
      properties.set(code, [...(properties.get(code) ?? []), ...said]);
      if (above !== undefined) place(above, code);
      for (const { code: name = '', valueCode } of said) {
        if (valueCode === undefined) continue;
        if (roles.get(name) === 'up') place(valueCode, code);
        if (roles.get(name) === 'down') place(code, valueCode);
      }
    }
    for (const each of nested) left.push([each, code ?? above]);
  }
  return { properties, parents, children };
}
function setOf(sets: Map<string, Set<string>>, name: string): Set<string> {
  const found = sets.get(name) ?? new Set();
  sets.set(name, found);
  return found;
}

/** A code of the system and all that it subsumes (http://hl7.org/fhir/R4/codesystem.html#hierarchy). Throws a Problem where that cannot be told. */
export const below = (system: CodeSystem, code: string): ReadonlySet<string> => reached(system, code, 'children');
/** A code of the system and all that subsume it. */
export const above = (system: CodeSystem, code: string): ReadonlySet<string> => reached(system, code, 'parents');

function reached(system: CodeSystem, code: string, way: 'children' | 'parents'): ReadonlySet<string> {
  const { [way]: steps, properties } = hierarchyOf(system);
  const name = versioned(system.url!, system.version);
  if (!properties.has(code)) throw new Problem('value', `the code system \`${name}\` has no code \`${code}\``);
  if (system.hierarchyMeaning !== undefined && system.hierarchyMeaning !== 'is-a')
    throw new Problem('unsupported', `the hierarchy of the code system \`${name}\` means \`${system.hierarchyMeaning}\`, which says nothing about subsumption`);
  const found = new Set<string>([code]);
  // A set goes on to what is added while it is walked.
  for (const each of found) for (const next of steps.get(each) ?? []) if (properties.has(next)) found.add(next);
  const circle = circleIn(found, steps);
  if (circle !== undefined)
    throw new Problem('value', `the hierarchy of the code system \`${name}\` goes in a circle: \`${circle}\` would be above or below itself`);
  return found;
}

/** A code that steps lead from, and back to; or leads to such a one. */
function circleIn(codes: ReadonlySet<string>, steps: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const arrivals = new Map([...codes].map(code => [code, 0]));
  const nextOf = (code: string): readonly string[] => [...(steps.get(code) ?? [])].filter(next => codes.has(next));
  for (const code of codes) for (const next of nextOf(code)) arrivals.set(next, arrivals.get(next)! + 1);
  const free = [...codes].filter(code => arrivals.get(code) === 0);
  for (const code of free) {
    arrivals.delete(code);
    for (const next of nextOf(code)) {
      const left = arrivals.get(next)! - 1;
      arrivals.set(next, left);
      if (left === 0) free.push(next);
    }
  }
  return [...arrivals.keys()][0];
}
