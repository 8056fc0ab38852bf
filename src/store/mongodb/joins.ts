import { isDeepStrictEqual } from 'node:util';
import type { ResourceType } from '../../fhir/types.ts';
import type { Ask, Branch, GrantedEffect, Link, Predicate } from '../../search/query.ts';
import { allOf, asksMore, conditionOf, everything, type Filter, nothing } from './condition.ts';
import { valuesExpression } from './entries.ts';
import { citedStage, grantedFilter, type Stage, verdictsStage } from './granted.ts';
import { entryText, paramOf } from './texts.ts';

/** What is joined to the documents of one pipeline, each under a field of its own. */
export interface Joins {
  granted(effect: GrantedEffect, ask: Ask): Filter;
  linked(link: Link, type: ResourceType): Filter;
  /** The stages that have become necessary since this was asked last. */
  take(): readonly Stage[];
  /** The fields that they add. */
  readonly fields: readonly string[];
}

export function makeJoins(): Joins {
  const fields: string[] = [];
  const asks: { readonly ask: Ask; readonly field: string }[] = [];
  let stages: Stage[] = [];
  const fieldFor = (letter: string): string => {
    const field = `_${letter}${fields.length}`;
    fields.push(field);
    return field;
  };
  const joins: Joins = {
    fields,
    granted(effect, ask) {
      let field = asks.find(known => isDeepStrictEqual(known.ask, ask))?.field;
      if (field === undefined) {
        field = fieldFor('g');
        asks.push({ ask, field });
        if (asks.length === 1) {
          fields.push('_refs', '_profiles');
          stages.push(citedStage);
        }
        stages.push(verdictsStage(ask, field));
      }
      return grantedFilter(effect, field);
    },
    linked(link, type) {
      const filters = link.ends.flatMap((end): readonly Filter[] => {
        const [key, found] = [fieldFor('k'), fieldFor('l')];
        const keyed = keyedBy(link, type, end.type);
        if (keyed === undefined) return [];
        const pipeline = [...branchStages(end), { $limit: 1 }, { $project: { _id: 1 } }];
        stages.push(
          { $addFields: { [key]: keyed } },
          { $lookup: { from: 'resource', localField: key, foreignField: link.how === 'refers-to' ? '_id' : 'ix.k', pipeline, as: found } },
        );
        return [{ [`${found}.0`]: { $exists: true } }];
      });
      return filters.length === 0 ? nothing : { $or: filters };
    },
    take() {
      const taken = stages;
      stages = [];
      return taken;
    },
  };
  return joins;
}
/** What a document of the type has in common with the far ends of the link: their ids, or what they are found by; undefined where there are none. */
export const keyedBy = (link: Link, type: ResourceType, far: ResourceType): unknown =>
  link.how === 'refers-to' ? forwardKeys(link, type) : backwardKey(link, far);
const forwardKeys = (link: Link, type: ResourceType): unknown => {
  const p = paramOf(link.param, type);
  return p === undefined ? undefined : valuesExpression(p);
};
const backwardKey = ({ param }: Link, type: ResourceType): unknown => {
  const p = paramOf(param, type);
  return p === undefined ? undefined : { $concat: [entryText(p, ''), '$_id'] };
};

/** The terms of a branch: those that an index may serve, and those for which something has to be joined first. */
export function termsOf({ where }: Branch): { readonly plain: readonly Predicate[]; readonly joined: readonly Predicate[] } {
  const terms = where.op === 'and' ? where.terms : [where];
  return { plain: terms.filter(term => !asksMore(term)), joined: terms.filter(asksMore) };
}
/** What the resource by itself must be. */
export function plainFilter(branch: Branch, joins: Joins): Filter {
  return allOf([{ live: branch.type }, ...termsOf(branch).plain.map(term => conditionOf(term, branch.type, joins))]);
}
/** What is left to ask: one filter for each join, so that the next one is made only for what is left. */
export function joinedStages(branch: Branch, joins: Joins): readonly Stage[] {
  const asked = [
    ...termsOf(branch).joined.map(term => () => conditionOf(term, branch.type, joins)),
    ...branch.links.map(link => () => joins.linked(link, branch.type)),
  ];
  return asked.flatMap(ask => {
    const filter = ask();
    return [...joins.take(), ...(filter === everything ? [] : [{ $match: filter }])];
  });
}
/** Everything that a branch asks, for the documents of the collection. */
export function branchStages(branch: Branch): readonly Stage[] {
  const joins = makeJoins();
  return [{ $match: plainFilter(branch, joins) }, ...joinedStages(branch, joins)];
}
