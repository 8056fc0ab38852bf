import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { openCaller } from '../../src/app.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { answerBundle } from '../../src/interaction/bundle.ts';
import { makeSeal } from '../../src/interaction/cursor.ts';
import type { Answer, Entry, FhirRequest } from '../../src/interaction/interaction.ts';
import { answerSearch } from '../../src/interaction/search-answer.ts';
import { parseSearch } from '../../src/search/parse.ts';
import type { ResourceReader } from '../../src/store/store.ts';
import { registry } from '../engine.ts';

// A clock that goes on only when something takes time.
let clock = 0;
beforeEach(() => {
  clock = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => clock);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const base = () => 'http://localhost/fhir';
const answering = { registry, base, seal: makeSeal(Buffer.alloc(32)) };
const context = { registry, base: base(), now: 0, lenient: false, defaultCount: 50, maxCount: 1000 };

/** A reader whose searches take so many seconds. */
const slow = (seconds: number): ResourceReader => ({
  read: async () => undefined,
  async search() {
    clock += seconds * 1000;
    return { versions: [] };
  },
  count: async () => 0,
  history: async () => [],
  linked: async () => [],
});
const ask = (reader: ResourceReader): Promise<Answer> => {
  const parsed = parseSearch({ type: 'Patient' }, [['_total', 'accurate']], context);
  return answerSearch({ parsed, text: 'Patient', bound: '' }, reader, answering);
};
test('a search with its total may take ten seconds', async () => {
  expect((await ask(slow(9))).status).toBe(200);
  await expect(ask(slow(11))).rejects.toMatchObject({ code: 'too-costly', message: expect.stringContaining('10 seconds') });
});

const entry = (method: string): object => ({
  request: { method, url: method === 'GET' ? 'Patient?name=x' : 'Patient' },
  ...(method === 'GET' ? {} : { resource: { resourceType: 'Patient' } }),
});
test('the reads of a Bundle may take fifteen seconds together; what it writes is written whatever they take', async () => {
  const asked: string[] = [];
  const go = async ({ method }: FhirRequest): Promise<Answer> => {
    asked.push(method);
    clock += 8000;
    return { status: 200, shows: [] };
  };
  const body = { resourceType: 'Bundle', type: 'batch', entry: ['GET', 'GET', 'GET', 'POST'].map(entry) } as unknown as Resource;
  const never = () => Promise.reject(new Error('there is no transaction'));
  const request = { method: 'POST', path: [], query: [], headers: {}, body } as const;
  const answer = await answerBundle(
    request,
    openCaller,
    base(),
    () => ({ code: 'batch' }),
    go,
    never,
    undefined as never,
    async () => {},
  );
  const { entries } = answer.body as { readonly entries: readonly Entry[] };
  expect(entries.map(({ response }) => response!.status)).toEqual(['200', '200', '400', '200']);
  expect(JSON.stringify(entries[2]!.response!.outcome)).toContain('15 seconds');
  expect(asked).toEqual(['GET', 'GET', 'POST']);
});

test('the length of a cursor tells nothing of the row that it names', () => {
  const length = (rid: number): number => answering.seal.close({ at: { keys: [], rid }, before: [] }, '').length;
  expect(length(9_007_199_254_740_991)).toBe(length(1));
});
