import { nameOf, type ResourceKey, type ResourceType } from '../../fhir/types.ts';
import type { SearchParam } from '../../search/query.ts';
import { joinsOf } from './entries.ts';
import type { Collections } from './stored.ts';

/** What these refer to through the parameter, or what refers to them: live resources only, each once, in the order of their rows. */
export async function linkedKeys(
  of: readonly ResourceKey[],
  param: SearchParam,
  how: 'refers-to' | 'referred-by',
  { resources }: Collections,
): Promise<readonly ResourceKey[]> {
  if (of.length === 0) return [];
  const names = [...new Set(of.map(nameOf))];
  const ends = { $project: { t: 1, id: 1 } };
  const order = { $sort: { rid: 1 } };
  const forwards = [
    { $match: { _id: { $in: names }, live: { $exists: true } } },
    { $unwind: '$ix' },
    {
      $match: {
        'ix.p': param.base.length === 0 ? { $regex: `/${param.code.replace('.', '\\.')}$` } : { $in: param.base.map(type => `${type}/${param.code}`) },
      },
    },
    { $group: { _id: '$ix.v' } },
    { $lookup: { from: 'resource', localField: '_id', foreignField: '_id', pipeline: [{ $match: { live: { $exists: true } } }], as: 'end' } },
    { $unwind: '$end' },
    { $replaceRoot: { newRoot: '$end' } },
    order,
    ends,
  ];
  const keys = joinsOf(param).flatMap(join => names.map(name => join + name));
  const backwards = [{ $match: { 'ix.k': { $in: keys }, live: { $exists: true } } }, order, ends];
  const found = await resources.aggregate<{ t: ResourceType; id: string }>(how === 'refers-to' ? forwards : backwards).toArray();
  return found.map(({ t, id }) => ({ type: t, id }));
}
