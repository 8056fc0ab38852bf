import type { ResourceType } from '../fhir/types.ts';
import type { Branch, Predicate, SearchParam, SearchQuery } from '../search/query.ts';
import type { Change, ResourceStore } from './store.ts';

/** What is known of the rows that are still to be made. */
export interface Guard {
  /** Nothing is to be made, and nothing to be told. */
  idle(): boolean;
  /** Throws where resources of the type are not indexed by the parameter yet. */
  check(type: ResourceType, param: SearchParam): Promise<void>;
  /** To be told before resources are written. */
  writes(): Promise<void>;
}

/** The store, answering no question that goes by a parameter whose rows are still to be made: whoever asks it, a client, a scope or a rule. */
export function guardedBy(guard: Guard, store: ResourceStore): ResourceStore {
  async function check({ branches, sort }: Pick<SearchQuery, 'branches' | 'sort'>): Promise<void> {
    if (guard.idle()) return;
    const asked = new Map<string, readonly [ResourceType, SearchParam]>();
    const note: Note = (type, param) => asked.set(`${type} ${param.code}`, [type, param]);
    for (const branch of branches) {
      visit(branch, note);
      for (const { by } of sort) if (by !== 'updated') note(branch.type, by);
    }
    for (const [type, param] of asked.values()) await guard.check(type, param);
  }
  const writing: ReadonlySet<Change['op']> = new Set(['put', 'restamp']);
  return {
    ...store,
    search: query => check(query).then(() => store.search(query)),
    keys: query => check(query).then(() => store.keys(query)),
    count: query => check(query).then(() => store.count(query)),
    async linked(of, param, how) {
      const types = how === 'refers-to' ? new Set(of.map(key => key.type)) : param.base.length === 0 ? ['Resource'] : param.base;
      if (!guard.idle()) for (const type of types) await guard.check(type, param);
      return store.linked(of, param, how);
    },
    async commit(changes, at) {
      if (guard.idle()) return store.commit(changes, at);
      for (const change of changes) if (change.op === 'when') await check(change.query);
      if (changes.some(change => writing.has(change.op))) await guard.writes();
      return store.commit(changes, at);
    },
  };
}

type Note = (type: ResourceType, param: SearchParam) => unknown;
function visit({ type, where, links }: Branch, note: Note): void {
  visitPredicate(where, type, note);
  for (const { how, param, ends } of links)
    for (const end of ends) {
      note(how === 'refers-to' ? type : end.type, param);
      visit(end, note);
    }
}
function visitPredicate(where: Predicate, type: ResourceType, note: Note): void {
  if (where.op === 'and' || where.op === 'or') for (const term of where.terms) visitPredicate(term, type, note);
  else if (where.op === 'not') visitPredicate(where.term, type, note);
  else if (where.op === 'some' || where.op === 'has') note(type, where.param);
}
