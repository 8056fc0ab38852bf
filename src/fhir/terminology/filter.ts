import { Problem } from '../problem.ts';
import { above, below, codesOf, completeSystem, hierarchyOf } from './hierarchy.ts';
import { type CodeSystem, type ConceptProperty, type Filter, type Include, type Sources, versioned } from './sources.ts';

type Codes = ReadonlySet<string>;

/** The codes that an include or exclude names within its system; `all` where it names none by itself. `look` is told how many codes are looked at. */
export function conceptsOf({ system, version, concept = [], filter = [] }: Include, sources: Sources, look: (count: number) => void): Codes | 'all' {
  if (concept.length > 0 && filter.length > 0) throw new Problem('value', `an include of \`${system}\` has both concepts and filters`);
  if (concept.length > 0) {
    look(concept.length);
    return new Set(concept.flatMap(({ code }) => code ?? []));
  }
  if (filter.length === 0 && version === undefined) return 'all';
  // Those of one version are not all that the system ever has.
  const complete = completeSystem(versioned(system!, version), sources);
  if (filter.length === 0) return new Set(codesOf(complete));
  const parts = filter.map(each => {
    const found = filtered(complete, each);
    look(isWalk(each) ? found.size + 1 : hierarchyOf(complete).properties.size);
    return found;
  });
  return parts.reduce((one, other) => one.intersection(other));
}

/** What a filter on the concept itself leaves (http://hl7.org/fhir/R4/valueset-filter-operator.html). */
const ofConcept: Readonly<Record<string, (system: CodeSystem, value: string) => Codes>> = {
  'is-a': below,
  'descendent-of': (system, value) => below(system, value).difference(new Set([value])),
  'is-not-a': (system, value) => new Set(codesOf(system)).difference(below(system, value)),
  generalizes: above,
  '=': (system, value) => new Set(hierarchyOf(system).properties.has(value) ? [value] : []),
};
const isOfConcept = ({ property }: Filter): boolean => property === 'concept' || property === 'code';
/** Whether no more is looked at than what is found. */
const isWalk = (filter: Filter): boolean => isOfConcept(filter) && filter.op !== 'is-not-a';
/** The types of properties whose values are compared as they are written. */
const plain = ['code', 'string', 'boolean', 'integer'];

function filtered(system: CodeSystem, filter: Filter): Codes {
  const { property, op, value } = filter;
  if (isOfConcept(filter)) {
    const codes = Object.hasOwn(ofConcept, op) ? ofConcept[op]!(system, value) : undefined;
    return codes ?? refuse(system, property, op);
  }
  if (op !== '=') return refuse(system, property, op);
  const { properties, parents, children } = hierarchyOf(system);
  // These two are said by nesting as well.
  if (property === 'parent' || property === 'child')
    return new Set(properties.keys()).intersection((property === 'parent' ? children : parents).get(value) ?? new Set());
  const type = system.property?.find(({ code }) => code === property)?.type;
  if (type === undefined || !plain.includes(type)) return refuse(system, property, op);
  return new Set([...properties].filter(([, said]) => said.some(each => each.code === property && textOf(each) === value)).map(([code]) => code));
}
const textOf = ({ valueCode, valueString, valueBoolean, valueInteger }: ConceptProperty): string | undefined =>
  valueCode ?? valueString ?? (valueBoolean ?? valueInteger)?.toString();

function refuse({ url }: CodeSystem, property: string, op: string): never {
  throw new Problem('unsupported', `the filter \`${property} ${op}\` on the codes of \`${url}\` is not supported`);
}
