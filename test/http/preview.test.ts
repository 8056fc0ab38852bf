import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { activateAs } from '../../src/cli/consent.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { validate } from '../../src/fhir/validate/validate.ts';
import { actions, agreement, buprenorphine, classes, confidentiality, consent, lisinopril, statement } from './resources.ts';
import { hiv, type Made, made, observation, openStrangers, report } from './strangers.ts';
import { type Client, resourcesOf, type World } from './world.ts';

jest.setTimeout(120_000);
let world: World;
let ima: Client;
let harbor: Client;
let mary: Client;
let john: Client;
let anna: Client;
const ids: Record<string, string> = {};
const LOINC = 'http://loinc.org';
const weighed = (at: string): object => ({ code: { coding: [{ system: LOINC, code: '29463-7' }] }, effectiveDateTime: at });

beforeAll(async () => {
  ({ world, ima, harbor, mary, john, anna } = await openStrangers());
  const put = async (name: string, client: Client, resource: Resource): Promise<void> => {
    ids[name] = (await made(client.post(resource.resourceType, resource))).id;
  };
  await put('lisinopril', ima, lisinopril());
  await put('buprenorphine', ima, buprenorphine());
  await put('ibuprofen', mary, statement('5640', 'ibuprofen'));
  await put('old', ima, observation('Patient/mary', weighed('2019-05-01')));
  await put('new', ima, observation('Patient/mary', weighed('2026-05-01')));
  await put('hiv', harbor, hiv('Patient/mary', { effectiveDateTime: '2020-01-01' }));
  await put('own', mary, observation('Patient/mary', { code: { text: 'mood' } }));
  await put('report', ima, report('Patient/mary', `Observation/${ids.old}`));
  await put('document', harbor, agreement());
  await put('goal', mary, { resourceType: 'Goal', lifecycleStatus: 'active', description: { text: 'walk' }, subject: { reference: 'Patient/mary' } });
  // Not of this record.
  await put('john', harbor, observation('Patient/john'));
});
afterAll(() => world.end());

interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly valueReference?: { readonly reference: string };
  readonly valueCode?: string;
  readonly valueUnsignedInt?: number;
  readonly valueInstant?: string;
}
interface View {
  readonly actor: string | undefined;
  readonly visible: Readonly<Record<string, number>>;
  readonly hidden: Readonly<Record<string, number>>;
  readonly sums: readonly (number | undefined)[];
}
const value = (parts: readonly Parameter[], name: string): Parameter | undefined => parts.find(part => part.name === name);
async function previewOf(client: Client, id: string): Promise<readonly View[]> {
  const { status, body } = await client.get(`Consent/${id}/$preview`);
  expect([status, body.issue]).toEqual([200, undefined]);
  expect(validate(body)).toEqual([]);
  return (body.parameter as Parameter[])
    .filter(one => one.name === 'actor')
    .map(({ part = [] }) => {
      const types = part.filter(one => one.name === 'type').map(one => one.part!);
      const numbers = (name: string): Record<string, number> =>
        Object.fromEntries(
          types.flatMap(of => (value(of, name)?.valueUnsignedInt ? [[value(of, 'type')!.valueCode!, value(of, name)!.valueUnsignedInt!]] : [])),
        );
      return {
        actor: value(part, 'actor')?.valueReference?.reference,
        visible: numbers('visible'),
        hidden: numbers('hidden'),
        sums: [value(part, 'visible')?.valueUnsignedInt, value(part, 'hidden')?.valueUnsignedInt],
      };
    });
}

const content = ['DiagnosticReport', 'DocumentReference', 'Goal', 'MedicationStatement', 'Observation', 'Patient', 'Provenance', 'RelatedPerson'];
/** What the client really sees, type by type. */
async function seenBy(client: Client, of = ''): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (const type of content) {
    const { status, body } = await client.get(`${type}?_summary=count${of}`);
    if (status === 200 && body.total > 0) seen[type] = body.total;
  }
  return seen;
}
const anna4mary = 'RelatedPerson/anna-for-mary';
const propose = (kind: string, actor: string | undefined, provision: object): Promise<Made> =>
  made(mary.post('Consent', consent({ kind, provision, ...(actor === undefined ? {} : { actor }) })));
const activate = (id: string): Promise<void> => activateAs(world.app, id, '1', 'mary', { password: 'correct-horse-battery-1' });
async function end(id: string): Promise<void> {
  const { body } = await mary.get(`Consent/${id}`);
  expect((await mary.put(`Consent/${id}`, { ...body, status: 'inactive' })).status).toBe(200);
}
const sensitive = (...codes: readonly string[]): object => ({
  securityLabel: codes.map(code => ({ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code })),
});
const coded = (system: string, code: string): object => ({ code: [{ coding: [{ system, code }] }] });

const provisions: readonly (readonly [string, () => object])[] = [
  ['everything', () => ({})],
  ['two classes', () => classes('Observation', 'MedicationStatement')],
  ['a class with its Provenance', () => classes('Goal', 'Provenance')],
  ['up to restricted', () => confidentiality('R')],
  ['up to very restricted', () => confidentiality('V')],
  ['one sensitivity', () => sensitive('HIV')],
  ['a sensitivity that is nowhere', () => sensitive('STD')],
  ['a code', () => coded(LOINC, '29463-7')],
  ['a code and its Provenance', () => ({ ...coded('http://www.nlm.nih.gov/research/umls/rxnorm', '5640'), ...classes('MedicationStatement', 'Provenance') })],
  ['a period of the data', () => ({ ...classes('Observation'), dataPeriod: { start: '2018', end: '2020' } })],
  ['one instance', () => ({ data: [{ meaning: 'instance', reference: { reference: `Observation/${ids.new}` } }] })],
  ['what an instance refers to', () => ({ data: [{ meaning: 'related', reference: { reference: `DiagnosticReport/${ids.report}` } }] })],
  ['what refers to an instance', () => ({ data: [{ meaning: 'dependents', reference: { reference: `Observation/${ids.old}` } }] })],
  ['a nested deny', () => ({ ...confidentiality('R'), provision: [{ type: 'deny', ...classes('Observation') }] })],
  [
    'a permit in a deny',
    () => ({
      provision: [{ type: 'deny', ...classes('Observation'), provision: [{ type: 'permit', ...classes('Observation'), ...coded(LOINC, '29463-7') }] }],
    }),
  ],
  ['another purpose', () => ({ purpose: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: 'HRESCH' }] })],
  ['only to correct', () => actions('correct')],
  ['a period that ends', () => ({ ...classes('Goal'), period: { end: '2090-01-01' } })],
];

describe('what is foretold of a proposal is what is seen once it is in force', () => {
  test.each(provisions)('%s', async (_name, provision) => {
    const { id } = await propose('authorized-user', anna4mary, provision());
    const [view, ...others] = await previewOf(mary, id);
    expect([view?.actor, others]).toEqual([anna4mary, []]);
    await activate(id);
    expect(view!.visible).toEqual(await seenBy(anna));
    expect((await previewOf(mary, id))[0]!.visible).toEqual(view!.visible);
    // What is seen and what is left out is the record.
    const record = await seenBy(mary);
    for (const type of content) if (type !== 'Provenance') expect((view!.visible[type] ?? 0) + (view!.hidden[type] ?? 0)).toBe(record[type] ?? 0);
    expect(view!.sums[0]).toBe(Object.values(view!.visible).reduce((sum, n) => sum + n, 0));
    await end(id);
    expect(await seenBy(anna)).toEqual({});
  });

  test('a restriction in force hides, also in what is foretold', async () => {
    const restriction = await propose('restriction', anna4mary, classes('Observation'));
    await activate(restriction.id);
    const { id } = await propose('authorized-user', anna4mary, classes('Observation', 'Goal'));
    const [view] = await previewOf(mary, id);
    await activate(id);
    expect(view!.visible).toEqual(await seenBy(anna));
    expect(view!.visible).toEqual({ Goal: 1, Provenance: 1 });
    await end(id);
  });

  test('of an organization, what it contributed itself is seen besides', async () => {
    const { id } = await propose('share', 'Organization/ima', classes('Goal'));
    const [view] = await previewOf(mary, id);
    await activate(id);
    const seen = { ...(await seenBy(ima, '&patient=Patient/mary')), Patient: 1 };
    for (const type of ['Goal', 'MedicationStatement', 'Observation', 'DocumentReference'])
      expect([type, view!.visible[type]]).toEqual([type, seen[type as 'Patient']]);
    await end(id);
  });

  test('what has yet to begin is foretold for when it begins', async () => {
    const { id } = await propose('authorized-user', anna4mary, { ...classes('Goal'), period: { start: '2090-01-01', end: '2091-01-01' } });
    const { body } = await mary.get(`Consent/${id}/$preview`);
    expect(value(body.parameter, 'at')?.valueInstant).toMatch(/^20(89-12-31|90-01-01)/);
    expect((await previewOf(mary, id))[0]!.visible).toEqual({ Goal: 1, Provenance: 1 });
  });
});

describe('a restriction', () => {
  test('is foretold as what it hides, of everybody where it names nobody', async () => {
    const of = await propose('restriction', 'Organization/ima', classes('Observation'));
    expect(await previewOf(mary, of.id)).toMatchObject([{ actor: 'Organization/ima', hidden: { Observation: 2 }, visible: { Observation: 2, Goal: 1 } }]);
    const everybody = await propose('restriction', undefined, sensitive('HIV'));
    expect(await previewOf(mary, everybody.id)).toMatchObject([{ actor: undefined, hidden: { Observation: 1 } }]);
  });
});

describe('nothing that is hidden comes out', () => {
  test('whom it names hears of what she sees, without what is left out', async () => {
    const { id } = await propose('authorized-user', anna4mary, classes('Goal', 'Consent'));
    expect((await anna.get(`Consent/${id}/$preview`)).status).toBe(403);
    await activate(id);
    const other = await propose('share', 'Practitioner/lee', classes('Observation'));
    await activate(other.id);
    expect(await previewOf(anna, id)).toEqual([{ actor: anna4mary, visible: { Goal: 1, Provenance: 1 }, hidden: {}, sums: [2, undefined] }]);
    // Of others she is told nothing, though she may read their Consents.
    expect((await anna.get(`Consent/${other.id}`)).status).toBe(200);
    expect(await previewOf(anna, other.id)).toEqual([]);
    for (const one of [id, other.id]) await end(one);
  });

  test('to others it is what is not there', async () => {
    const { id } = await propose('authorized-user', anna4mary, classes('Goal'));
    const about = async (client: Client, of: string) => {
      const { status, body } = await client.get(`Consent/${of}/$preview`);
      return [status, JSON.stringify(body).replaceAll(of, 'ID')];
    };
    for (const client of [john, harbor, ima]) {
      expect(await about(client, id)).toEqual(await about(client, 'nothing'));
      expect((await about(client, id))[0]).toBe(404);
    }
  });

  test('no type is counted that the token does not cover', async () => {
    const { id } = await propose('authorized-user', anna4mary, {});
    const narrow = world.as(await world.token('med-app', 'patient/Consent.rs patient/Goal.rs', 'mary'));
    expect(await previewOf(narrow, id)).toMatchObject([{ visible: { Goal: 1 }, hidden: {}, sums: [1, 0] }]);
  });

  test('of an app there is nothing to foretell', async () => {
    expect((await mary.get('Consent/nothing/$preview')).status).toBe(404);
  });

  test('it is one line of the log, of the Consent', async () => {
    const { id } = await propose('authorized-user', anna4mary, classes('Goal'));
    await previewOf(mary, id);
    const log = resourcesOf((await mary.get('AuditEvent?_count=1000')).body) as unknown as { subtype: { code: string }[] }[];
    expect(log.filter(line => line.subtype.some(({ code }) => code === 'preview') && JSON.stringify(line).includes(id))).toHaveLength(1);
  });
});
