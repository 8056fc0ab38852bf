import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { verifyChain } from '../../src/audit/chain.ts';
import { activateAs } from '../../src/cli/consent.ts';
import type { DocumentKind } from '../../src/store/documents.ts';
import { scratchStore } from '../engine.ts';
import { openPair, type Pair, startTogether } from '../http/pair.ts';
import { actions, classes, consent, lisinopril, statement } from '../http/resources.ts';
import { type Made, made } from '../http/strangers.ts';
import { type Client, resourcesOf } from '../http/world.ts';

jest.setTimeout(300_000);
const all = 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs';

// In a describe, so that they end before the database goes.
describe('two servers on one database', () => {
  let pair: Pair;
  type Both = readonly [Client, Client];
  let [ehr, mary, anna]: Both[] = [];
  const system = async (): Promise<Both> => pair.as(await pair.token('ehr-ima', 'system/*.cruds'));

  beforeAll(async () => {
    pair = await openPair(scratchStore());
    ehr = await system();
    mary = pair.as(await pair.token('med-app', all, 'mary'));
    anna = pair.as(await pair.token('med-app', 'patient/*.cruds', 'anna', 'Patient/mary'));
  });
  afterAll(() => pair?.end());

  test('start at the same moment on an empty database, three of them too', async () => {
    for (const count of [2, 3, 3]) {
      const started = await startTogether(scratchStore(), count);
      const ready = await Promise.all(started.map(({ at }) => fetch(`${at}/readyz`).then(answer => answer.json())));
      const ends = await Promise.all(started.map(({ server }) => server.stop()));
      expect(ready).toEqual(started.map(() => ({ ready: true })));
      expect(ends).toEqual(started.map(() => expect.objectContaining({ code: 0, err: '' })));
    }
  });

  /** Where Anna asks and where Mary does, in turn. */
  const places = (round: number): readonly [0 | 1, 0 | 1] => (round % 2 === 0 ? [0, 1] : [1, 0]);
  /** A permit for Anna, in force. */
  async function permit(patient: Client): Promise<Made> {
    const provision = { ...actions('access', 'correct'), ...classes('MedicationStatement') };
    const proposed = await made(patient.post('Consent', consent({ kind: 'authorized-user', actor: 'RelatedPerson/anna-for-mary', provision })));
    await activateAs(pair.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' });
    return (await patient.get(`Consent/${proposed.id}`)).body;
  }

  test('what the patient ends at one is refused by the other at the very next request, 100 times', async () => {
    const entry = await made(ehr![0].post('MedicationStatement', lisinopril()));
    const reads = [
      (on: Client) => on.get(`MedicationStatement/${entry.id}`),
      (on: Client) => on.get('MedicationStatement?_total=accurate'),
      (on: Client) => on.get('MedicationStatement?_summary=count'),
    ];
    const asks = [...reads, (on: Client) => on.post('MedicationStatement', statement('161', 'acetaminophen'))];
    for (let round = 0; round < 100; round++) {
      const [a, b] = places(round);
      const active = await permit(mary![b]);
      const before = await Promise.all(asks.map(ask => ask(anna![a])));
      expect([round, ...before.map(({ status }) => status)]).toEqual([round, 200, 200, 200, 201]);
      // She goes on asking while it ends: whatever she asks for after the patient was answered is refused.
      let ended = Number.POSITIVE_INFINITY;
      const going = (async () => {
        for (let number = round; ; number++) {
          const begun = performance.now();
          const { status } = await reads[number % reads.length]!(anna![a]);
          if (begun > ended) return expect([round, status]).toEqual([round, 403]);
          await sleep(10);
        }
      })();
      const answer = await mary![b].put(`Consent/${active.id}`, { ...active, status: 'inactive' });
      ended = performance.now();
      expect([round, answer.status, answer.body.issue]).toEqual([round, 200, undefined]);
      // Another of them comes first each time.
      const next = await Promise.all(asks.map((_, number) => asks[(round + number) % asks.length]!(anna![a])));
      expect([round, ...next.map(({ status }) => status)]).toEqual([round, 403, 403, 403, 403]);
      await going;
    }
  });

  test('where another permit goes on, only what the ended one permitted is gone', async () => {
    const standing = consent({
      kind: 'authorized-user',
      actor: 'RelatedPerson/anna-for-mary',
      provision: { ...actions('access', 'correct'), ...classes('Observation') },
    });
    const proposed = await made(mary![0].post('Consent', standing));
    await activateAs(pair.app, proposed.id, '1', 'mary', { password: 'correct-horse-battery-1' });
    const entry = await made(ehr![0].post('MedicationStatement', lisinopril()));
    for (let round = 0; round < 6; round++) {
      const [a, b] = places(round);
      const active = await permit(mary![b]);
      expect((await anna![a].get('MedicationStatement?_total=accurate')).body.total).toBeGreaterThan(0);
      expect((await mary![b].put(`Consent/${active.id}`, { ...active, status: 'inactive' })).status).toBe(200);
      const asked = [
        anna![a].get(`MedicationStatement/${entry.id}`),
        anna![a].get('MedicationStatement?_total=accurate'),
        anna![a].post('MedicationStatement', lisinopril()),
      ];
      const [read, found, written] = await Promise.all(asked);
      expect([round, read!.status, found!.body.total ?? found!.status, written!.status]).toEqual([round, 404, 0, 403]);
    }
  });

  test('an end of the grant, the client or the account behind a token counts at the next request at either', async () => {
    const { store, now } = pair.app;
    for (let round = 0; round < 30; round++) {
      const token = await pair.token('med-app', all, 'mary');
      const grant = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8')).grant as string;
      const clients = pair.as(token);
      const ends: readonly (readonly [DocumentKind, string, object | undefined])[] = [
        ['grant', grant, { active: false }],
        ['client', 'med-app', undefined],
        ['account', 'mary', { hats: [] }],
      ];
      const [kind, id, change] = ends[round % 3]!;
      const kept = (await store.document(kind, id)) as object;
      const put = (value: unknown) => store.commit([{ op: 'document', kind, id, value }], now());
      const asked = async () => (await Promise.all(clients.map(on => on.get('MedicationStatement?_count=1')))).map(({ status }) => status);
      expect([kind, await asked()]).toEqual([kind, [200, 200]]);
      await put(change === undefined ? undefined : { ...kept, ...change });
      expect([kind, await asked()]).toEqual([kind, [401, 401]]);
      await put(kept);
      expect([kind, await asked()]).toEqual([kind, [200, 200]]);
    }
  });

  test('a RelatedPerson that one of them ends is nobody to the other', async () => {
    const path = 'RelatedPerson/anna-for-mary';
    const fresh = await system();
    const { body: person } = await fresh[0].get(path);
    for (const [a, b] of [0, 1, 2, 3].map(places)) {
      const asked = async () => (await anna![a].get('MedicationStatement')).status;
      const put = async (active: boolean) => (await fresh[b].put(path, { ...person, active })).status;
      expect([await put(false), await asked(), await put(true), (await asked()) === 401]).toEqual([200, 401, 200, false]);
    }
  });

  test('50 conditional creates at once over both make one resource', async () => {
    const fresh = await system();
    for (let round = 0; round < 3; round++) {
      const identifier = [{ system: 'urn:kindred:processes', value: `once-${round}` }];
      const body = lisinopril({ identifier });
      const criterion = { 'If-None-Exist': `identifier=urn:kindred:processes|once-${round}` };
      const answers = await Promise.all(Array.from({ length: 50 }, (_, number) => fresh[(number % 2) as 0 | 1].post('MedicationStatement', body, criterion)));
      const counted = Map.groupBy(answers, answer => answer.status);
      expect(counted.get(201)).toHaveLength(1);
      for (const { status } of answers) expect([200, 201, 409, 412]).toContain(status);
      const ids = answers.filter(({ status }) => status < 300).map(({ body }) => body.id);
      expect(new Set(ids).size).toBe(1);
      const found = await fresh[0].get(`MedicationStatement?identifier=urn:kindred:processes|once-${round}&_total=accurate`);
      expect([found.body.total, found.body.entry[0].resource.id]).toEqual([1, ids[0]]);
    }
  });

  test('of 50 updates of one version at once over both, one is made and 49 are told', async () => {
    const fresh = await system();
    let entry = await made(fresh[0].post('MedicationStatement', lisinopril()));
    for (let round = 0; round < 3; round++) {
      const match = { 'If-Match': `W/"${round + 1}"` };
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, number) =>
          fresh[(number % 2) as 0 | 1].put(`MedicationStatement/${entry.id}`, { ...entry, note: [{ text: `${round} ${number}` }] }, match),
        ),
      );
      const won = answers.filter(({ status }) => status === 200);
      expect([won.length, answers.filter(({ status }) => status === 412).length]).toEqual([1, 49]);
      entry = (await fresh[1].get(`MedicationStatement/${entry.id}`)).body;
      expect(entry).toEqual(won[0]!.body);
      expect((await fresh[0].get(`MedicationStatement/${entry.id}/_history`)).body.entry).toHaveLength(round + 2);
    }
  });

  test('a search that begins at one goes on at the other', async () => {
    const { body } = await mary![0].get('MedicationStatement?_count=1000');
    const ids: (string | undefined)[] = [];
    let next: string | undefined = 'MedicationStatement?_count=7';
    for (let page = 0; next !== undefined; page++) {
      const answer: { status: number; body: { link: { relation: string; url: string }[] } } = await mary![(page % 2) as 0 | 1].get(next);
      expect(answer.status).toBe(200);
      ids.push(...resourcesOf(answer.body as object).map(one => one.id));
      next = answer.body.link.find(link => link.relation === 'next')?.url;
    }
    expect(ids.length).toBeGreaterThan(20);
    expect(ids).toEqual(resourcesOf(body).map(one => one.id));
  });

  test('who goes on writing under a permit cannot hold off its end', async () => {
    for (let round = 0; round < 5; round++) {
      const active = await permit(mary![1]);
      let silent = false;
      const lanes = [0, 1, 2].map(async () => {
        while (!silent) await anna![0].post('MedicationStatement', lisinopril());
      });
      await sleep(100);
      const { status } = await mary![1].put(`Consent/${active.id}`, { ...active, status: 'inactive' });
      silent = true;
      await Promise.all(lanes);
      expect([round, status]).toEqual([round, 200]);
    }
  });

  test('the log of all of them is sound', async () => {
    const { faults, events, heads } = await verifyChain(pair.app.store.chain());
    expect(faults).toEqual([]);
    expect(events).toBeGreaterThan(1000);
    // Both servers, and what the tests did beside them.
    expect(heads.filter(head => head.number > 20)).toHaveLength(3);
  });
});
