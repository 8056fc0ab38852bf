import { nameOf, type ResourceKey, type ResourceType } from '../../fhir/types.ts';
import type { SearchParam } from '../../search/query.ts';
import { valuesExpression } from './entries.ts';
import type { Collections } from './stored.ts';
import { entryText, joinOf } from './texts.ts';

/** What these refer to through the parameter, or what refers to them: live resources only, each once, in the order of their rows. */
export async function linkedKeys(
  of: readonly ResourceKey[],
  param: SearchParam,
  how: 'refers-to' | 'referred-by',
  { resources }: Collections,
): Promise<readonly ResourceKey[]> {
  if (of.length === 0) return [];
  const names = [...new Set(of.map(nameOf))];
  const stages = how === 'refers-to' ? forwards(names, param) : [{ $match: { live: { $exists: true }, ...referring(names, param) } }];
  const found = await resources.aggregate<{ t: ResourceType; id: string }>([...stages, { $sort: { rid: 1 } }, { $project: { t: 1, id: 1 } }]).toArray();
  return found.map(({ t, id }) => ({ type: t, id }));
}

function referring(names: readonly string[], { base, code }: SearchParam): object {
  if (base.length === 0) return { 'ix.h': { $in: names.map(name => entryText(joinOf(code), name)) } };
  return { 'ix.k': { $in: base.flatMap(type => names.map(name => entryText(`${type}/${code}`, name))) } };
}

const forwards = (names: readonly string[], { base, code }: SearchParam): readonly object[] => [
  { $match: { _id: { $in: names }, live: base.length === 0 ? { $exists: true } : { $in: base } } },
  { $project: { target: valuesExpression({ $concat: ['$t', `/${code}`] }) } },
  { $unwind: '$target' },
  { $group: { _id: '$target' } },
  { $lookup: { from: 'resource', localField: '_id', foreignField: '_id', pipeline: [{ $match: { live: { $exists: true } } }], as: 'end' } },
  { $unwind: '$end' },
  { $replaceRoot: { newRoot: '$end' } },
];
