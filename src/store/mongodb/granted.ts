import type { Ask, GrantedEffect } from '../../search/query.ts';
import type { Filter } from './condition.ts';
import { valuesExpression } from './entries.ts';

type Expression = unknown;
export type Stage = Readonly<Record<string, unknown>>;

/** The actor of a grant that binds anyone. No reference is written so. */
export const ANYONE = '*';

const or = (list: Expression): Expression => ({ $ifNull: [list, []] });
const meet = (one: Expression, other: Expression): Expression => ({ $gt: [{ $size: { $setIntersection: [one, other] } }, 0] });
const absent = (value: Expression): Expression => ({ $eq: [{ $ifNull: [value, null] }, null] });

/**
 * What the Consents on the resource's records say to the ask, as a field of the resource: `{ record, deny }` for each that says anything. The deepest node of
 * a Consent that covers decides, and at one depth a denial: so of `2 * depth + deny` the largest is odd for a denial and even for a permit.
 */
export function verdictsStage(ask: Ask, as: string): Stage {
  const verdict = { $max: { $map: { input: { $filter: { input: '$rows', as: 'g', cond: { $and: [...applies(ask), ...covers] } } }, as: 'g', in: weight } } };
  return {
    $lookup: {
      from: 'grant',
      localField: 'f.records',
      foreignField: 'record',
      let: {
        f: '$f',
        types: { $cond: [stands('$f'), '$f.targetTypes', ['$t']] },
        refs: '$_refs',
        profiles: '$_profiles',
      },
      pipeline: [
        { $match: { actors: { $in: actorsOf(ask) } } },
        nearStage,
        { $project: { record: 1, verdict } },
        { $match: { verdict: { $ne: null } } },
        { $project: { _id: 0, record: 1, deny: { $mod: ['$verdict', 2] } } },
      ],
      as,
    },
  };
}
/** What grants ask of a resource and its facets do not hold; before the first of the verdicts. */
export const citedStage: Stage = {
  $addFields: { _refs: valuesExpression({ $concat: ['$t', '/.ref'] }), _profiles: valuesExpression({ $concat: ['$t', '/.profile'] }) },
};
const weight = { $add: [{ $multiply: [2, '$$g.depth'] }, '$$g.deny'] };
const actorsOf = (ask: Ask): readonly string[] => [...ask.actors, ANYONE];

/** What the resources that grants name as `related` refer to now. */
export const nearStage: Stage = {
  $lookup: {
    from: 'resource',
    localField: 'related',
    foreignField: '_id',
    pipeline: [{ $match: { live: { $exists: true } } }, { $project: { refs: valuesExpression({ $concat: ['$t', '/.ref'] }) } }],
    as: 'near',
  },
};

/** GrantedEffect as a filter on a resource that has the verdicts. */
export function grantedFilter(effect: GrantedEffect, verdicts: string): Filter {
  const recordsThat = (deny: 0 | 1): Expression => ({
    $map: { input: { $filter: { input: `$${verdicts}`, as: 'r', cond: { $eq: ['$$r.deny', deny] } } }, as: 'r', in: '$$r.record' },
  });
  switch (effect) {
    case 'permit':
      return { 'f.records.0': { $exists: true }, $expr: { $setIsSubset: ['$f.records', recordsThat(0)] } };
    case 'deny':
      return { [`${verdicts}.deny`]: 1 };
    case 'share':
      return { $expr: { $gt: [{ $size: { $setDifference: [recordsThat(0), recordsThat(1)] } }, 0] } };
  }
}

function applies(ask: Ask): readonly Expression[] {
  const at = Date.parse(ask.at);
  const purpose = { $literal: ask.purpose };
  return [
    meet('$$g.actors', { $literal: actorsOf(ask) }),
    { $in: [purpose, { $ifNull: ['$$g.purposes', [purpose]] }] },
    { $eq: [`$$g.${ask.action}`, true] },
    { $lte: ['$$g.low', at] },
    { $gte: ['$$g.high', at] },
  ];
}

/** What stands for its targets says nothing of its own (../../search/granted.ts). */
function stands(facets: string): Expression {
  return { $gt: [{ $size: or(`${facets}.targetTypes`) }, 0] };
}
const itself: Expression = { $or: ['$$g.deny', { $not: [stands('$$f')] }] };
const sensitivity = '$$f.sensitivity';

const coded: Expression = {
  $anyElementTrue: [
    {
      $map: {
        input: or('$$g.codes'),
        as: 'c',
        in: {
          $anyElementTrue: [
            {
              $map: {
                input: '$$f.codes',
                as: 'x',
                in: {
                  $and: [{ $eq: ['$$x.code', '$$c.code'] }, { $or: [absent('$$c.system'), { $eq: ['$$c.system', { $ifNull: ['$$x.system', ''] }] }] }],
                },
              },
            },
          ],
        },
      },
    },
  ],
};
const near: Expression = {
  $anyElementTrue: [{ $map: { input: '$near', as: 'n', in: { $and: [{ $in: ['$$n._id', or('$$g.related')] }, meet('$$n.refs', '$$f.about')] } } }],
};

/** Whether the criteria of the grant `g` take the resource in: all that are there must. */
const covers: readonly Expression[] = [
  { $or: [{ $not: ['$$g.narrow'] }, { $lt: [{ $size: '$$f.about' }, 2] }] },
  { $not: [meet(or('$$g.notClasses'), '$$types')] },
  {
    $or: [
      { $and: [absent('$$g.classes'), absent('$$g.profiles')] },
      { $cond: ['$$g.deny', meet(or('$$g.classes'), '$$types'), { $setIsSubset: ['$$types', or('$$g.classes')] }] },
      { $and: [itself, meet(or('$$g.profiles'), '$$profiles')] },
    ],
  },
  { $or: [absent('$$g.codes'), coded] },
  { $lte: ['$$f.confidentiality', { $ifNull: ['$$g.upTo', Infinity] }] },
  { $or: [absent('$$g.onlySensitivities'), { $setIsSubset: [sensitivity, or('$$g.onlySensitivities')] }] },
  { $not: [meet(or('$$g.notSensitivities'), sensitivity)] },
  {
    $or: [absent('$$g.anySensitivity'), { $gte: ['$$f.confidentiality', { $ifNull: ['$$g.atLeast', Infinity] }] }, meet(or('$$g.anySensitivity'), sensitivity)],
  },
  { $lte: ['$$f.clinicalDate.low', '$$g.dateHigh'] },
  { $gte: ['$$f.clinicalDate.high', '$$g.dateLow'] },
  {
    $or: [
      absent('$$g.instances'),
      meet({ $setUnion: [or('$$g.instances'), or('$$g.related'), or('$$g.dependents')] }, '$$f.about'),
      near,
      { $and: [itself, meet(or('$$g.dependents'), '$$refs')] },
      meet(or('$$g.authors'), '$$f.authors'),
    ],
  },
];
