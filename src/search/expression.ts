import { parseReference } from '../fhir/reference.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import { type Node, parseExpression } from './expression-syntax.ts';
import { isA, membersOf } from './members.ts';

/** Does something with one value, adding what comes of it. */
type Visit<T> = (value: unknown, into: T[]) => void;
/**
 * What to do with the values of a FHIR type, which may refer to `targets` (absent: to anything); undefined: nothing ever, so that the whole way
 * to them is left out.
 */
export type Next<T> = (type: string, targets?: readonly ResourceType[]) => Visit<T> | undefined;

/**
 * Compiles a SearchParameter's expression for one resource type into closures over raw JSON. Types are known before any data is seen, so that a
 * choice of types costs one look at each name. `leaf` is asked once for each type that the expression can yield.
 * @returns what the leaves make of a resource, in the order of the expression; values may repeat. It never throws, whatever the data.
 */
export function compile<T>(expression: string, type: string, leaf: Next<T>): (resource: Resource) => readonly T[] {
  const visit = visitOf(parseExpression(expression), type, leaf);
  if (visit === undefined) return () => [];
  return resource => {
    const into: T[] = [];
    visit(resource, into);
    return into;
  };
}

function visitOf<T>(node: Node, at: string, next: Next<T>): Visit<T> | undefined {
  switch (node.op) {
    case 'this':
      return next(at);
    case 'member':
      if (node.of.op === 'this' && /^[A-Z]/.test(node.name)) return isA(at, node.name) ? next(at) : undefined;
      return visitOf(node.of, at, of => memberVisit(of, node.name, next));
    case 'union':
      return both(visitOf(node.left, at, next), visitOf(node.right, at, next));
    case 'as':
      return visitOf(node.of, at, (of, targets) => (isA(of, node.type) ? next(of, targets) : undefined));
    case 'where':
      return visitOf(node.of, at, (of, targets) => {
        const then = next(of, node.test.op === 'refers' ? [node.test.type] : targets);
        const passes = then && testOf(node.test, of);
        return passes && ((value, into) => void (passes(value) && then(value, into)));
      });
    case 'item':
      return itemVisit(node, at, next);
    case 'extension':
      return visitOf(node.of, at, of =>
        memberVisit(of, 'extension', type => {
          const then = next(type);
          return then && ((value, into) => void (memberOf(value, 'url') === node.url && then(value, into)));
        }),
      );
    default: {
      const then = next('boolean');
      const passes = then && testOf(node, at);
      return passes && ((value, into) => then(passes(value), into));
    }
  }
}

const both = <T>(left: Visit<T> | undefined, right: Visit<T> | undefined): Visit<T> | undefined =>
  left === undefined || right === undefined
    ? (left ?? right)
    : (value, into) => {
        left(value, into);
        right(value, into);
      };

const memberOf = (value: unknown, key: string): unknown => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined);

function memberVisit<T>(of: string, name: string, next: Next<T>): Visit<T> | undefined {
  return membersOf(of, name)
    .map(({ key, type, targets }): Visit<T> | undefined => {
      const then = next(type, targets);
      return (
        then &&
        ((value, into) => {
          const found = memberOf(value, key);
          if (found === undefined || found === null) return;
          if (!Array.isArray(found)) then(found, into);
          else for (const item of found) if (item !== null) then(item, into);
        })
      );
    })
    .reduce(both, undefined);
}

/** The nth of all the values that `of` yields, each with its own way on. */
function itemVisit<T>(node: Extract<Node, { op: 'item' }>, at: string, next: Next<T>): Visit<T> | undefined {
  const items = visitOf<() => readonly [Visit<T>, unknown]>(node.of, at, of => {
    const then = next(of);
    return then && ((value, into) => void into.push(() => [then, value]));
  });
  return (
    items &&
    ((value, into) => {
      const found: (() => readonly [Visit<T>, unknown])[] = [];
      items(value, found);
      const item = found[node.at]?.();
      if (item !== undefined) item[0](item[1], into);
    })
  );
}

/** A condition on one value. FHIRPath's empty counts as false: there is no `not` that would tell them apart. */
function testOf(node: Node, at: string): (value: unknown) => boolean {
  switch (node.op) {
    case 'and':
    case 'or': {
      const [left, right] = [testOf(node.left, at), testOf(node.right, at)];
      return node.op === 'and' ? value => left(value) && right(value) : value => left(value) || right(value);
    }
    case '=':
    case '!=': {
      if (node.right.op !== 'literal') throw new SyntaxError(`\`${node.op}\` needs a literal on its right`);
      const { value: wanted } = node.right;
      const equal = node.op === '=';
      const values = valuesOf(node.left, at);
      return value => values(value).some(found => (found === wanted) === equal);
    }
    case 'refers':
      return value => refersTo(value, node.type);
    case 'exists': {
      const values = valuesOf(node.of, at);
      return value => values(value).length > 0;
    }
    default: {
      const values = valuesOf(node, at);
      return value => values(value).includes(true);
    }
  }
}

function valuesOf(node: Node, at: string): (value: unknown) => readonly unknown[] {
  const visit = visitOf<unknown>(node, at, () => (value, into) => void into.push(value));
  return value => {
    const into: unknown[] = [];
    visit?.(value, into);
    return into;
  };
}

/** What `resolve() is T` can tell without resolving: by the text of the reference, else by the type that it says it has. */
function refersTo(value: unknown, type: string): boolean {
  const text = typeof value === 'string' ? value : memberOf(value, 'reference');
  if (typeof text !== 'string') return false;
  const parsed = parseReference(text);
  if (parsed?.kind === 'local') return parsed.type === type;
  const named = parsed?.kind === 'absolute' ? /\/([A-Z][A-Za-z]*)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/[^/]+)?$/.exec(text)?.[1] : undefined;
  return named === undefined ? memberOf(value, 'type') === type : named === type;
}
