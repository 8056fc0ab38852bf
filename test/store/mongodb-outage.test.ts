import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type Server, startServer } from '../cli/process.ts';
import { scratchStore } from '../engine.ts';
import { startProxy, type Wire } from '../mongodb/proxy.ts';
import { makeTrouble, randomFrom } from '../mongodb/trouble.ts';

// A real server whose way to the database is broken: what is seen of it over HTTP.
const TIMEOUT = 2000;
/** What a busy machine adds, and what is asked after the database was found to be away. */
const MARGIN = 1500;
jest.setTimeout(120_000);

let proxy: Wire;
let server: Server;
beforeAll(async () => {
  proxy = await startProxy(scratchStore());
  server = await startServer({ KINDRED_STORE: proxy.url, KINDRED_STORE_TIMEOUT: String(TIMEOUT / 1000), KINDRED_AUTH: 'off', KINDRED_LOG: 'debug' });
});
afterEach(() => proxy.heal());
afterAll(async () => {
  const { code } = await server.stop();
  await proxy.close();
  expect(code).toBe(0);
});

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly text: string;
}
async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const begun = performance.now();
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/fhir+json' } };
  const response = await fetch(`${server.url}${path}`, { method, ...sent, signal: AbortSignal.timeout(60_000) });
  return { status: response.status, text: await response.text(), ms: performance.now() - begun };
}
/** A clear answer: what was asked for, or an OperationOutcome that says why not, in words that are not the driver's. */
function clear({ status, text }: Answer): void {
  expect([200, 201, 404, 409, 412, 503]).toContain(status);
  const body = JSON.parse(text);
  if (status === 200 || status === 201) return;
  expect(body.resourceType).toBe('OperationOutcome');
  if (status === 503) expect(body.issue[0]).toMatchObject({ code: 'transient', diagnostics: expect.stringMatching(/^(the database|nothing can)/) });
  expect(text).not.toMatch(/mongo|127\.0|localhost:\d|socket|pool|ECONN|EPIPE|topology|selection/i);
}
const ready = (): Promise<number> => ask('GET', '/readyz').then(one => one.status);
const patient = (id: string) => ({ resourceType: 'Patient', id, name: [{ family: 'Shaken' }] });

test('each request is answered clearly and in time, whatever becomes of the connections', async () => {
  const random = randomFrom(jest.getSeed());
  const answers: Answer[] = [];
  const stored = new Set<string>();
  let ending = false;
  const lane = async (number: number): Promise<void> => {
    for (let n = 0; !ending; n++) {
      const id = `p${number}-${n}`;
      const put = await ask('PUT', `/fhir/Patient/${id}`, patient(id));
      if (put.status === 201) stored.add(id);
      const others = [await ask('GET', `/fhir/Patient/${id}`), await ask('GET', '/fhir/Patient?name=shaken&_count=2')];
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient('x'), request: { method: 'POST', url: 'Patient' } }] };
      answers.push(put, ...others, await ask('POST', '/fhir', bundle));
      if (answers.at(-1)!.status === 503) await sleep(20);
    }
  };
  const lanes = Array.from({ length: 6 }, (_, number) => lane(number));
  await makeTrouble(proxy, random, 20_000, TIMEOUT);
  ending = true;
  await Promise.all(lanes);
  const slowest = Math.max(...answers.map(one => one.ms));
  if (process.env.KINDRED_TEST_FIGURES) {
    const by = Object.groupBy(answers, one => String(one.status));
    console.log({ ...Object.fromEntries(Object.entries(by).map(([status, those]) => [status, those!.length])), slowest: Math.round(slowest) });
  }
  for (const answer of answers) clear(answer);
  // A request asks the database several things, and each of them may just have been in time.
  expect(slowest).toBeLessThan(2 * TIMEOUT + MARGIN);
  for (let tries = 0; (await ready()) !== 200 && tries < 100; tries++) await sleep(100);
  for (const id of stored) expect([id, (await ask('GET', `/fhir/Patient/${id}`)).status]).toEqual([id, 200]);
  expect(stored.size).toBeGreaterThan(20);
});

test('a database that says nothing: 503 after the time that was set, to all; then at once', async () => {
  await ask('PUT', '/fhir/Patient/quiet', patient('quiet'));
  proxy.swallow();
  const all = await Promise.all([
    ask('GET', '/fhir/Patient/quiet'),
    ask('PUT', '/fhir/Patient/quiet', patient('quiet')),
    ask('GET', '/fhir/Patient?name=shaken'),
    ask('DELETE', '/fhir/Patient/quiet'),
  ]);
  for (const answer of all) {
    clear(answer);
    expect(answer.status).toBe(503);
    expect(answer.ms).toBeLessThan(TIMEOUT + MARGIN);
  }
  const next = await ask('GET', '/fhir/Patient/quiet');
  expect([next.status, next.ms < TIMEOUT]).toEqual([503, true]);
  expect((await ask('GET', '/fhir/metadata')).status).toBe(200);
  expect((await ask('GET', '/healthz')).status).toBe(200);
});

test.each(['refuse', 'swallow'] as const)('/readyz tells of it within 2 seconds, and of its end by itself (%s)', async how => {
  for (let tries = 0; (await ready()) !== 200 && tries < 100; tries++) await sleep(100);
  expect(await ready()).toBe(200);
  const cut = Date.now();
  proxy[how]();
  while ((await ready()) !== 503) await sleep(50);
  expect(Date.now() - cut).toBeLessThan(2000);
  await sleep(3000);
  expect(await ready()).toBe(503);
  const healed = Date.now();
  proxy.heal();
  while ((await ready()) !== 200) await sleep(50);
  while ((await ask('GET', '/fhir/Patient?name=shaken')).status !== 200) await sleep(50);
  while ((await ask('PUT', `/fhir/Patient/${how}`, patient(how))).status !== 201) await sleep(50);
  expect(Date.now() - healed).toBeLessThan(6000);
});
