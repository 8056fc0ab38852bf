import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parsePosition } from '../../src/search/kinds/position.ts';
import { parseQuantity } from '../../src/search/kinds/quantity.ts';
import { parseWords } from '../../src/search/kinds/words.ts';
import { type Atom, all, and, type Branch, type Link, not, or, type PlainAtom, type Predicate, type SearchQuery } from '../../src/search/query.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { type Open, param, put, remove, some, token, write } from './world.ts';

const ucum = 'http://unitsofmeasure.org';
const quantity = (text: string): Atom & PlainAtom => parseQuantity(text)!;
const composite = (...parts: Atom[]): Atom => ({ kind: 'composite', parts: parts as PlainAtom[] });
const words = (text: string): Atom => parseWords(text)!;
const under = (uri: string): Atom => ({ kind: 'uri', how: 'under', uri });

const values: readonly object[] = [
  { valueQuantity: { value: 5, unit: 'mg', system: ucum, code: 'mg' } },
  { valueQuantity: { value: 0.006, unit: 'g', system: ucum, code: 'g' } },
  { valueQuantity: { value: -7.25, unit: 'spoons' } },
  { valueQuantity: { value: 100, comparator: '>', system: ucum, code: 'mg' } },
  { valueSampledData: { origin: { value: 4, system: ucum, code: 'mg' }, period: 1, dimensions: 1, data: '0 5 E 2' } },
  { valueQuantity: { value: 1.7976931348623157e308 } },
  { valueString: 'Ångström 5' },
  { valueQuantity: { value: 0 }, component: [{ code: { coding: [{ code: 'sys' }] }, valueQuantity: { value: 150 } }] },
];

/** Kinds of values besides those of search.ts, and links of several steps. */
export function kindsContract(open: Open): void {
  describe('kinds of parameters', () => {
    let store: ResourceStore;
    beforeAll(async () => {
      ({ store } = await open());
      await write(store, put('Organization/o', { name: 'Clinic' }));
      await write(store, put('Patient/a', { managingOrganization: { reference: 'Organization/o' }, name: [{ family: 'Berg' }] }));
      await write(store, put('Patient/b', { text: { status: 'generated', div: '<div>Keeps <b>bees</b> in Mayfair</div>' } }));
      await write(store, put('Encounter/e', { subject: { reference: 'Patient/a' } }));
      for (const [n, value] of values.entries()) {
        const code = { coding: [{ system: 'http://s', code: n % 2 === 0 ? 'even' : 'odd' }] };
        await write(store, put(`Observation/${n}`, { status: 'final', code, subject: { reference: `Patient/${n < 2 ? 'a' : 'b'}` }, ...value }));
      }
      await write(store, put('Observation/8', { status: 'final', encounter: { reference: 'Encounter/e' } }));
      await write(store, put('Observation/gone', values[0]!), remove('Observation/gone'));
      await write(store, put('Location/berlin', { position: { latitude: 52.52, longitude: 13.405 }, name: 'Bees & Sons' }));
      await write(store, put('Location/potsdam', { position: { latitude: 52.39, longitude: 13.06 } }));
      await write(store, put('Location/sydney', { position: { latitude: -33.87, longitude: 151.21 }, meta: { profile: ['http://p/a/b'] } }));
      await write(store, put('Location/other', { meta: { profile: ['http://p/ab'] } }));
    });
    afterAll(() => store.close());

    const queryOf = (type: string, where: Predicate, links: readonly Link[] = []): SearchQuery => ({
      branches: [{ type, where, links }],
      sort: [],
      limit: 100,
    });
    async function ids(type: string, where: Predicate, ...links: Link[]): Promise<string> {
      const query = queryOf(type, where, links);
      const { versions } = await store.search(query);
      expect(await store.count(query)).toBe(versions.length);
      return versions.map(version => version.key.id).join(' ');
    }
    const observations = (code: string, ...anyOf: Atom[]) => ids('Observation', some('Observation', code, ...anyOf));

    test('quantities: every prefix, in no unit, by code, and in base units', async () => {
      const of = (...texts: string[]) => observations('value-quantity', ...texts.map(quantity));
      expect(await of(`5|${ucum}|mg`)).toBe('0');
      expect(await of(`gt5|${ucum}|mg`)).toBe('1 3 4');
      expect(await of(`ge5|${ucum}|mg`)).toBe('0 1 3 4');
      expect(await of(`lt5|${ucum}|mg`)).toBe('4');
      expect(await of(`le0.006|${ucum}|g`)).toBe('0 1 4');
      expect(await of(`sa5|${ucum}|mg`)).toBe('1 3');
      expect(await of(`eb10|${ucum}|mg`)).toBe('0 1 4');
      expect(await of(`ne5|${ucum}|mg`)).toBe('1 3 4');
      expect(await of(`ap6|${ucum}|mg`)).toBe('1 4');
      expect(await of('5||mg')).toBe('0');
      expect(await of('-7.25')).toBe('2');
      expect(await of('gt1e300')).toBe('3 5');
      expect(await of('0')).toBe('1 7');
      expect(await of('lt-7')).toBe('2');
      expect(await of('5||unheard-of')).toBe('');
    });
    test('a range that ends before it begins is compared to the letter', async () => {
      const probabilityRange = { low: { value: 5 }, high: { value: 3 } };
      await write(store, put('RiskAssessment/r', { status: 'final', prediction: [{ probabilityRange }] }));
      const of = (text: string) => ids('RiskAssessment', some('RiskAssessment', 'probability', quantity(text)));
      expect([await of('4'), await of('sa4'), await of('eb4'), await of('gt4'), await of('lt4')]).toEqual(['r', 'r', 'r', '', '']);
    });
    test('a list of quantities is one term, whatever their units and size', async () => {
      expect(await observations('value-quantity', quantity(`5|${ucum}|mg`), quantity('-7.25'), quantity('gt99||mg'))).toBe('0 2 3');
      const many = Array.from({ length: 1000 }, (_, n) => quantity(`${n + 1000}`));
      expect(await observations('value-quantity', ...many, quantity('0'))).toBe('1 7');
      const exactly = (value: number): Atom => ({ kind: 'quantity', how: 'eq', unit: '', low: value, high: value });
      expect(await observations('value-quantity', exactly(Number.MAX_VALUE), exactly(0.006), exactly(2 ** 60 + 1024))).toBe('1 5');
    });
    test('sorts by the number, whatever its unit, missing last', async () => {
      const sorted = async (descending: boolean) => {
        const query = { ...queryOf('Observation', all), sort: [{ by: param('Observation', 'value-quantity'), descending }] };
        return (await store.search(query)).versions.map(version => version.key.id).join(' ');
      };
      expect(await sorted(false)).toBe('2 7 1 4 0 3 5 6 8');
      expect(await sorted(true)).toBe('3 5 4 0 1 7 2 6 8');
    });
    test('composites: the parts of one occurrence', async () => {
      const odd = token('odd', 'http://s');
      expect(await observations('code-value-quantity', composite(odd, quantity('gt50')))).toBe('3 5');
      expect(await observations('code-value-quantity', composite(token('odd'), quantity(`6|${ucum}|mg`)))).toBe('1');
      expect(await observations('code-value-quantity', composite(token('even', ''), quantity('5')))).toBe('');
      expect(await observations('code-value-quantity', composite({ kind: 'token', system: 'http://s' }, quantity('lt0')))).toBe('2');
      expect(await observations('code-value-quantity', composite(token('odd'), quantity('0')), composite(token('even'), quantity('5')))).toBe('0 1 7');
      expect(await observations('code-value-string', composite(token('even'), { kind: 'string', how: 'starts', text: 'angs' }))).toBe('6');
      expect(await observations('component-code-value-quantity', composite(token('sys', ''), quantity('150')))).toBe('7');
      expect(await observations('component-code-value-quantity', composite(token('odd'), quantity('150')))).toBe('');
      expect(await ids('Observation', not({ op: 'has', param: param('Observation', 'code-value-quantity') }))).toBe('4 6 8');
    });
    test('places by distance', async () => {
      const near = (...texts: string[]) => ids('Location', some('Location', 'near', ...texts.map(text => parsePosition(text)!)));
      expect(await near('52.52|13.405|10|km')).toBe('berlin');
      expect(await near('52.52|13.405')).toBe('berlin potsdam');
      expect(await near('-33.87|151.21|0', '52.39|13.06|0')).toBe('potsdam sydney');
      expect(await near('0|0|20100|km')).toBe('berlin potsdam sydney');
      expect(await near('0|0|1|km')).toBe('');
    });
    test('words: all of them, whole, wherever the condition stands', async () => {
      const bees = some('Patient', '_content', words('bees'));
      expect(await ids('Patient', bees)).toBe('b');
      expect(await ids('Patient', some('Patient', '_text', words('mayfair bees')))).toBe('b');
      expect(await ids('Patient', some('Patient', '_text', words('bees berg')))).toBe('');
      expect(await ids('Patient', some('Patient', '_content', words('bees mayfair'), words('berg')))).toBe('a b');
      expect(await ids('Patient', some('Patient', '_content', words('bee')))).toBe('');
      expect(await ids('Patient', not(bees))).toBe('a');
      expect(await ids('Patient', or(bees, some('Patient', 'name', { kind: 'string', how: 'starts', text: 'berg' })))).toBe('a b');
      expect(await ids('Patient', and(bees, not(some('Patient', '_text', words('berg')))))).toBe('b');
      expect(await ids('Patient', { op: 'has', param: param('Patient', '_text') })).toBe('b');
      // Those of another type are not among them.
      expect(await ids('Location', some('Location', '_content', words('bees')))).toBe('berlin');
    });
    test('words follow each version, and are gone with the resource', async () => {
      const of = (text: string) => ids('Basic', some('Basic', '_text', words(text)));
      const said = (text: string) => ({ code: { text: 'note' }, text: { status: 'generated', div: `<div>${text}</div>` } });
      await write(store, put('Basic/x', said('first')));
      expect(await of('first')).toBe('x');
      await write(store, put('Basic/x', said('second')));
      expect([await of('first'), await of('second')]).toEqual(['', 'x']);
      await write(store, remove('Basic/x'));
      expect(await of('second')).toBe('');
      await write(store, put('Basic/x', said('third')));
      expect(await of('third')).toBe('x');
    });
    test('uris below another', async () => {
      const of = (...uris: string[]) => ids('Location', some('Location', '_profile', ...uris.map(under)));
      expect([await of('http://p'), await of('http://p/a'), await of('http://p/a/b'), await of('http://p/a/b/c')]).toEqual([
        'sydney other',
        'sydney',
        'sydney',
        '',
      ]);
      expect([await of('http://p/a/'), await of('http://P'), await of('http://q', 'http://p')]).toEqual(['', '', 'sydney other']);
    });

    /** http://hl7.org/fhir/R4/search.html#chaining #has */
    test('links of several steps, each either way', async () => {
      const to = (type: string, code: string, ...ends: Branch[]): Link => ({ how: 'refers-to', param: param(type, code), ends });
      const from = (type: string, code: string, where: Predicate, ...links: Link[]): Link => {
        return { how: 'referred-by', param: param(type, code), ends: [{ type, where, links }] };
      };
      const end = (type: string, where: Predicate, ...links: Link[]): Branch => ({ type, where, links });
      const clinic = end('Organization', some('Organization', 'name', { kind: 'string', how: 'starts', text: 'clin' }));
      const ofClinic = end('Patient', all, to('Patient', 'organization', clinic));
      expect(await ids('Observation', all, to('Observation', 'subject', ofClinic))).toBe('0 1');
      expect(await ids('Observation', all, to('Observation', 'encounter', end('Encounter', all, to('Encounter', 'subject', ofClinic))))).toBe('8');
      const high = some('Observation', 'value-quantity', quantity(`gt50|${ucum}|mg`));
      expect(await ids('Patient', all, from('Observation', 'subject', high))).toBe('b');
      expect(await ids('Patient', all, from('Encounter', 'subject', all, from('Observation', 'encounter', all)))).toBe('a');
      expect(await ids('Organization', all, from('Patient', 'organization', all, from('Observation', 'subject', high)))).toBe('');
      expect(await ids('Patient', all, from('Observation', 'encounter', all))).toBe('');
      expect(await ids('Encounter', all, from('Observation', 'encounter', all), to('Encounter', 'subject', ofClinic))).toBe('e');
      expect(
        await ids('Patient', all, from('Encounter', 'subject', all, to('Encounter', 'subject', end('Patient', some('Patient', '_content', words('bees')))))),
      ).toBe('');
      expect(await ids('Observation', all, to('Observation', 'subject', end('Patient', all, from('Encounter', 'subject', all))))).toBe('0 1');
    });
  });
}
