import type { ElementDef } from '../definitions/definitions.ts';
import { elementOf, typeOf } from '../definitions/definitions.ts';
import type { Primitive } from './primitives.ts';
import { primitives } from './primitives.ts';

/** A property of a JSON object with all that its check needs. */
export interface Member {
  readonly def: ElementDef;
  readonly property: string;
  /** In FHIRPath: `value` for `valueQuantity`. */
  readonly segment: string;
  readonly type: string;
  readonly isList: boolean;
  readonly primitive: Primitive | undefined;
}

/** A type, ready to be held against an object. */
export interface Shape {
  readonly name: string;
  readonly isResource: boolean;
  readonly members: ReadonlyMap<string, Member>;
  readonly required: readonly Member[];
  readonly requiredChoices: readonly ElementDef[];
}

const shapes = new Map<string, Shape>();

/** The shape of a type, made when first asked for. The name must be one of R4's. */
export function shapeOf(name: string): Shape {
  const known = shapes.get(name);
  if (known) return known;
  const members = new Map<string, Member>();
  for (const [property, def] of typeOf(name)!.elements) {
    const { type } = elementOf(name, property)!;
    const segment = def.choice ? def.name.slice(0, -3) : property;
    members.set(property, { def, property, segment, type, isList: def.max > 1, primitive: primitives.get(type) });
  }
  const required = [...members.values()].filter(({ def }) => def.min > 0);
  const shape: Shape = {
    name,
    isResource: typeOf(name)!.kind === 'resource',
    members,
    required: required.filter(({ def }) => !def.choice),
    requiredChoices: [...new Set(required.map(({ def }) => def).filter(def => def.choice))],
  };
  shapes.set(name, shape);
  return shape;
}
