import { type ElementDef, typeOf } from '../../src/fhir/definitions/definitions.ts';

/** Of a ContactPoint and of a RelatedArtifact: what expressions ask for. */
const codes: Readonly<Record<string, readonly string[]>> = {
  system: ['phone', 'email'],
  type: ['depends-on', 'derived-from', 'composed-of', 'predecessor', 'successor'],
};
/** Values of the primitive types, by the turn where expressions ask for one of several. */
const primitives: Readonly<Record<string, (name: string, turn: number) => unknown>> = {
  boolean: (_, turn) => turn % 2 === 0,
  integer: (_, turn) => turn + 1,
  positiveInt: (_, turn) => turn + 1,
  unsignedInt: (_, turn) => turn + 1,
  decimal: (_, turn) => turn + 0.5,
  date: () => '2020-02-03',
  dateTime: () => '2020-02-03T04:05:06Z',
  instant: () => '2020-02-03T04:05:06Z',
  time: () => '04:05:06',
  id: () => 'one',
  code(name, turn) {
    const told = codes[name];
    return told === undefined ? `${name}-${turn}` : told[turn % told.length];
  },
  uri: (_, turn) => `http://example.org/${turn}`,
  canonical: (_, turn) => `http://example.org/${turn}|1`,
};
const deepest = 5;

/** A resource of the type with a value in every element; turn by turn each type of a choice, and each type that a reference may point to. */
export function fullResource(type: string, turn: number): object {
  return { resourceType: type, ...(fullValue(type, type, undefined, turn, 0) as object) };
}
function fullValue(type: string, name: string, targets: readonly string[] | undefined, turn: number, depth: number): unknown {
  if (type === 'Reference') return { reference: `${targets === undefined ? 'Patient' : targets[turn % targets.length]}/one` };
  if (type === 'Resource') return { resourceType: 'Basic', id: 'one' };
  const primitive = primitives[type];
  if (primitive !== undefined) return primitive(name, turn);
  const def = typeOf(type);
  if (def === undefined || def.kind === 'primitive') return `${name} ${turn}`;
  if (depth === deepest) return undefined;
  const elements = [...new Set(def.elements.values())].filter(
    each => each.name !== 'extension' && each.name !== 'modifierExtension' && each.name !== 'contained',
  );
  return Object.fromEntries(elements.map(each => fullMember(each, turn, depth)).filter(([, value]) => value !== undefined));
}
function fullMember({ name, types, choice, max, targets }: ElementDef, turn: number, depth: number): readonly [string, unknown] {
  const type = types[turn % types.length]!;
  const key = choice ? name.slice(0, -3) + type.charAt(0).toUpperCase() + type.slice(1) : name;
  const value = fullValue(type, key, targets, turn, depth + 1);
  return [key, value === undefined || max === 1 ? value : [value]];
}
