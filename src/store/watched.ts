import type { Branch, Predicate, SearchQuery, SortKey } from '../search/query.ts';
import type { ResourceStore } from './store.ts';

/** The store, telling of every question that took as many milliseconds or more: what was asked, without values. */
export function watched(store: ResourceStore, slow: number, tell: (what: string, ms: number) => void): ResourceStore {
  async function timed<T>(what: () => string, work: Promise<T>): Promise<T> {
    const begun = performance.now();
    try {
      return await work;
    } finally {
      const ms = Math.round(performance.now() - begun);
      if (ms >= slow) tell(what(), ms);
    }
  }
  return {
    ...store,
    search: query => timed(() => `search ${shapeOf(query)}`, store.search(query)),
    keys: query => timed(() => `keys ${shapeOf(query)}`, store.keys(query)),
    count: query => timed(() => `count ${shapeOf(query)}`, store.count(query)),
    linked: (of, param, how) => timed(() => `linked ${how} ${param.code} (${of.length})`, store.linked(of, param, how)),
    grants: (records, actors) => timed(() => `grants (${records.length} records, ${actors.length} actors)`, store.grants(records, actors)),
    commit: (changes, at) => timed(() => `commit ${[...new Set(changes.map(change => change.op))].join(' ')} (${changes.length})`, store.commit(changes, at)),
  };
}

/** A query as text: types, parameters and operators. */
export const shapeOf = ({ branches, sort }: Pick<SearchQuery, 'branches' | 'sort'>): string =>
  `${branches.map(branchShape).join(' | ')}${sort.length === 0 ? '' : ` sort ${sort.map(sortShape).join(' ')}`}`;
const sortShape = ({ by, descending }: SortKey): string => `${descending ? '-' : ''}${by === 'updated' ? '_lastUpdated' : by.code}`;
const branchShape = ({ type, where, links }: Branch): string =>
  [
    type,
    shape(where),
    ...links.map(({ how, param, ends }) => (how === 'refers-to' ? `${param.code}.(${ends.map(branchShape)})` : `_has ${param.code}(${ends.map(branchShape)})`)),
  ].join(' ');

function shape(where: Predicate): string {
  switch (where.op) {
    case 'and':
    case 'or':
      return `${where.op}(${where.terms.map(shape).join(', ')})`;
    case 'not':
      return `not(${shape(where.term)})`;
    case 'some':
      return `${where.param.code}=${where.test.anyOf.length}`;
    case 'has':
      return `has ${where.param.code}`;
    case 'keys':
      return `_id=${where.keys.length}`;
    case 'updated':
      return '_lastUpdated';
    case 'granted':
      return `${where.effect} ${where.ask.action}`;
    default:
      return where.op;
  }
}
