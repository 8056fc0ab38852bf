import type { ResourceType } from '../fhir/types.ts';
import { type Node, parseExpression } from './expression-syntax.ts';
import { isA } from './members.ts';

/** The alternatives of an expression that can yield something for a type, each without the name of the type that it begins with. */
function alternatives(expression: string, type: ResourceType): readonly Node[] {
  const split = (node: Node): readonly Node[] => (node.op === 'union' ? [...split(node.left), ...split(node.right)] : [node]);
  return expression === '' ? [] : split(parseExpression(expression)).flatMap(node => rooted(node, type) ?? []);
}

/** The node with `this` in place of the type that its path begins with; undefined where that is another type. */
function rooted(node: Node, type: ResourceType): Node | undefined {
  if (node.op === 'member' && node.of.op === 'this') {
    if (!/^[A-Z]/.test(node.name)) return node;
    return isA(type, node.name) ? node.of : undefined;
  }
  if ('of' in node) {
    const of = rooted(node.of, type);
    return of === undefined ? undefined : ({ ...node, of } as Node);
  }
  return node;
}

/** A text that two expressions share which say the same of a type; the order of their alternatives does not count. */
export const meaningOf = (expression: string, type: ResourceType): string =>
  [...new Set(alternatives(expression, type).map(node => JSON.stringify(node)))].sort().join(' | ');

/** Whether any of it is about the type. */
export const isAbout = (expression: string, type: ResourceType): boolean => alternatives(expression, type).length > 0;

/** Whether an element of this name is on any way through the expression. */
export function names(expression: string, element: string): boolean {
  const within = (node: Node): boolean =>
    (node.op === 'member' && node.name === element) ||
    Object.values(node).some(value => typeof value === 'object' && value !== null && 'op' in value && within(value as Node));
  return within(parseExpression(expression));
}
