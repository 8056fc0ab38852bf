import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { activateAs } from '../../src/cli/consent.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { validate } from '../../src/fhir/validate/validate.ts';
import { authorizeApp, endApp, handOf, type Person } from '../../src/interaction/app-consent.ts';
import type { Interaction } from '../../src/interaction/interaction.ts';
import { runInteraction } from '../../src/interaction/run.ts';
import { actions, classes, consent } from './resources.ts';
import { designate, type Made, made, observation, openStrangers } from './strangers.ts';
import { type Client, resourcesOf, type World } from './world.ts';

jest.setTimeout(60_000);
let world: World;
let ima: Client;
let harbor: Client;
let mary: Client;
let john: Client;
let anna: Client;
beforeEach(async () => {
  ({ world, ima, harbor, mary, john, anna } = await openStrangers());
});
afterEach(() => world.end());

interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly valueReference?: { readonly reference: string; readonly display?: string };
  readonly [value: string]: unknown;
}
/** Name → what it says, parts as objects of their own. */
const read = (parameters: readonly Parameter[] = []): Record<string, unknown[]> => {
  const found: Record<string, unknown[]> = {};
  for (const { name, part, ...value } of parameters) {
    found[name] ??= [];
    const [plain] = Object.values(value) as ({ reference?: string } | string)[];
    found[name].push(part === undefined ? (typeof plain === 'object' ? plain.reference : plain) : read(part));
  }
  return found;
};
const ask = async (client: Client, of = 'Patient/mary'): Promise<Record<string, unknown[]>> => {
  const { status, body } = await client.get(`${of}/$who-can-see`);
  expect([status, body.issue]).toEqual([200, undefined]);
  expect(validate(body)).toEqual([]);
  return read(body.parameter);
};
const idsIn = (part: readonly unknown[] = []): unknown[] => part.map(one => (one as { consent: unknown[] }).consent[0]).sort();

const activate = async (proposal: Resource): Promise<Made> => {
  const proposed = await made(mary.post('Consent', proposal));
  await activateAs(world.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' });
  return proposed;
};
const herself: Person = { account: 'mary', who: 'Patient/mary', record: 'Patient/mary' };
const daughter: Person = { account: 'anna', who: 'RelatedPerson/anna-for-mary', record: 'Patient/mary' };
const take = (interaction: unknown, person: Person): Promise<unknown> =>
  runInteraction(interaction as Interaction, { method: 'POST', path: ['Consent'], query: [], headers: {} }, handOf(person), world.app.parts);
const letIn = (id: string, person: Person, more: object = {}): Promise<unknown> =>
  take(
    authorizeApp(
      { id, patient: 'Patient/mary', performer: person.who, client: { id: 'med-app', name: 'Medication list' }, scope: 'patient/*.rs', also: [], ...more },
      world.app.parts.base,
    ),
    person,
  );

describe('the patient is told everything', () => {
  test('before anything is given: the enrolled practice and who contributed the record', async () => {
    expect(await ask(mary)).toMatchObject({
      patient: ['Patient/mary'],
      complete: [true],
      consent: [{ kind: ['enrolment'], effect: ['permit'], inForce: [true], actor: ['Organization/harbor'], action: ['access', 'correct'] }],
      // The enrolled practice lodged the enrolment itself.
      organization: [{ organization: ['Organization/harbor'] }, { organization: ['Organization/ima'] }],
    });
  });

  test('every Consent in force, what waits, apps, and who contributed', async () => {
    const designation = await designate(ima, 'Observation');
    const share = await activate(consent({ kind: 'share', actor: 'Practitioner/lee', provision: { ...classes('Observation'), ...actions('access') } }));
    const restriction = await activate(consent({ kind: 'restriction', actor: 'Organization/harbor', provision: classes('MedicationStatement') }));
    const everybody = await activate(consent({ kind: 'restriction', provision: classes('Goal') }));
    const later = await activate(
      consent({ kind: 'share', actor: 'Organization/general', provision: { ...classes('Goal'), period: { start: '2090-01-01', end: '2091-01-01' } } }),
    );
    const waits = await made(mary.post('Consent', consent({ kind: 'authorized-user', actor: 'RelatedPerson/anna-for-mary', provision: classes('Condition') })));
    await made(harbor.post('Observation', observation('Patient/mary')));
    await letIn('a1', herself, { until: '2090-01-01T00:00:00.000Z' });
    await letIn('a2', daughter);
    const told = await ask(mary);
    const consents = told.consent as Record<string, unknown[]>[];
    const ids = [designation, share, restriction, everybody, later].map(one => `Consent/${one.id}`);
    expect(idsIn(consents)).toEqual(['Consent/enrolment-mary-harbor', ...ids].sort());
    const of = (one: Made) => consents.find(part => part.consent![0] === `Consent/${one.id}`);
    expect(of(designation)).toMatchObject({ kind: ['primary-caregiver'], version: ['1'], effect: ['permit'], actor: ['RelatedPerson/anna-for-mary'] });
    expect(of(share)).toMatchObject({ kind: ['share'], version: ['2'], actor: ['Practitioner/lee'], action: ['access'] });
    expect(of(restriction)).toMatchObject({ effect: ['deny'], actor: ['Organization/harbor'] });
    expect(of(everybody)?.actor).toBeUndefined();
    expect(of(later)).toMatchObject({ inForce: [false], since: ['2090-01-01'], until: ['2091-01-01'] });
    expect(idsIn(told.proposed)).toEqual([`Consent/${waits.id}`]);
    expect(told.proposed).toMatchObject([{ version: ['1'], inForce: [false], kind: ['authorized-user'] }]);
    expect(told.organization).toEqual([{ organization: ['Organization/harbor'] }, { organization: ['Organization/ima'] }]);
    expect(told.app).toMatchObject([
      { consent: ['Consent/a1'], client: ['med-app'], name: ['Medication list'], performer: ['Patient/mary'], until: ['2090-01-01T00:00:00.000Z'] },
      { consent: ['Consent/a2'], scope: ['patient/*.rs'], performer: ['RelatedPerson/anna-for-mary'] },
    ]);
    expect(told['break-glass']).toBeUndefined();
  });

  test('what has ended is gone; an organization that can still read its Consent is named', async () => {
    const share = await activate(consent({ kind: 'share', actor: 'Organization/general', provision: classes('Goal') }));
    const user = await activate(consent({ kind: 'authorized-user', actor: 'RelatedPerson/anna-for-mary', provision: classes('Goal') }));
    for (const { id } of [share, user]) {
      const { body } = await mary.get(`Consent/${id}`);
      expect((await mary.put(`Consent/${id}`, { ...body, status: 'inactive' })).status).toBe(200);
    }
    await letIn('a1', herself);
    await take(endApp('a1', [], world.app.parts.base), herself);
    await letIn('a2', herself, { until: '2001-01-01T00:00:00.000Z' });
    const told = await ask(mary);
    expect(idsIn(told.consent)).toEqual(['Consent/enrolment-mary-harbor']);
    expect(told.app).toBeUndefined();
    expect(told.named).toEqual([{ consent: [`Consent/${share.id}`], version: ['3'], kind: ['share'], actor: ['Organization/general'] }]);
  });

  test('who can read anything is in it: each of these reads, and is named; without it, neither', async () => {
    const parties = async (): Promise<readonly string[]> => JSON.stringify(await ask(mary)).match(/(?:Organization|RelatedPerson|Practitioner)\/[\w-]+/g) ?? [];
    const seen = await made(ima.post('Observation', observation('Patient/mary')));
    const lee = world.as(await world.token('med-app', 'user/*.rs', 'dr-lee'));
    const reads = async (client: Client): Promise<boolean> => (await client.get(`Observation/${seen.id}`)).status === 200;
    expect([await reads(ima), await reads(harbor), await reads(anna), await reads(john)]).toEqual([true, true, false, false]);
    expect(await parties()).toEqual(expect.arrayContaining(['Organization/ima', 'Organization/harbor']));
    expect(await parties()).not.toContain('RelatedPerson/anna-for-mary');
    await designate(ima, 'Observation');
    expect([await reads(anna), await reads(lee)]).toEqual([true, true]);
    expect(await parties()).toContain('RelatedPerson/anna-for-mary');
  });

  test('names come with it where the scopes reach them', async () => {
    await designate(ima, 'Observation');
    const find = async (client: Client): Promise<string | undefined> => {
      const { body } = await client.get('Patient/mary/$who-can-see');
      const parts = (body.parameter as Parameter[]).flatMap(one => one.part ?? []);
      return parts.find(part => part.valueReference?.reference === 'RelatedPerson/anna-for-mary')?.valueReference?.display;
    };
    expect(await find(mary)).toBe('Anna Reyes');
    expect(await find(world.as(await world.token('med-app', 'patient/Consent.rs', 'mary')))).toBeUndefined();
  });

  test('it needs the scope to search Consents, and no other', async () => {
    expect((await ask(world.as(await world.token('med-app', 'patient/Consent.rs', 'mary')))).complete).toEqual([true]);
    expect((await world.as(await world.token('med-app', 'patient/Patient.rs', 'mary')).get('Patient/mary/$who-can-see')).status).toBe(403);
  });

  test('it is one line of the log', async () => {
    await designate(ima, 'Observation');
    await ask(mary);
    const log = resourcesOf((await mary.get('AuditEvent?_count=200')).body) as unknown as { subtype: { code: string }[] }[];
    const lines = log.filter(line => line.subtype.some(({ code }) => code === 'who-can-see'));
    expect(lines.map(line => line.subtype.map(({ code }) => code))).toEqual([['operation', 'who-can-see']]);
    for (const line of lines) expect(validate(line as unknown as Resource)).toEqual([]);
  });

  test('it is in the CapabilityStatement, and is only asked by GET', async () => {
    const { body } = await mary.get('metadata');
    const operations = (type: string): unknown => body.rest[0].resource.find((one: { type: string }) => one.type === type).operation;
    expect(operations('Patient')).toEqual([{ name: 'who-can-see', definition: 'https://kindred.example/fhir/OperationDefinition/who-can-see' }]);
    expect(operations('Consent')).toEqual([{ name: 'preview', definition: 'https://kindred.example/fhir/OperationDefinition/preview' }]);
    expect(operations('Goal')).toBeUndefined();
    expect((await mary.post('Patient/mary/$who-can-see', {})).status).toBe(405);
  });
});

describe('nothing that is hidden comes out', () => {
  test('a caregiver is told the Consents that she may read, and no more', async () => {
    await activate(consent({ kind: 'restriction', actor: 'RelatedPerson/anna-for-mary', provision: classes('Goal') }));
    await activate(consent({ kind: 'share', actor: 'Practitioner/lee', provision: classes('Observation') }));
    expect((await anna.get('Patient/mary/$who-can-see')).status).toBe(403);
    const designation = await designate(ima, 'Observation', 'Consent');
    const told = await ask(anna);
    expect(told.complete).toEqual([false]);
    const seen = resourcesOf((await anna.get('Consent?status=active')).body).map(one => `Consent/${one.id}`);
    expect(idsIn(told.consent)).toEqual(seen.sort());
    expect(seen).toContain(`Consent/${designation.id}`);
    expect(JSON.stringify(told)).not.toContain('deny');
    expect(told.organization).toBeUndefined();
  });

  test('with a Consent that does not name the class, only those that name her, and the apps that she let in', async () => {
    await activate(consent({ kind: 'share', actor: 'Practitioner/lee', provision: classes('Observation') }));
    await letIn('a1', herself);
    await letIn('a2', daughter);
    const designation = await designate(ima, 'Observation');
    const told = await ask(anna);
    expect(idsIn(told.consent)).toEqual([`Consent/${designation.id}`]);
    expect(idsIn(told.app)).toEqual(['Consent/a2']);
    expect(JSON.stringify(told)).not.toMatch(/Organization|Practitioner/);
  });

  test('another patient hears the same of her as of nobody', async () => {
    const about = async (of: string) => {
      const { status, body } = await john.get(`Patient/${of}/$who-can-see`);
      return [status, JSON.stringify(body).replaceAll(of, 'ID')];
    };
    expect(await about('mary')).toEqual(await about('nobody'));
    expect((await about('mary'))[0]).toBe(404);
  });

  test('practices are told nothing, enrolled or not, whether there is such a patient or not', async () => {
    const lee = world.as(await world.token('med-app', 'user/*.cruds', 'dr-lee'));
    for (const client of [harbor, ima, lee])
      for (const id of ['mary', 'john', 'nobody']) expect([id, (await client.get(`Patient/${id}/$who-can-see`)).status]).toEqual([id, 403]);
  });
});
