import { expect, test } from '@jest/globals';
import type { ResourceKey } from '../../src/fhir/types.ts';
import { bringAlong } from '../../src/interaction/search-includes.ts';
import type { Include } from '../../src/search/include.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import type { ResourceReader, Version } from '../../src/store/store.ts';

// The limits of what comes along with a page (http://hl7.org/fhir/R4/search.html#include), with a reader that has as much as is wanted.
const registry = buildRegistry();
const version = (key: ResourceKey): Version => ({ key, versionId: '1', body: Buffer.alloc(0) }) as unknown as Version;
const patient = version({ type: 'Patient', id: 'p' });

/** Shows `shown` Observations that refer to the patient, and knows of `hidden` more. */
function readerOf(shown: number, hidden: number): ResourceReader {
  const keys = Array.from({ length: shown }, (_, at) => ({ type: 'Observation', id: String(at) }));
  const others = Array.from({ length: hidden }, (_, at) => ({ type: 'Observation', id: `hidden-${at}` }));
  return {
    async search({ branches, limit, from }) {
      const at = Number(from?.rid ?? 0);
      const found = branches[0]!.type === 'Observation' ? keys.slice(at, at + limit) : [];
      return { versions: found.map(version), ...(at + limit < keys.length && found.length > 0 ? { next: { keys: [], rid: at + limit } } : {}) };
    },
    linked: async () => [...keys, ...others],
  } as Partial<ResourceReader> as ResourceReader;
}
const back: Include = { how: 'referred-by', from: 'Observation', param: registry.param('Observation', 'subject')!, iterate: false };
const there: Include = { how: 'refers-to', from: 'Patient', param: registry.param('Patient', 'link')!, iterate: false };

test.each([back, there])('10,000 come along, 10,001 are refused ($how)', async include => {
  expect(await bringAlong([include], [patient], readerOf(10_000, 0), registry)).toHaveLength(10_000);
  await expect(bringAlong([include], [patient], readerOf(10_001, 0), registry)).rejects.toMatchObject({
    code: 'too-costly',
    message: expect.stringContaining('10000'),
  });
});

test('what is hidden is not counted', async () => {
  expect(await bringAlong([there], [patient], readerOf(3, 20_000), registry)).toHaveLength(3);
});

test('what is on the page already does not come again, however many pages of it there are', async () => {
  const page = [patient, ...Array.from({ length: 2500 }, (_, at) => version({ type: 'Observation', id: String(at) }))];
  expect((await bringAlong([back], page, readerOf(2600, 0), registry)).map(({ key }) => key.id)).toEqual(
    Array.from({ length: 100 }, (_, at) => String(2500 + at)),
  );
});
