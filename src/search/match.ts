import type { LoadedGrant } from './grant.ts';
import { granted } from './granted.ts';
import type { Indexed } from './indexed.ts';
import { passesPosition } from './kinds/position.ts';
import { passesQuantity } from './kinds/quantity.ts';
import { passesReference } from './kinds/reference.ts';
import { passesSpan } from './kinds/span.ts';
import { passesString } from './kinds/string.ts';
import { passesToken } from './kinds/token.ts';
import { passesUri } from './kinds/uri.ts';
import { passesWords } from './kinds/words.ts';
import type { Atom, IndexValue, Predicate } from './query.ts';

/**
 * The memory reading of a predicate: what it means for one resource. The stores' readings must agree with it (test/search/arbitraries.ts).
 * `grants`: those on the resource's records; what is not among them does not exist.
 */
export function matches(where: Predicate, indexed: Indexed, grants: readonly LoadedGrant[]): boolean {
  switch (where.op) {
    case 'all':
      return true;
    case 'none':
      return false;
    case 'and':
      return where.terms.every(term => matches(term, indexed, grants));
    case 'or':
      return where.terms.some(term => matches(term, indexed, grants));
    case 'not':
      return !matches(where.term, indexed, grants);
    case 'some': {
      const values = where.param.extract(indexed);
      return where.test.anyOf.some(atom => values.some(value => passes(atom, value)));
    }
    case 'has':
      return where.param.extract(indexed).length > 0;
    case 'keys':
      return where.keys.some(({ type, id }) => type === indexed.resource.resourceType && id === indexed.resource.id);
    case 'updated': {
      // What is not stored yet was never updated: no comparison holds of it.
      const moment = indexed.updated;
      return moment !== undefined && where.test.anyOf.some(atom => passes(atom, { kind: 'date', low: moment, high: moment }));
    }
    case 'granted':
      return granted(where.effect, where.ask, indexed, grants);
  }
}

/** Whether one value satisfies one atom. Those of different kinds never do. */
export function passes(atom: Atom, value: IndexValue): boolean {
  switch (atom.kind) {
    case 'token':
      return value.kind === 'token' && passesToken(atom, value);
    case 'string':
      return value.kind === 'string' && passesString(atom, value);
    case 'date':
      return value.kind === 'date' && passesSpan(atom, value);
    case 'reference':
      return value.kind === 'reference' && passesReference(atom, value);
    case 'uri':
      return value.kind === 'uri' && passesUri(atom, value);
    case 'quantity':
      return value.kind === 'quantity' && passesQuantity(atom, value);
    case 'composite':
      return value.kind === 'composite' && atom.parts.every((part, at) => passes(part, value.parts[at]!));
    case 'position':
      return value.kind === 'position' && passesPosition(atom, value);
    case 'words':
      return value.kind === 'words' && passesWords(atom, value);
  }
}
