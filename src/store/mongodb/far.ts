import type { Atom, Branch, Link, Predicate, SearchQuery } from '../../search/query.ts';
import type { Stage } from './granted.ts';
import { branchStages, keyedBy, makeJoins, plainFilter, termsOf } from './joins.ts';

/** A link at whose far end a search begins: worth it where those ends are few, and what is linked to them too. */
export interface Far {
  readonly link: Link;
  readonly near: Branch;
}
export const few = { ends: 100, linked: 2000 } as const;

/** A link that a search may begin with: an index finds its far end, and no index finds few of the near one. */
export function farOf({ branches: [near, ...others] }: Pick<SearchQuery, 'branches'>): Far | undefined {
  if (near === undefined || others.length > 0 || termsOf(near).plain.some(isSharp)) return undefined;
  const link = near.links.find(({ ends: [end, ...more] }) => more.length === 0 && termsOf(end!).plain.some(isSought));
  return link === undefined || keyedBy(link, near.type, link.ends[0]!.type) === undefined ? undefined : { link, near };
}
/** Whether an index finds what passes. */
const isSought = (term: Predicate): boolean => term.op === 'keys' || (term.op === 'some' && term.test.anyOf.every(seeks));
function seeks(atom: Atom): boolean {
  switch (atom.kind) {
    case 'token':
      return atom.code !== undefined;
    case 'string':
      return atom.how !== 'contains';
    case 'reference':
      return atom.type !== undefined;
    case 'composite':
      return atom.parts.every(seeks);
    default:
      return true;
  }
}
/** Whether those are few: of one record, of one subject. */
const isSharp = (term: Predicate): boolean =>
  isSought(term) && (term.op === 'keys' || (term.op === 'some' && (term.param.kind === 'reference' || ['.record', 'identifier'].includes(term.param.code))));

/** The far ends by themselves: what is joined to them is not looked at before it is known that they are few. */
export const endStages = ({ link }: Far): readonly Stage[] => [{ $match: plainFilter(link.ends[0]!, makeJoins()) }];

/** What is linked to them and passes what is asked of it by itself: ids, some of them several times. */
export function linkedStages({ link, near }: Far): readonly Stage[] {
  const back = link.how === 'refers-to' ? ({ how: 'referred-by', foreignField: 'ix.k' } as const) : ({ how: 'refers-to', foreignField: '_id' } as const);
  // Not carried along: the body. What it is found by stays, since some servers join by it only afterwards.
  const pipeline = [{ $match: plainFilter(near, makeJoins()) }, { $project: { b: 0 } }];
  return [
    ...branchStages(link.ends[0]!),
    // Seen from the far end the same link goes the other way.
    { $project: { key: keyedBy({ ...link, how: back.how }, link.ends[0]!.type, near.type) } },
    { $lookup: { from: 'resource', localField: 'key', foreignField: back.foreignField, pipeline, as: 'near' } },
    { $unwind: '$near' },
  ];
}
/** The same as documents, each once. */
export const nearStages = (far: Far): readonly Stage[] => [
  ...linkedStages(far),
  { $group: { _id: '$near._id' } },
  { $lookup: { from: 'resource', localField: '_id', foreignField: '_id', as: 'near' } },
  { $unwind: '$near' },
  { $replaceRoot: { newRoot: '$near' } },
];
/** What is left to ask of them. */
export const without = ({ link, near }: Far): Branch => ({ ...near, links: near.links.filter(other => other !== link) });
