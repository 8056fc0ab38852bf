import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { coverOf } from '../../src/access/cover.ts';
import { granted } from '../../src/search/granted.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { matches } from '../../src/search/match.ts';
import { askArb, grantArb, load, populationArb } from '../search/arbitraries.ts';

/** The resource as if it belonged to one record, which is what a Consent speaks of. */
const inOne = (of: Indexed): Indexed => ({ ...of, facets: { ...of.facets, records: ['Patient/mary'] } });

test('a Consent that is not in force says as a condition what it would say in force, and never less where it cannot say all', () => {
  let exact = 0;
  let passed = 0;
  fc.assert(
    fc.property(populationArb(12), fc.array(grantArb, { minLength: 1, maxLength: 5 }), askArb, (resources, grants, ask) => {
      const rows = grants.map(grant => load({ ...grant, consent: 'Consent/c', record: 'Patient/mary' }, resources));
      for (const one of resources.map(inOne)) {
        const cover = coverOf(rows, ask, one.resource.resourceType);
        for (const effect of ['permit', 'deny'] as const) {
          const holds = matches(cover[effect], one, []);
          const says = granted(effect, ask, one, rows);
          if (cover.exact) expect([effect, holds]).toEqual([effect, says]);
          else if (effect === 'permit' && says) expect(holds).toBe(true);
          else if (effect === 'deny' && holds) expect(says).toBe(true);
          if (cover.exact) exact++;
          if (says) passed++;
        }
      }
    }),
    { numRuns: 2000 },
  );
  // It was asked about something.
  expect(exact).toBeGreaterThan(1000);
  expect(passed).toBeGreaterThan(100);
});
