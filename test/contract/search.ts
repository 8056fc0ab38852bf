import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { nameOf } from '../../src/fhir/types.ts';
import { idParam } from '../../src/search/facets.ts';
import { all, and, type Branch, type Cursor, not, type Predicate, type SearchQuery, type SortKey } from '../../src/search/query.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { at, keyOf, namesOf, type Open, param, put, reference, remove, some, token, write } from './world.ts';

const branch = (type: string, where: Predicate = all, links: Branch['links'] = []): Branch => ({ type, where, links });
const queryOf = (branches: readonly Branch[], sort: readonly SortKey[] = [], limit = 100): SearchQuery => ({ branches, sort, limit });

/** The shapes of queries; what the predicates mean in all combinations is tested by test/property/agreement.test.ts. */
export function searchContract(open: Open): void {
  describe('search', () => {
    let store: ResourceStore;
    beforeAll(async () => {
      ({ store } = await open());
      const observations = [
        { status: 'final', effectiveDateTime: '2024-03', subject: { reference: 'Patient/b' }, code: { coding: [{ code: 'z' }] } },
        { status: 'final', effectiveDateTime: '2024-01', subject: { reference: 'Patient/a' }, code: { coding: [{ code: 'y' }, { code: 'm' }] } },
        { status: 'amended', subject: { reference: 'Patient/a' } },
        { status: 'final', effectiveDateTime: '2024-02', subject: { reference: 'https://elsewhere.example/Patient/a' } },
        { status: 'final', effectiveDateTime: '2024-02', encounter: { reference: 'Encounter/e' }, code: { coding: [{ code: 'x' }] } },
      ];
      await write(
        store,
        put('Patient/a', { name: [{ family: 'Ångström', given: ['Zoë'] }], identifier: [{ system: 'http://mrn', value: '1' }], gender: 'female' }),
      );
      await write(store, put('Patient/b', { name: [{ family: 'Berg' }], gender: 'male' }));
      await write(store, put('Patient/c', { identifier: [{ value: '1' }], meta: { profile: ['http://p'] } }));
      await write(store, put('Encounter/e', { subject: { reference: 'Patient/b' } }));
      for (const [n, observation] of observations.entries()) await store.commit([put(`Observation/${n}`, observation)], at(10 - n));
      await write(store, put('Observation/gone', observations[0]!), remove('Observation/gone'));
    });
    afterAll(() => store.close());

    async function ids(query: SearchQuery): Promise<string> {
      const { versions } = await store.search(query);
      expect(await store.count(query)).toBe(versions.length);
      expect((await store.keys(query)).map(nameOf).toSorted()).toEqual(versions.map(version => nameOf(version.key)).toSorted());
      return versions.map(version => version.key.id).join(' ');
    }
    const patients = (where: Predicate): Promise<string> => ids(queryOf([branch('Patient', where)]));

    test('finds live resources of the type by every kind of parameter', async () => {
      expect(await ids(queryOf([branch('Observation')]))).toBe('0 1 2 3 4');
      expect(await patients(some('Patient', 'identifier', token('1')))).toBe('a c');
      expect(await patients(some('Patient', 'identifier', token('1', '')))).toBe('c');
      expect(await patients(some('Patient', 'identifier', token('1', 'http://unheard.of')))).toBe('');
      expect(await patients(some('Patient', 'name', { kind: 'string', how: 'starts', text: 'angs' }))).toBe('a');
      expect(await patients(some('Patient', 'name', { kind: 'string', how: 'contains', text: 'er' }))).toBe('b');
      expect(await patients(some('Patient', 'name', { kind: 'string', how: 'exact', text: 'Zoë' }))).toBe('a');
      expect(await patients(some('Patient', '_profile', { kind: 'uri', how: 'is', uri: 'http://p' }))).toBe('c');
      expect(await patients({ op: 'has', param: param('Patient', 'name') })).toBe('a b');
      expect(await patients(not({ op: 'has', param: param('Patient', 'name') }))).toBe('c');
      expect(await patients(and(not(some('Patient', 'gender', token('male'))), some('Patient', 'identifier', token('1'))))).toBe('a c');
      expect(await patients({ op: 'keys', keys: ['Patient/c', 'Observation/0', 'Patient/a', 'Patient/c', 'Patient/no'].map(keyOf) })).toBe('a c');
      expect(await patients({ op: 'none' })).toBe('');
      expect(await ids(queryOf([branch('Observation', some('Observation', 'subject', reference('Patient/a')))]))).toBe('1 2');
      expect(
        await ids(queryOf([branch('Observation', some('Observation', 'subject', { kind: 'reference', type: '', id: 'https://elsewhere.example/Patient/a' }))])),
      ).toBe('3');
      expect(
        await ids(
          queryOf([branch('Observation', { op: 'updated', test: { anyOf: [{ kind: 'date', how: 'gt', low: Date.parse(at(8)), high: Date.parse(at(8)) }] } })]),
        ),
      ).toBe('0 1');
      expect(await ids(queryOf([branch('Slot')]))).toBe('');
    });
    test('a list of ten thousand values is one term', async () => {
      const many = (value: (n: number) => string) => Array.from({ length: 10_000 }, (_, n) => value(n));
      expect(await patients(some('Patient', 'identifier', ...many(String).map(code => token(code))))).toBe('a c');
      expect(await patients(some('Patient', 'identifier', ...many(String).map(code => token(code, 'http://mrn'))))).toBe('a');
      expect(
        await ids(queryOf([branch('Observation', some('Observation', 'subject', ...many(n => `Patient/${n}`).map(reference), reference('Patient/b')))])),
      ).toBe('0');
      expect(await patients({ op: 'keys', keys: [...many(n => `Patient/${n}`), 'Patient/b'].map(keyOf) })).toBe('b');
    });
    test('several branches are their union', async () => {
      expect(
        await ids(
          queryOf([branch('Patient', some('Patient', 'gender', token('male'))), branch('Observation', some('Observation', 'status', token('amended')))]),
        ),
      ).toBe('b 2');
      expect(
        await ids(
          queryOf([
            branch('Patient', some('Patient', 'gender', token('male'))),
            branch('Patient', some('Patient', 'name', { kind: 'string', how: 'starts', text: 'b' })),
          ]),
        ),
      ).toBe('b');
      expect(await ids(queryOf([]))).toBe('');
    });

    const sorts: readonly (readonly [string, readonly SortKey[], string])[] = [
      ['date', [{ by: param('Observation', 'date'), descending: false }], '1 3 4 0 2'],
      ['date, descending', [{ by: param('Observation', 'date'), descending: true }], '0 3 4 1 2'],
      ['token', [{ by: param('Observation', 'code'), descending: false }], '1 4 0 2 3'],
      ['token, descending', [{ by: param('Observation', 'code'), descending: true }], '0 1 4 2 3'],
      ['reference', [{ by: param('Observation', 'subject'), descending: false }], '1 2 0 3 4'],
      ['reference, descending', [{ by: param('Observation', 'subject'), descending: true }], '3 0 1 2 4'],
      ['lastUpdated', [{ by: 'updated', descending: false }], '4 3 2 1 0'],
      ['_id, descending', [{ by: idParam, descending: true }], '4 3 2 1 0'],
      [
        'two keys',
        [
          { by: param('Observation', 'date'), descending: true },
          { by: param('Observation', 'code'), descending: false },
        ],
        '0 4 3 1 2',
      ],
    ];
    test.each(sorts)('sorts by %s, missing values last, in pages of any size', async (_, sort, expected) => {
      for (const where of [
        all,
        some('Observation', 'status', token('final'), token('amended')),
        not(some('Observation', 'status', token('entered-in-error'))),
      ]) {
        for (let limit = 1; limit <= 6; limit++) {
          const found: string[] = [];
          let from: Cursor | undefined;
          do {
            const page = await store.search({ ...queryOf([branch('Observation', where)], sort, limit), ...(from === undefined ? {} : { from }) });
            found.push(...page.versions.map(version => version.key.id));
            expect(page.versions.length).toBeLessThanOrEqual(limit);
            from = page.next;
          } while (from !== undefined);
          expect(found.join(' ')).toBe(expected);
        }
      }
    });
    test('sorts by string and by uri', async () => {
      const by = (code: string, descending: boolean): Promise<string> => ids(queryOf([branch('Patient')], [{ by: param('Patient', code), descending }]));
      expect(await by('name', false)).toBe('a b c');
      expect(await by('name', true)).toBe('a b c');
      expect(await by('family', true)).toBe('b a c');
      expect(await by('_profile', false)).toBe('c a b');
    });

    test('follows links both ways, and links of links', async () => {
      const subject = param('Observation', 'subject');
      const named = (text: string) => branch('Patient', some('Patient', 'name', { kind: 'string', how: 'starts', text }));
      const about = (...ends: Branch[]) => ids(queryOf([branch('Observation', all, [{ how: 'refers-to', param: subject, ends }])]));
      expect(await about(named('angs'))).toBe('1 2');
      expect(await about(named('angs'), named('ber'))).toBe('0 1 2');
      expect(await about(branch('Patient'))).toBe('0 1 2');
      expect(await about(branch('Device'))).toBe('');
      const whose = (where: Predicate) =>
        ids(queryOf([branch('Patient', all, [{ how: 'referred-by', param: subject, ends: [branch('Observation', where)] }])]));
      expect(await whose(some('Observation', 'status', token('amended')))).toBe('a');
      expect(await whose(some('Observation', 'status', token('final'), token('amended')))).toBe('a b');
      expect(await whose(not(some('Observation', 'status', token('final'))))).toBe('a');
      const encounter: Branch = branch('Encounter', all, [{ how: 'refers-to', param: param('Encounter', 'subject'), ends: [named('ber')] }]);
      expect(await ids(queryOf([branch('Observation', all, [{ how: 'refers-to', param: param('Observation', 'encounter'), ends: [encounter] }])]))).toBe('4');
    });
    test('linked: what is referred to and what refers, live ones only', async () => {
      const linked = async (of: string[], code: string, how: 'refers-to' | 'referred-by') =>
        namesOf((await store.linked(of.map(keyOf), param('Observation', code), how)).map(key => ({ key })));
      expect(await linked(['Observation/0', 'Observation/1', 'Observation/2', 'Observation/3', 'Observation/9'], 'subject', 'refers-to')).toEqual([
        'Patient/a',
        'Patient/b',
      ]);
      expect(await linked(['Patient/a', 'Patient/b'], 'subject', 'referred-by')).toEqual(['Observation/0', 'Observation/1', 'Observation/2']);
      expect(await linked(['Patient/b'], '.ref', 'referred-by')).toEqual(['Encounter/e', 'Observation/0']);
      expect(await linked([], 'subject', 'refers-to')).toEqual([]);
    });
  });
}
