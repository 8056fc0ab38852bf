import fc from 'fast-check';
import { localReferences } from '../../src/fhir/reference.ts';
import { type KeyName, nameOf, type ResourceType } from '../../src/fhir/types.ts';
import { facetParams, idParam } from '../../src/search/facets.ts';
import type { Criteria, Grant, LoadedGrant } from '../../src/search/grant.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import type { Ask, Branch, Kind, Link, Predicate, SearchParam, SortKey } from '../../src/search/query.ts';
import type { Registry } from '../../src/search/registry.ts';
import { atomArb, partial, plainArbs } from './atoms.ts';
import { codingArb, keyArb, keyNameArb, labels, people, profiles, rangeArb, types } from './population.ts';

export { atomLike, howArb } from './atoms.ts';
export { indexedArb, populationArb } from './population.ts';

const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = <T>(values: readonly T[], minLength = 0): fc.Arbitrary<T[]> => fc.subarray([...values], { minLength });
const confidentialityArb = one([0, 1, 2, 3, 4, 5] as const);

/** Parameters of the six types, facets among them; mostly those of one type, where it is known, each kind as often as any other. */
const paramArb = (registry: Registry, of?: ResourceType): fc.Arbitrary<SearchParam> => {
  const any = fc.oneof(
    one(types).chain(type => one(registry.paramsOf(type))),
    one(facetParams),
  );
  if (of === undefined) return any;
  const own = one([...Map.groupBy(registry.paramsOf(of), ({ kind }) => kind).values()]).chain(one);
  return fc.oneof({ weight: 1, arbitrary: any }, { weight: 4, arbitrary: own });
};

export const askArb: fc.Arbitrary<Ask> = fc.record({
  actors: some(people, 1),
  purpose: one(['TREAT', 'FAMRQT']),
  action: one(['access', 'correct'] as const),
  at: one(['2023-06-01T00:00:00.000Z', '2024-02-29T23:30:00.000Z', '2025-01-01T00:00:00.000Z']),
});

/** A predicate of any op, nested at most three deep. */
export function predicateArb(registry: Registry, of?: ResourceType): fc.Arbitrary<Predicate> {
  const param = paramArb(registry, of);
  const leaf: fc.Arbitrary<Predicate> = fc.oneof(
    {
      weight: 8,
      arbitrary: param.chain(each =>
        fc.array(atomArb(each), { minLength: 1, maxLength: 3 }).map((anyOf): Predicate => ({ op: 'some', param: each, test: { anyOf } })),
      ),
    },
    { weight: 2, arbitrary: param.map((each): Predicate => ({ op: 'has', param: each })) },
    { weight: 1, arbitrary: fc.array(keyArb, { maxLength: 3 }).map((keys): Predicate => ({ op: 'keys', keys })) },
    { weight: 1, arbitrary: fc.array(plainArbs.date, { minLength: 1, maxLength: 3 }).map((anyOf): Predicate => ({ op: 'updated', test: { anyOf } })) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('granted' as const), effect: one(['permit', 'deny', 'share'] as const), ask: askArb }) },
    { weight: 1, arbitrary: one<Predicate>([{ op: 'all' }, { op: 'none' }]) },
  );
  return fc.letrec<{ predicate: Predicate }>(tie => ({
    predicate: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.record({ op: one(['and', 'or'] as const), terms: fc.array(tie('predicate'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ op: fc.constant('not' as const), term: tie('predicate') }),
    ),
  })).predicate;
}

/** Each Consent is about one record. */
const consents = [
  { consent: 'Consent/1', record: 'Patient/mary' },
  { consent: 'Consent/2', record: 'Patient/mary' },
  { consent: 'Consent/3', record: 'Patient/tom' },
  { consent: 'Consent/4', record: 'Patient/lee' },
] as const satisfies readonly { consent: KeyName; record: KeyName }[];

const criteriaArb: fc.Arbitrary<Criteria> = partial<Required<Criteria>>({
  classes: some(types),
  profiles: some(profiles, 1),
  notClasses: some(types),
  codes: fc.array(codingArb, { minLength: 1, maxLength: 2 }),
  upTo: confidentialityArb,
  onlySensitivities: some(labels),
  notSensitivities: some(labels),
  labelled: fc.record({ atLeast: confidentialityArb, anyOf: some(labels) }, { requiredKeys: ['anyOf'] }) as fc.Arbitrary<NonNullable<Criteria['labelled']>>,
  dates: rangeArb,
  data: fc.record({
    instances: fc.array(keyNameArb, { maxLength: 2 }),
    related: fc.array(keyNameArb, { maxLength: 1 }),
    dependents: fc.array(keyNameArb, { maxLength: 1 }),
    authors: some(people),
  }),
  // Most constraints together cover nothing: keep about half of them.
}).chain(criteria =>
  fc
    .subarray(Object.keys(criteria) as (keyof Criteria)[], { maxLength: Math.min(3, Object.keys(criteria).length) })
    .map(kept => Object.fromEntries(kept.map(key => [key, criteria[key]]))),
);

/** A row as a store keeps it. Once loaded it also has `relatedTo`: see `load`. */
export const grantArb: fc.Arbitrary<Grant> = fc
  .tuple(
    one(consents),
    one(['permit', 'permit', 'deny'] as const),
    fc.nat(3),
    fc.oneof({ weight: 3, arbitrary: some(people, 1) }, { weight: 1, arbitrary: fc.constant('anyone' as const) }),
    fc.option(some(['TREAT', 'FAMRQT'], 1), { nil: undefined }),
    some(['access', 'correct'] as const, 1),
    fc.oneof(fc.constant({ low: -Infinity, high: Infinity }), rangeArb),
    criteriaArb,
  )
  .map(([of, effect, depth, actors, purposes, actions, during, what]) => ({
    ...of,
    effect,
    depth,
    // A permit for anyone does not exist.
    actors: effect === 'permit' && actors === 'anyone' ? [...people] : actors,
    ...(purposes === undefined ? {} : { purposes }),
    actions,
    during,
    what,
  }));

/** The grant as a store loads it from these resources. */
export function load(grant: Grant, population: readonly Indexed[]): LoadedGrant {
  const related = grant.what.data?.related ?? [];
  if (related.length === 0) return grant;
  const named = population.filter(({ resource: { resourceType, id } }) => related.includes(nameOf({ type: resourceType, id: id! })));
  return { ...grant, relatedTo: [...new Set([...related, ...named.flatMap(({ resource }) => localReferences(resource))])] };
}

/** Kinds whose values have no order. */
const unordered: ReadonlySet<Kind> = new Set(['reference', 'composite', 'position', 'words']);
/** Up to two keys, `_id` and lastUpdated among them. */
export const sortArb = (registry: Registry): fc.Arbitrary<readonly SortKey[]> => {
  const by: fc.Arbitrary<SortKey['by']> = fc.oneof(
    { weight: 4, arbitrary: paramArb(registry).filter(param => !unordered.has(param.kind)) },
    { weight: 1, arbitrary: one<SortKey['by']>(['updated', idParam]) },
  );
  return fc.array(fc.record({ by, descending: fc.boolean() }), { maxLength: 2 });
};

/** The reference parameters that the resources of the small world have values for. */
const filled: ReadonlySet<string> = new Set(['patient', 'subject', 'performer', 'general-practitioner', 'source', 'target', 'agent', 'author', 'partof']);

/** A chain from one of the type, or a `_has` to it; of so many steps at most, each either of them. */
export function linkArb(registry: Registry, type: string, steps = 2): fc.Arbitrary<Link> {
  const linking = (of: string) => registry.includesOf(of).filter(({ code }) => filled.has(code));
  const meets = ({ targets }: SearchParam, target: string) => targets.length === 0 || targets.includes(target);
  const branch = (of: string): fc.Arbitrary<Branch> =>
    fc.record({
      type: fc.constant(of),
      where: fc.oneof(predicateArb(registry, of), fc.constant<Predicate>({ op: 'all' })),
      links:
        steps === 1
          ? fc.constant([])
          : fc.array(
              fc.constant(null).chain(() => linkArb(registry, of, steps - 1)),
              { maxLength: 1 },
            ),
    });
  const ends = (of: readonly string[]) =>
    fc.subarray([...of], { minLength: 1, maxLength: Math.min(2, of.length) }).chain(chosen => fc.tuple(...chosen.map(branch)));
  const refersTo = linking(type).map(param => {
    const targets = types.filter(target => meets(param, target));
    return ends(targets.length === 0 ? types : targets).map((found): Link => ({ how: 'refers-to', param, ends: found }));
  });
  const referredBy = types.flatMap(from =>
    linking(from)
      .filter(param => meets(param, type))
      .map(param => branch(from).map((end): Link => ({ how: 'referred-by', param, ends: [end] }))),
  );
  return fc.oneof(fc.oneof(...refersTo), fc.oneof(...referredBy));
}
