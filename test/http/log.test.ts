import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { activateAs } from '../../src/cli/consent.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { agreement, buprenorphine, classes, confidentiality, consent, designation, lisinopril } from './resources.ts';
import { type Made, made, observation, openStrangers } from './strangers.ts';
import { type Client, resourcesOf, type World } from './world.ts';

// What the log and Provenance show, and to whom.
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

const designate = async (provision: object): Promise<Made> => {
  const signed = await made(ima.post('DocumentReference', agreement()));
  const lodged = designation(`DocumentReference/${signed.id}`);
  return made(ima.post('Consent', { ...lodged, provision: { ...(lodged.provision as object), ...confidentiality('N'), ...provision } }));
};
const restrict = async (provision: object): Promise<Made> => {
  const proposed = await made(mary.post('Consent', consent({ kind: 'restriction', actor: 'RelatedPerson/anna-for-mary', provision })));
  await activateAs(world.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' });
  return proposed;
};
interface Event {
  readonly outcome: string;
  readonly outcomeDesc?: string;
  readonly entity: readonly { readonly what?: { readonly reference?: string } }[];
}
const logOf = async (client: Client): Promise<readonly (Resource & Event)[]> =>
  resourcesOf((await client.get('AuditEvent?_count=500')).body) as unknown as (Resource & Event)[];
const refusedIn = async (client: Client): Promise<readonly Event[]> => (await logOf(client)).filter(({ outcome }) => outcome !== '0');
const shows = async (client: Client, id: string): Promise<boolean> => JSON.stringify(await logOf(client)).includes(id);
const countEvents = async (): Promise<number> => {
  let events = 0;
  for await (const link of world.app.store.chain()) events += link.events.length;
  return events;
};

describe('a refusal', () => {
  test('looks the same in the own log whether there is something hidden or nothing', async () => {
    const hidden = await made(harbor.post('Observation', observation('Patient/john')));
    const recordless = await made(harbor.post('Observation', observation('Patient/unknown')));
    const ids = [hidden.id, recordless.id, 'ghost'];
    for (const id of ids) await mary.get(`Observation/${id}`);
    for (const id of ids) await mary.delete(`Observation/${id}`);
    for (const id of ids) await mary.put(`Observation/${id}`, { ...observation('Patient/mary'), id });
    const told = (await refusedIn(mary)).map(({ outcome, outcomeDesc, entity }) => JSON.stringify([outcome, outcomeDesc, entity.slice(0, -1)]));
    const of = (id: string) => told.filter(line => line.includes(`"Observation/${id}"`)).map(line => line.replaceAll(id, 'ID'));
    expect(of('ghost')).toHaveLength(3);
    expect([of(hidden.id), of(recordless.id)]).toEqual([of('ghost'), of('ghost')]);
    expect(told).toHaveLength(9);
  });

  test('is in the log of the record that it was about, with the reasons, and there for the patient alone', async () => {
    const hidden = await made(harbor.post('Observation', observation('Patient/john')));
    await mary.get(`Observation/${hidden.id}`);
    const [event, ...more] = await refusedIn(john);
    expect([more, event]).toMatchObject([[], { outcome: '8', outcomeDesc: expect.stringContaining('record: ') }]);
    expect(JSON.stringify(event)).toContain(`Observation/${hidden.id}/_history/1`);

    const sensitive = await made(ima.post('MedicationStatement', buprenorphine()));
    await designate(classes('MedicationStatement', 'AuditEvent'));
    expect((await anna.get(`MedicationStatement/${sensitive.id}`)).status).toBe(404);
    const about = async (client: Client) => (await refusedIn(client)).filter(one => JSON.stringify(one).includes(sensitive.id));
    expect((await about(mary)).map(({ outcomeDesc }) => outcomeDesc?.includes('record: ')).sort()).toEqual([false, true]);
    expect((await about(anna)).map(({ outcomeDesc }) => outcomeDesc)).toEqual([`MedicationStatement/${sensitive.id} was not found`]);
  });

  test('that comes before the road is in the log too, once', async () => {
    const forge = { resource: { resourceType: 'AuditEvent' }, request: { method: 'POST', url: 'AuditEvent' } };
    const bundle = (type: string, ...entry: object[]): object => ({ resourceType: 'Bundle', type, entry });
    const tries: readonly (readonly [() => PromiseLike<{ status: number }>, number])[] = [
      [() => mary.delete('Consent/x'), 1],
      [() => mary.post('AuditEvent', { resourceType: 'AuditEvent' }), 1],
      [() => mary.put('Provenance/x', { resourceType: 'Provenance', id: 'x' }), 1],
      [() => mary.patch('Patient/mary', []), 1],
      [() => mary.get('Nothing/x'), 1],
      [() => mary.post('Observation', '{'), 1],
      [() => mary.post('Observation', 'x', { 'Content-Type': 'text/plain' }), 1],
      [() => mary.post('', { resourceType: 'Patient' }), 1],
      [() => mary.post('', bundle('batch', forge, {}, { request: { method: 'GET', url: 'Observation/ghost' } })), 3],
      [() => mary.post('', bundle('transaction', forge)), 1],
      [() => mary.post('', bundle('transaction', { request: { method: 'DELETE', url: 'Observation/ghost' } })), 1],
      [() => mary.get('Observation/ghost'), 1],
      // Nobody is known: these are summed up elsewhere, or about nothing.
      [() => world.as('forged').post('AuditEvent', {}), 0],
      [() => world.as('forged').post('metadata', {}), 0],
    ];
    const added: number[] = [];
    for (const [one] of tries) {
      const before = await countEvents();
      await one();
      added.push((await countEvents()) - before);
    }
    expect(added).toEqual(tries.map(([, events]) => events));
  });
});

describe('a reader of the log who is not the patient', () => {
  test('sees no event about a class that is not permitted too, nor about any Consent', async () => {
    await designate(classes('MedicationStatement', 'AuditEvent', 'Consent'));
    const condition = await made(ima.post('Condition', { resourceType: 'Condition', subject: { reference: 'Patient/mary' }, code: { text: 'cough' } }));
    await ima.get('Condition?subject=Patient/mary&code=nothing-like-it');
    const entry = await made(ima.post('MedicationStatement', lisinopril()));
    const restriction = await restrict(classes('Observation'));
    await mary.get(`Consent/${restriction.id}`);
    await mary.get('Consent');
    const seen = [condition.id, restriction.id, 'nothing-like-it', entry.id];
    expect(await Promise.all(seen.map(id => shows(anna, id)))).toEqual([false, false, false, true]);
    expect(await Promise.all([condition.id, restriction.id].map(id => shows(mary, id)))).toEqual([true, true]);
  });

  test('needs the class AuditEvent by name', async () => {
    await designate(classes('MedicationStatement'));
    await made(ima.post('MedicationStatement', lisinopril()));
    expect(await logOf(anna)).toEqual([]);
  });

  test('sees nothing about what is denied by label, by code or one by one', async () => {
    await designate(classes('MedicationStatement', 'AuditEvent'));
    const sensitive = await made(ima.post('MedicationStatement', buprenorphine()));
    const [plain, other] = [await made(ima.post('MedicationStatement', lisinopril())), await made(ima.post('MedicationStatement', lisinopril()))];
    expect(await Promise.all([sensitive, plain, other].map(({ id }) => shows(anna, id)))).toEqual([false, true, true]);
    await restrict({ data: [{ meaning: 'instance', reference: { reference: `MedicationStatement/${plain.id}` } }] });
    expect(await Promise.all([plain, other].map(({ id }) => shows(anna, id)))).toEqual([false, true]);
    await restrict({ code: [plain.medicationCodeableConcept] });
    expect(await shows(anna, other.id)).toBe(false);
    expect(await shows(mary, other.id)).toBe(true);
  });
});

test('a query’s text is kept only where it can be and was about one record', async () => {
  await made(ima.put('Patient/zed', { resourceType: 'Patient', id: 'zed', name: [{ family: 'Zed' }] }));
  const lee = world.as(await world.token('med-app', 'user/*.cruds', 'dr-lee', 'Patient/mary'));
  expect((await lee.get('Patient?_id=mary,zed&family=Zed,Reyes')).body.total).toBe(2);
  expect((await lee.get('Patient?family=Zed,Mary')).status).toBe(200);
  await mary.get('Patient?family=Mine');
  expect([await shows(mary, 'Zed'), await shows(mary, 'family=Mine')]).toEqual([false, true]);
});

test('the words of a search that showed nothing, or only counted, are the patient’s alone: nothing says how careful one must be with them', async () => {
  await designate(classes('MedicationStatement', 'AuditEvent'));
  const hidden = await made(mary.post('MedicationStatement', buprenorphine()));
  const shown = await made(mary.post('MedicationStatement', lisinopril({ partOf: [{ reference: `MedicationStatement/${hidden.id}` }] })));
  const through = `_id=${shown.id}&part-of:MedicationStatement._content=buprenorphine`;
  expect((await mary.get(`MedicationStatement?${through}`)).body.total).toBe(1);
  for (const query of [`_id=${hidden.id}&_summary=count`, '_content=buprenorphine&code=none', `_id=${hidden.id}&_count=0`, through]) {
    expect((await mary.get(`MedicationStatement?${query}`)).status).toBe(200);
    const words = Buffer.from(`MedicationStatement?${new URLSearchParams(query).toString()}`).toString('base64');
    expect([query, await shows(mary, words), await shows(anna, words)]).toEqual([query, true, false]);
  }
});

describe('a Provenance', () => {
  test('of a restriction shows to the patient and not to whoever has the class Consent', async () => {
    await designate(classes('Consent', 'MedicationStatement'));
    const restriction = await restrict(classes('Observation'));
    expect((await anna.get(`Consent/${restriction.id}`)).status).toBe(404);
    const about = `Provenance?target=Consent/${restriction.id}&_total=accurate`;
    expect([(await anna.get(about)).body.total, (await mary.get(about)).body.total]).toEqual([0, 2]);
  });

  test('names nobody but its sender: as agent, for whom, behind an entity, as signer', async () => {
    const entry = await made(ima.post('MedicationStatement', lisinopril()));
    const [own, other] = [{ reference: 'Organization/ima' }, { reference: 'Patient/mary' }];
    const base = { resourceType: 'Provenance', target: [{ reference: `MedicationStatement/${entry.id}` }], recorded: '2026-11-24T00:00:00Z' };
    const signature = { type: [{ system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.1' }], when: '2026-11-24T00:00:00Z' };
    const entity = { role: 'source', what: { reference: `MedicationStatement/${entry.id}` } };
    const forged = [
      { ...base, agent: [{ who: own, onBehalfOf: other }] },
      { ...base, agent: [{ who: own, onBehalfOf: { display: 'Mary' } }] },
      { ...base, agent: [{ who: own }], entity: [{ ...entity, agent: [{ who: other }] }] },
      { ...base, agent: [{ who: own }], entity: [{ ...entity, agent: [{ who: own, onBehalfOf: other }] }] },
      { ...base, agent: [{ who: own }], signature: [{ ...signature, who: other }] },
      { ...base, agent: [{ who: own }], signature: [{ ...signature, who: own, onBehalfOf: other }] },
    ];
    for (const one of forged) expect([JSON.stringify(one), (await ima.post('Provenance', one)).status]).toEqual([JSON.stringify(one), 403]);
    const honest = { ...base, agent: [{ who: own, onBehalfOf: own }], entity: [{ ...entity, agent: [{ who: own }] }], signature: [{ ...signature, who: own }] };
    await made(ima.post('Provenance', honest));
  });
});

test('the log of a search over many records says under which Consents it was', async () => {
  const { world, ima, harbor, mary } = await openStrangers();
  await made(
    ima.post('MedicationStatement', {
      resourceType: 'MedicationStatement',
      status: 'active',
      subject: { reference: 'Patient/mary' },
      medicationCodeableConcept: { text: 'x' },
    }),
  );
  expect((await harbor.get('MedicationStatement?_total=accurate')).body.total).toBe(1);
  const log = await mary.get('AuditEvent?agent=Organization/harbor&action=E');
  expect(JSON.stringify(log.body)).toContain('Consent/enrolment-mary-harbor');
  await world.end();
});
