import fc from 'fast-check';
import { rangeOf } from '../../src/fhir/datetime.ts';
import { localReferences } from '../../src/fhir/reference.ts';
import { type KeyName, nameOf, type Range, type Resource, type ResourceKey } from '../../src/fhir/types.ts';
import type { Confidentiality, Facets, Indexed, Origin, RecordId } from '../../src/search/indexed.ts';

/** A small world: few values of everything, so that what is asked for at random is often there. */
export const recordIds: readonly RecordId[] = ['Patient/mary', 'Patient/tom', 'Patient/lee'];
export const people: readonly KeyName[] = ['Patient/mary', 'RelatedPerson/anna', 'Practitioner/lee', 'Organization/ima'];
export const types = ['Patient', 'Observation', 'MedicationStatement', 'Provenance', 'QuestionnaireResponse', 'Location'] as const;
export const ids = ['mary', 'tom', 'lee', '1', '2', '3'] as const;
export const systems = ['http://loinc.org', 'http://rx'] as const;
export const codes = ['718-7', '85354-9', 'final', 'active', 'female', 'male'] as const;
export const labels = ['HIV', 'SUD', 'PSY'] as const;
export const dates = ['2023', '2024-02', '2024-02-29', '2024-02-29T23:30:00Z', '2024-03-01T01:30:00+02:00', '2024-06-01T12:00:00.250Z', '2025'] as const;
export const names = ['Mary', 'MÁRY', 'Maryam', 'van der  Berg', 'Ångström', 'Straße', 'Lee%_'] as const;
export const profiles = ['http://p/bp', 'http://p/bp|2', 'http://p/bp/deep', 'http://p/lipid'] as const;
export const urls = ['http://q/one', 'http://q/one|2', 'urn:uuid:5b1f', 'https://elsewhere.example/fhir/Patient/mary'] as const;
export const numbers = [0, 5, 5.4, 5.44, 140, 0.14, -3, 1e21, 1.7976931348623157e308] as const;
export const units = ['mg', 'g', 'mm[Hg]', '[IU]', 'Cel'] as const;
export const places = [
  { latitude: 52.52, longitude: 13.405 },
  { latitude: 52.39, longitude: 13.06 },
  { latitude: -33.87, longitude: 151.21 },
  { latitude: 0, longitude: 180 },
  { latitude: 0, longitude: -179.99 },
  { latitude: 90, longitude: 0 },
] as const;
export const moments = [0, 1, 1_709_250_000_000, 1_709_250_000_001, 1_717_243_200_250] as const;

const some = <T>(values: readonly T[], max = values.length): fc.Arbitrary<T[]> => fc.subarray([...values], { maxLength: max });
const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
/** Members that are undefined are left out, as in JSON. */
const withoutHoles = (object: object) => JSON.parse(JSON.stringify(object));
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 3 });

/** Observations come more often, since they have values of most kinds. */
export const keyArb: fc.Arbitrary<ResourceKey> = fc.record({ type: one([...types, 'Observation', 'Observation']), id: one(ids) });
export const keyNameArb: fc.Arbitrary<KeyName> = fc.oneof(keyArb.map(nameOf), one(people));
export const codingArb = fc.record({ system: maybe(one(systems)), code: one(codes) }).map(withoutHoles);
export const rangeArb: fc.Arbitrary<Range> = fc.tuple(one(dates), one(dates), fc.constantFrom('both', 'from', 'until', 'ever')).map(([one, other, ends]) => {
  const [low, high] = [rangeOf(one)!, rangeOf(other)!].sort((left, right) => left.low - right.low) as [Range, Range];
  const from = ends === 'both' || ends === 'from' ? low.low : -Infinity;
  return { low: from, high: ends === 'both' || ends === 'until' ? Math.max(low.high, high.high) : Infinity };
});

const conceptArb = fc.record({ coding: fc.array(codingArb, { minLength: 1, maxLength: 2 }), text: maybe(one(names)) });
const subjectArb = fc.record({ reference: fc.oneof(one(recordIds), keyNameArb, one(urls.slice(2)), one(['Patient/mary/_history/1', '#p'])) });
const periodArb = fc.record({ start: maybe(one(dates)), end: maybe(one(dates)) });
const effectiveArb = fc.oneof(fc.record({ effectiveDateTime: one(dates) }), fc.record({ effectivePeriod: periodArb }), fc.constant({}));
const metaArb = fc.record({ profile: some(profiles), source: maybe(one(urls)), tag: fc.array(codingArb, { maxLength: 1 }) });

const quantityArb = fc
  .record({
    value: maybe(one(numbers)),
    comparator: fc.option(one(['<', '<=', '>=', '>']), { nil: undefined, freq: 4 }),
    system: maybe(one(['http://unitsofmeasure.org', ...systems])),
    code: maybe(one(units)),
    unit: maybe(one(units)),
  })
  .map(withoutHoles);
const valueArb = fc.oneof(
  fc.record({ valueQuantity: quantityArb }),
  fc.record({ valueQuantity: quantityArb }),
  fc.record({ valueCodeableConcept: conceptArb }),
  fc.record({ valueString: one(names) }),
  fc.record({ valueDateTime: one(dates) }),
  fc.record({ valuePeriod: periodArb }),
  fc.record({ valueSampledData: fc.record({ origin: quantityArb, data: one(['1 -3 4.5', '0', 'E']) }) }),
  fc.constant({}),
);
const narrativeArb = fc.record({
  status: fc.constant('generated'),
  div: fc.tuple(one(names), one(names)).map(([one, other]) => `<div>${one} <b>${other}</b></div>`),
});

const bodies: Readonly<Record<(typeof types)[number], fc.Arbitrary<object>>> = {
  Patient: fc.record({
    identifier: fc.array(fc.record({ system: maybe(one(systems)), value: one(codes) }), { maxLength: 2 }),
    active: maybe(fc.boolean()),
    name: fc.array(fc.record({ family: maybe(one(names)), given: some(names, 2) }), { maxLength: 2 }),
    gender: maybe(one(['female', 'male'])),
    birthDate: maybe(one(dates.slice(0, 3))),
    telecom: fc.array(fc.record({ system: one(['phone', 'email']), value: one(codes) }), { maxLength: 1 }),
    deceasedBoolean: maybe(fc.boolean()),
    generalPractitioner: fc.array(subjectArb, { maxLength: 2 }),
  }),
  Observation: fc.tuple(
    fc.record({
      status: one(['final', 'active']),
      code: conceptArb,
      subject: maybe(subjectArb),
      performer: fc.array(subjectArb, { maxLength: 2 }),
      component: fc.array(
        fc.tuple(conceptArb, valueArb).map(([code, value]) => ({ code, ...value })),
        { maxLength: 3 },
      ),
    }),
    effectiveArb,
    valueArb,
  ),
  MedicationStatement: fc.tuple(
    fc.record({ status: one(['final', 'active']), medicationCodeableConcept: conceptArb, subject: subjectArb, informationSource: maybe(subjectArb) }),
    effectiveArb,
  ),
  Provenance: fc.record({
    target: fc.array(
      keyNameArb.map(reference => ({ reference })),
      { minLength: 1, maxLength: 3 },
    ),
    recorded: one(dates.slice(3, 6)),
    agent: fc.array(fc.record({ who: subjectArb }), { maxLength: 1 }),
  }),
  QuestionnaireResponse: fc.record({
    status: one(['final', 'active']),
    questionnaire: maybe(one(urls)),
    subject: maybe(subjectArb),
    authored: maybe(one(dates)),
    author: maybe(subjectArb),
  }),
  Location: fc.record({ name: maybe(one(names)), position: maybe(one(places)), partOf: maybe(fc.record({ reference: one(ids).map(id => `Location/${id}`) })) }),
};

const resourceArb: fc.Arbitrary<Resource> = keyArb.chain(({ type, id }) =>
  fc
    .tuple(bodies[type as (typeof types)[number]], metaArb, maybe(narrativeArb))
    .map(([body, meta, text]) => withoutHoles(Object.assign({ resourceType: type, id, meta, text }, ...(Array.isArray(body) ? body : [body])))),
);

const originArb: fc.Arbitrary<Origin> = fc.oneof(
  fc.record({ kind: fc.constant('organization' as const), by: one(['ima', 'other']) }),
  fc.record({ kind: one(['patient', 'caregiver'] as const), by: one(people), record: one(recordIds) }),
  fc.constant({ kind: 'server' as const, by: 'kindred' }),
);
const facetsArb = fc.record({
  records: some(recordIds, 2),
  origin: originArb,
  confidentiality: one([0, 1, 2, 3, 4, 5] as const satisfies readonly Confidentiality[]),
  sensitivity: some(labels),
  codes: fc.array(codingArb, { maxLength: 2 }),
  clinicalDate: rangeArb,
  authors: some(people, 2),
  cites: some(['Consent/1', 'Consent/2'] as const),
});

/** What a Provenance is about are its targets, as the server stamps it; anything else is about itself. */
function stamp(resource: Resource, { cites, ...facets }: Omit<Facets, 'about' | 'targetTypes'>): Facets {
  if (resource.resourceType !== 'Provenance') return { ...facets, about: [nameOf({ type: resource.resourceType, id: resource.id! })] };
  const about = localReferences({ resourceType: 'Provenance', target: resource.target });
  return { ...facets, about, ...(cites === undefined ? {} : { cites }), targetTypes: [...new Set(about.map(name => name.slice(0, name.indexOf('/'))))] };
}

/** A stored resource of one of six types. Several of them may have one key: see `populationArb`. */
export const indexedArb: fc.Arbitrary<Indexed> = fc
  .tuple(resourceArb, facetsArb, one(moments))
  .map(([resource, facets, updated]) => ({ resource, facets: stamp(resource, facets), updated }));

/** Stored resources that could be together: each key once. */
export const populationArb = (maxLength: number): fc.Arbitrary<readonly Indexed[]> =>
  fc.uniqueArray(indexedArb, { maxLength, size: 'max', selector: ({ resource }) => `${resource.resourceType}/${resource.id}` });
