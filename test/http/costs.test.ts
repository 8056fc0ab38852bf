import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import { type Client, openWorld, type World } from './world.ts';

// What one client sends must neither stop the server for the others nor fill its memory.
jest.setTimeout(30_000);
let world: World;
let mary: Client;
beforeAll(async () => {
  world = await openWorld();
  mary = world.as(await world.token('med-app', 'patient/*.cruds', 'mary'));
});
afterAll(() => world.end());

const observation = (more: object = {}): Resource => ({
  resourceType: 'Observation',
  status: 'final',
  code: { text: 'weight' },
  subject: { reference: 'Patient/mary' },
  ...more,
});
const bundle = (type: string, entry: readonly object[]): object => ({ resourceType: 'Bundle', type, entry });
const posts = (size: number, more: object = {}): readonly object[] =>
  Array.from({ length: size }, () => ({ resource: observation(more), request: { method: 'POST', url: 'Observation' } }));
const citing = (count: number): object =>
  bundle('transaction', posts(1, { hasMember: Array.from({ length: count }, (_, at) => ({ reference: `Observation?status=final,x${at}` })) }));

/** The longest time, ms, for which the event loop stood still. */
async function blocked(work: () => PromiseLike<unknown>): Promise<number> {
  let worst = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  }, 10);
  await work();
  await new Promise(resolve => setTimeout(resolve, 30));
  clearInterval(timer);
  return worst;
}

test('ten megabytes of numbers that would not print as they came are refused quickly', async () => {
  let status = 0;
  const worst = await blocked(async () => {
    status = (await mary.post('Observation', `{"resourceType":"Observation","x":[${'1.0,'.repeat(2_500_000)}1]}`)).status;
  });
  expect([status, worst < 1500 || worst]).toEqual([400, true]);
});

test('a big transaction lets others in', async () => {
  let status = 0;
  const worst = await blocked(async () => {
    status = (await mary.post('', bundle('transaction', posts(3000)))).status;
  });
  expect([status, worst < 1500 || worst]).toEqual([200, true]);
});

test('a transaction has ten thousand entries and two thousand conditions at most', async () => {
  expect((await mary.post('', bundle('transaction', posts(10_001)))).body.issue[0].code).toBe('too-costly');
  expect((await mary.post('', citing(2001))).body.issue[0].code).toBe('too-costly');
});

test('conditional references read no bodies', async () => {
  const note = Array.from({ length: 20 }, () => ({ text: 'a'.repeat(500_000) }));
  for (let at = 0; at < 2; at++) expect((await mary.post('Observation', observation({ note }))).status).toBe(201);
  let status = 0;
  const worst = await blocked(async () => {
    status = (await mary.post('', citing(600))).status;
  });
  expect([status, worst < 1000 || worst]).toEqual([412, true]);
});

test('the answer to a batch or transaction is bounded: what is too large by then is refused, what was written is told', async () => {
  await mary.post('', bundle('transaction', posts(1000, { category: [{ text: 'big' }], note: [{ text: 'y'.repeat(4000) }] })));
  const get = { request: { method: 'GET', url: 'Observation?_count=1000&_sort=-_lastUpdated' } };
  for (const type of ['batch', 'transaction']) {
    const answer = await mary.post('', bundle(type, [...Array<object>(30).fill(get), ...posts(1)]));
    const entries = answer.body.entry as readonly { response: { status: string; outcome?: { issue: [{ code: string }] } } }[];
    expect(Number(answer.headers['content-length'])).toBeLessThan(64 * 2 ** 20);
    expect([entries[0]!.response.status, entries[29]!.response.outcome?.issue[0].code]).toEqual(['200', 'too-costly']);
    expect(entries[30]!.response.status).toMatch(type === 'batch' ? /^400/ : /^201/);
  }
});
