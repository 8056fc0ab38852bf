import { type ElementDef, elementOf } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import { type Node, parseExpression } from './expression-syntax.ts';
import { isA, membersOf } from './members.ts';

/** A place that an expression leads to: its FHIR type, and the element that it is. */
interface Place {
  readonly type: string;
  readonly def?: ElementDef;
}

/** The system of the codes that an expression yields, where all its elements are bound to value sets of one and the same. */
export function boundSystem(expression: string, type: ResourceType): string | undefined {
  const systems = new Set(placesOf(parseExpression(expression), type).map(({ def }) => def?.system));
  return systems.size === 1 ? [...systems][0] : undefined;
}

function placesOf(node: Node, at: string): readonly Place[] {
  switch (node.op) {
    case 'this':
      return [{ type: at }];
    case 'member':
      if (node.of.op === 'this' && /^[A-Z]/.test(node.name)) return isA(at, node.name) ? [{ type: at }] : [];
      return placesOf(node.of, at).flatMap(({ type: of }) => membersOf(of, node.name).map(({ key, type }): Place => ({ type, def: elementOf(of, key)!.def })));
    case 'union':
      return [...placesOf(node.left, at), ...placesOf(node.right, at)];
    case 'as':
      return placesOf(node.of, at).filter(({ type }) => isA(type, node.type));
    case 'where':
    case 'item':
      return placesOf(node.of, at);
    default:
      // A condition, or an extension: no element with a binding.
      return [{ type: 'boolean' }];
  }
}
