import { describe, expect, test } from '@jest/globals';
import { type Problem, problems } from '../../src/fhir/problem.ts';
import { criteriaQuery, scopePredicate } from '../../src/search/criteria.ts';
import { type Pairs, parseSearch, type SearchContext } from '../../src/search/parse.ts';
import type { Place } from '../../src/search/place.ts';
import type { Predicate } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';

const registry = buildRegistry();
const context: SearchContext = {
  registry,
  base: 'https://here.example/fhir',
  now: Date.parse('2024-03-01T00:00:00Z'),
  lenient: false,
  maxCount: 100,
  defaultCount: 20,
};
const pairsOf = (query: string): Pairs => [...new URLSearchParams(query)];
const searchAt = (place: Place, query: string, over: Partial<SearchContext> = {}) => parseSearch(place, pairsOf(query), { ...context, ...over });
const search = (type: string, query: string, over: Partial<SearchContext> = {}) => searchAt({ type }, query, over);
/** A predicate with codes in place of parameters, so that it can be read. */
const shown = (where: Predicate): unknown =>
  JSON.parse(JSON.stringify(where, (key, value) => (key === 'param' ? value.code : key === 'kind' ? undefined : value)));
const where = (type: string, query: string) => shown(search(type, query).query.branches[0]!.where);
const refusal = (run: () => unknown): { code: string; message: string } => {
  try {
    run();
  } catch (problem) {
    return { code: (problem as Problem).code, message: (problem as Problem).message };
  }
  throw new Error('it was not refused');
};
const day = (text: string) => ({ low: Date.parse(`${text}T00:00:00.000Z`), high: Date.parse(`${text}T23:59:59.999Z`) });

describe('conditions', () => {
  test.each<[string, string, unknown]>([
    ['Observation', '', { op: 'all' }],
    ['Observation', 'code=a', { op: 'some', param: 'code', test: { anyOf: [{ code: 'a' }] } }],
    ['Observation', 'code=http://s|a,b', { op: 'some', param: 'code', test: { anyOf: [{ system: 'http://s', code: 'a' }, { code: 'b' }] } }],
    ['Observation', 'code=a\\,b', { op: 'some', param: 'code', test: { anyOf: [{ code: 'a,b' }] } }],
    ['Observation', 'code:not=a,b', { op: 'not', term: { op: 'some', param: 'code', test: { anyOf: [{ code: 'a' }, { code: 'b' }] } } }],
    ['Observation', 'status:missing=true', { op: 'not', term: { op: 'has', param: 'status' } }],
    [
      'Observation',
      'code:missing=false',
      {
        op: 'or',
        terms: [
          { op: 'has', param: 'code' },
          { op: 'has', param: 'code:text' },
        ],
      },
    ],
    ['Observation', 'date:missing=false', { op: 'has', param: 'date' }],
    ['Patient', 'gender=http://hl7.org/fhir/administrative-gender|male', { op: 'some', param: 'gender', test: { anyOf: [{ code: 'male' }] } }],
    ['Patient', 'name=%C3%81nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'starts', text: 'ann' }] } }],
    ['Patient', 'name:contains=Nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'contains', text: 'nn' }] } }],
    ['Patient', 'name:exact=Nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'exact', text: 'Nn' }] } }],
    ['Observation', 'date=ge2024-01-05', { op: 'some', param: 'date', test: { anyOf: [{ how: 'ge', ...day('2024-01-05') }] } }],
    ['Observation', 'patient=mary', { op: 'some', param: 'patient', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Observation', 'subject=mary', { op: 'some', param: 'subject', test: { anyOf: [{ id: 'mary' }] } }],
    ['Observation', 'subject=Patient/mary/_history/2', { op: 'some', param: 'subject', test: { anyOf: [{ type: '', id: 'Patient/mary/_history/2' }] } }],
    ['Observation', 'subject=https://here.example/fhir/Patient/mary', { op: 'some', param: 'subject', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Observation', 'subject=urn:uuid:1', { op: 'some', param: 'subject', test: { anyOf: [{ type: '', id: 'urn:uuid:1' }] } }],
    ['Observation', 'subject:Patient=mary', { op: 'some', param: 'subject', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Questionnaire', 'url=http://q', { op: 'some', param: 'url', test: { anyOf: [{ how: 'is', uri: 'http://q' }] } }],
    ['Patient', '_profile=http://p', { op: 'some', param: '_profile', test: { anyOf: [{ how: 'is', uri: 'http://p' }] } }],
    [
      'Patient',
      '_id=a,b',
      {
        op: 'keys',
        keys: [
          { type: 'Patient', id: 'a' },
          { type: 'Patient', id: 'b' },
        ],
      },
    ],
    ['Patient', '_id:not=a', { op: 'not', term: { op: 'keys', keys: [{ type: 'Patient', id: 'a' }] } }],
    ['Patient', '_lastUpdated=gt2024-01-05', { op: 'updated', test: { anyOf: [{ how: 'gt', ...day('2024-01-05') }] } }],
    [
      'Patient',
      '_lastUpdated=2024-01-05,2024-01-06',
      {
        op: 'updated',
        test: {
          anyOf: [
            { how: 'eq', ...day('2024-01-05') },
            { how: 'eq', ...day('2024-01-06') },
          ],
        },
      },
    ],
    [
      'Observation',
      'status=final&status=amended',
      {
        op: 'and',
        terms: [
          { op: 'some', param: 'status', test: { anyOf: [{ code: 'final' }] } },
          { op: 'some', param: 'status', test: { anyOf: [{ code: 'amended' }] } },
        ],
      },
    ],
  ])('%s?%s', (type, query, expected) => expect(where(type, query)).toEqual(expected));
});

describe('chains', () => {
  const links = (type: string, query: string) =>
    search(type, query).query.branches[0]!.links.map(({ how, param, ends }) => [how, param.code, ends.map(end => [end.type, shown(end.where)])]);
  const named = (type: string) => [type, { op: 'some', param: 'name', test: { anyOf: [{ how: 'starts', text: 'x' }] } }];
  test('with a type', () => expect(links('Observation', 'subject:Patient.name=x')).toEqual([['refers-to', 'subject', [named('Patient')]]]));
  test('without: every type that it may refer to and that has the parameter', () =>
    expect(links('Observation', 'subject.name=x')).toEqual([['refers-to', 'subject', [named('Location'), named('Patient')]]]));
  test('through patient', () => expect(links('Observation', 'patient.name=x')).toEqual([['refers-to', 'patient', [named('Patient')]]]));
  test('to an id', () =>
    expect(links('Observation', 'patient._id=mary')).toEqual([
      ['refers-to', 'patient', [['Patient', { op: 'keys', keys: [{ type: 'Patient', id: 'mary' }] }]]],
    ]));
  test('with a modifier at its end', () =>
    expect(links('Observation', 'patient.name:exact=X')).toEqual([
      ['refers-to', 'patient', [['Patient', { op: 'some', param: 'name', test: { anyOf: [{ how: 'exact', text: 'X' }] } }]]],
    ]));
  test('of several steps, with a reverse one in them', () => {
    const {
      links: [link, ...more],
    } = search('Observation', 'subject:Patient._has:Encounter:patient:service-provider:Organization.name=x').query.branches[0]!;
    expect([more, link!.ends[0]!.links[0]!.how, link!.ends[0]!.links[0]!.ends[0]!.links[0]!.ends.map(({ type }) => type)]).toEqual([
      [],
      'referred-by',
      ['Organization'],
    ]);
  });
  test('of several steps say of each what must be readable', () =>
    expect(search('Observation', 'patient.organization.name=x&_has:Observation:has-member:encounter.status=finished').reads.needs).toEqual([
      'Patient',
      'Organization',
      'Observation',
      'Encounter',
    ]));
  test('say what must be readable', () =>
    expect(search('Observation', 'subject.name=x&encounter.status=finished').reads).toEqual({ needs: ['Location', 'Patient', 'Encounter'], brings: [] }));
});

describe('refusals name the parameter, and the value where it is the value', () => {
  test.each<[string, string, string, RegExp]>([
    ['Patient', 'colour=red', 'invalid', /^Patient has no search parameter `colour`; it has _content, _id, _lastUpdated, .*birthdate/],
    ['Patient', '.record=Patient/mary', 'invalid', /no search parameter ``/],
    ['AuditEvent', 'type=rest', 'unsupported', /`type` of AuditEvent is not supported/],
    ['Patient', '_filter=name eq x', 'unsupported', /`_filter` is not supported/],
    ['Patient', '_contained=true', 'unsupported', /`_contained`/],
    ['Patient', '_query=everything', 'unsupported', /`_query`/],
    ['Patient', '_has:Observation:code:status=x', 'invalid', /`code` of Observation is not a reference/],
    ['Patient', '_has:Observation:encounter:status=x', 'invalid', /never to Patient/],
    ['Patient', 'name:phonetic=x', 'invalid', /`name:phonetic`: the modifier `phonetic`/],
    ['Patient', 'birthdate:exact=2024', 'invalid', /`birthdate:exact`/],
    ['Patient', '_id:contains=x', 'invalid', /`_id:contains`/],
    ['Patient', '_lastUpdated:not=2024', 'invalid', /`_lastUpdated:not`/],
    ['Observation', 'subject:Foo=1', 'invalid', /`Foo` is neither a resource type nor a modifier/],
    ['Observation', 'encounter:Patient=1', 'invalid', /`encounter` refers to .*, never to `Patient`/],
    ['Patient', 'birthdate=x', 'value', /`birthdate=x`: `x` is not a date/],
    ['Patient', 'birthdate=2024-02-30', 'value', /`2024-02-30` is not a date/],
    ['Patient', 'birthdate=2024,ge', 'value', /`birthdate=ge`/],
    ['Patient', 'name=', 'value', /`name=` has an empty value/],
    ['Patient', 'name=a,,b', 'value', /`name=a,,b` has an empty value/],
    ['Patient', 'gender=|', 'value', /`gender=\|`/],
    ['Patient', 'gender:missing=yes', 'value', /`gender:missing=yes`: `yes` is not `true` or `false`/],
    ['Patient', '_id=a b', 'value', /`a b` is not an id/],
    ['Observation', 'subject=Patient?x', 'value', /`subject=Patient\?x`/],
    ['Observation', 'encounter:Encounter=a/b', 'value', /not an id, `Encounter\/id`/],
    ['Observation', 'code.name=x', 'invalid', /`code` is not a reference/],
    ['Observation', 'patient.colour=x', 'invalid', /`patient.colour`: nothing that `patient` may refer to \(Patient\) has a parameter `colour`/],
    ['Observation', 'subject:Patient.colour=x', 'invalid', /Patient has no search parameter `colour`/],
    ['List', 'item.name=x', 'invalid', /`item` may refer to anything: name the type, as in `item:Patient.name`/],
    ['Observation', 'patient.birthdate=x', 'value', /`birthdate=x`/],
  ])('%s?%.60s', (type, query, code, message) => {
    const { code: found, message: said } = refusal(() => search(type, query));
    expect([found, said]).toEqual([code, expect.stringMatching(message)]);
    expect(problems[found as keyof typeof problems].status).toBe(400);
  });
});

describe('a lenient search', () => {
  const lenient = (query: string) => search('Patient', query, { lenient: true });
  test('leaves out what is not known or not supported, and says so', () => {
    const parsed = lenient('colour=red&name=x&_has:Observation:patient:colour=y&_sort=colour&_elements=colour&organization.colour=z&_include=Patient:colour');
    expect(parsed.ignored).toEqual(['colour', '_has:Observation:patient:colour', '_sort', '_elements', 'organization.colour', '_include']);
    expect([parsed.understood, parsed.query.sort, parsed.includes]).toEqual([[['name', 'x']], [], []]);
  });
  test.each(['_filter=x', '_contained=true', '_query=x', 'name:phonetic=x', 'birthdate=x', '_count=x', 'name=', '_include=x'])(
    'leaves out nothing that is wrong: %s',
    query => expect(() => lenient(query)).toThrow(),
  );
});

describe('criteria of conditional interactions', () => {
  const criteria = (query: string) => criteriaQuery('Patient', query, context);
  test('a query for two', () => {
    const { branches, sort, limit } = criteria('identifier=http%3A%2F%2Fmrn%7C7&active=true');
    expect([branches.length, branches[0]!.type, branches[0]!.links, sort, limit]).toEqual([1, 'Patient', [], [], 2]);
    expect(shown(branches[0]!.where)).toEqual({
      op: 'and',
      terms: [
        { op: 'some', param: 'identifier', test: { anyOf: [{ system: 'http://mrn', code: '7' }] } },
        { op: 'some', param: 'active', test: { anyOf: [{ code: 'true' }] } },
      ],
    });
  });
  test.each(['', '?', '_count=1', '_sort=name', '_format=json', '_include:iterate=Patient:link', '_type=Patient', 'colour=red', 'identifier='])(
    'refuses %j',
    query => expect(() => criteria(query)).toThrow(),
  );
  // What they find depends on more than the resource itself.
  test.each(['general-practitioner.name=x', '_has:Observation:patient:code=x', '_list=1', '_text=x', '_content=x', 'gender:in=http://v', 'language:below=en'])(
    'does not support %j',
    query => expect(refusal(() => criteria(query)).code).toBe('unsupported'),
  );
  test('is never lenient', () => expect(() => criteriaQuery('Patient', 'colour=red', { ...context, lenient: true } as SearchContext)).toThrow(/`colour`/));
});

describe('granular scopes', () => {
  test('mean what the search means', () => {
    const pairs: Pairs = [['category', 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory,vital-signs']];
    expect(shown(scopePredicate('Observation', pairs, registry))).toEqual(where('Observation', `category=${encodeURIComponent(pairs[0]![1])}`));
    expect(scopePredicate('Observation', [], registry)).toEqual({ op: 'all' });
  });
  test.each([
    ['category:not', 'x'],
    ['subject:Patient', 'x'],
    ['patient.name', 'x'],
    ['_count', '1'],
    ['_sort', 'date'],
    ['colour', 'red'],
    ['_list', '1'],
    ['_text', 'x'],
    ['date', 'ap2024'],
    ['date', 'x'],
    ['_has:Observation:patient:code', 'x'],
  ])('refuse %s=%s', (name, value) => expect(() => scopePredicate('Observation', [[name, value]], registry)).toThrow());
});
