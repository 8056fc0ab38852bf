import { describe, expect, test } from '@jest/globals';
import { type Problem, problems } from '../../src/fhir/problem.ts';
import { idParam } from '../../src/search/facets.ts';
import { criteriaQuery, type Pairs, parseSearch, type SearchContext, scopePredicate } from '../../src/search/parse.ts';
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
const search = (type: string, query: string, over: Partial<SearchContext> = {}) => parseSearch(type, pairsOf(query), { ...context, ...over });
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
    ['Observation', 'code:missing=true', { op: 'not', term: { op: 'has', param: 'code' } }],
    ['Observation', 'date:missing=false', { op: 'has', param: 'date' }],
    ['Patient', 'gender=http://hl7.org/fhir/administrative-gender|male', { op: 'some', param: 'gender', test: { anyOf: [{ code: 'male' }] } }],
    ['Patient', 'name=%C3%81nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'starts', text: 'ann' }] } }],
    ['Patient', 'name:contains=Nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'contains', text: 'nn' }] } }],
    ['Patient', 'name:exact=Nn', { op: 'some', param: 'name', test: { anyOf: [{ how: 'exact', text: 'Nn' }] } }],
    ['Observation', 'date=ge2024-01-05', { op: 'some', param: 'date', test: { anyOf: [{ how: 'ge', ...day('2024-01-05') }] } }],
    ['Observation', 'patient=mary', { op: 'some', param: 'patient', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Observation', 'subject=mary', { op: 'some', param: 'subject', test: { anyOf: [{ id: 'mary' }] } }],
    ['Observation', 'subject=Patient/mary/_history/2', { op: 'some', param: 'subject', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Observation', 'subject=https://here.example/fhir/Patient/mary', { op: 'some', param: 'subject', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Observation', 'subject=urn:uuid:1', { op: 'some', param: 'subject', test: { anyOf: [{ type: '', id: 'urn:uuid:1' }] } }],
    ['Observation', 'subject:Patient=mary', { op: 'some', param: 'subject', test: { anyOf: [{ type: 'Patient', id: 'mary' }] } }],
    ['Questionnaire', 'url=http://q', { op: 'some', param: 'url', test: { anyOf: [{ uri: 'http://q' }] } }],
    ['Patient', '_profile=http://p', { op: 'some', param: '_profile', test: { anyOf: [{ uri: 'http://p' }] } }],
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
  test('say what must be readable', () =>
    expect(search('Observation', 'subject.name=x&encounter.status=finished').reads).toEqual({ needs: ['Location', 'Patient', 'Encounter'], brings: [] }));
});

describe('how results come', () => {
  test('the usual', () =>
    expect(search('Observation', '')).toEqual({
      query: { branches: [{ type: 'Observation', where: { op: 'all' }, links: [] }], sort: [], limit: 20 },
      includes: [],
      total: 'none',
      ignored: [],
      understood: [],
      reads: { needs: [], brings: [] },
    }));
  test('_count, capped', () => {
    expect(search('Patient', '_count=5').query.limit).toBe(5);
    const capped = search('Patient', '_count=5000');
    expect([capped.query.limit, capped.understood]).toEqual([100, [['_count', '100']]]);
  });
  test.each(['_count=0', '_summary=count'])('%s asks for the number only', query => {
    const { query: asked, total, summary } = search('Patient', query);
    expect([asked.limit, total, summary]).toEqual([0, 'accurate', 'count']);
  });
  test('_summary=false is what there is anyway', () => expect(search('Patient', '_summary=false').summary).toBeUndefined());
  test('_total', () => expect(search('Patient', '_total=accurate').total).toBe('accurate'));
  test('_sort', () =>
    expect(search('Observation', '_sort=-date,status,_lastUpdated,-_id').query.sort).toEqual([
      { by: registry.param('Observation', 'date'), descending: true },
      { by: registry.param('Observation', 'status'), descending: false },
      { by: 'updated', descending: false },
      { by: idParam, descending: true },
    ]));
  test('_include', () => {
    const { includes, reads } = search('Observation', '_include=Observation:subject&_include=Observation:subject:Patient&_include=Observation:encounter');
    const [subject, encounter] = [registry.param('Observation', 'subject'), registry.param('Observation', 'encounter')];
    expect(includes).toEqual([
      { param: subject, from: 'Observation' },
      { param: subject, from: 'Observation', target: 'Patient' },
      { param: encounter, from: 'Observation' },
    ]);
    expect([...reads.brings].sort()).toEqual(['Device', 'Encounter', 'Group', 'Location', 'Patient']);
  });
  test('an include of anything may bring everything', () => expect(search('List', '_include=List:item').reads.brings.length).toBeGreaterThan(100));
  test('_cursor is handed on, and left out of the link; _format and _pretty are for others', () => {
    const parsed = search('Patient', '_cursor=abc&_format=json&_pretty=true&name=x');
    expect([parsed.cursor, parsed.understood, parsed.ignored]).toEqual(['abc', [['name', 'x']], []]);
  });
});

describe('refusals name the parameter, and the value where it is the value', () => {
  test.each<[string, string, string, RegExp]>([
    ['Patient', 'colour=red', 'invalid', /^Patient has no search parameter `colour`; it has _id, _lastUpdated, .*birthdate/],
    ['Patient', '.record=Patient/mary', 'invalid', /no search parameter ``/],
    ['Observation', 'value-quantity=5', 'unsupported', /`value-quantity` of Observation is not supported yet/],
    ['AuditEvent', 'outcome=0', 'unsupported', /`outcome` of AuditEvent is not supported yet/],
    ['Patient', '_has:Observation:patient:code=x', 'unsupported', /`_has`/],
    ['Patient', '_revinclude=Observation:patient', 'unsupported', /`_revinclude`/],
    ['Patient', '_text=x', 'unsupported', /`_text`/],
    ['Patient', '_include:iterate=Patient:link', 'unsupported', /`_include:iterate`/],
    ['Patient', '_summary=text', 'unsupported', /`_summary=text`/],
    ['Patient', '_summary=x', 'value', /`_summary=x`: `x` is not `count` or `false`/],
    ['Patient', 'name:phonetic=x', 'invalid', /`name:phonetic`: the modifier `phonetic`/],
    ['Patient', 'gender:in=x', 'invalid', /`gender:in`/],
    ['Patient', 'birthdate:exact=2024', 'invalid', /`birthdate:exact`/],
    ['Patient', '_profile:below=x', 'invalid', /`_profile:below`/],
    ['Patient', '_id:missing=true', 'invalid', /`_id:missing`/],
    ['Patient', '_lastUpdated:not=2024', 'invalid', /`_lastUpdated:not`/],
    ['Observation', 'subject:identifier=x', 'unsupported', /`subject:identifier`/],
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
    ['Patient', '_count=-1', 'value', /`_count=-1`: `-1` is not a whole number/],
    ['Patient', '_count=abc', 'value', /`_count=abc`/],
    ['Patient', '_count=1&_count=2', 'invalid', /`_count` is given more than once/],
    ['Patient', '_total=maybe', 'value', /`_total=maybe`/],
    ['Patient', '_sort=colour', 'invalid', /`colour`/],
    ['Patient', '_sort=', 'value', /`_sort`/],
    ['Observation', '_sort=subject', 'unsupported', /`_sort=subject`/],
    ['Observation', '_include=*', 'unsupported', /`_include=\*`/],
    ['Observation', '_include=Observation:*', 'unsupported', /`_include=Observation:\*`/],
    ['Observation', '_include=subject', 'value', /`_include=subject`/],
    ['Observation', '_include=Patient:link', 'invalid', /the search is for Observation/],
    ['Observation', '_include=Observation:code', 'invalid', /`code` is not a reference; these are: .*subject/],
    ['Observation', '_include=Observation:encounter:Patient', 'invalid', /never to `Patient`/],
    ['Observation', 'code.name=x', 'invalid', /`code` is not a reference/],
    ['Observation', 'patient.colour=x', 'invalid', /`patient.colour`: nothing that `patient` may refer to \(Patient\) has a parameter `colour`/],
    ['Observation', 'subject:Patient.colour=x', 'invalid', /Patient has no search parameter `colour`/],
    ['Observation', 'patient.organization.name=x', 'unsupported', /more than one step/],
    ['List', 'item.name=x', 'invalid', /`item` may refer to anything: name the type, as in `item:Patient.name`/],
    ['Observation', 'patient.birthdate=x', 'value', /`patient.birthdate=x`/],
    ['Patient', `_id=${'a,'.repeat(1000)}a`, 'too-costly', /1001 values/],
    ['Patient', 'active=true&'.repeat(201), 'too-costly', /201 parameters/],
    ['Observation', `_sort=${'date,'.repeat(10)}date`, 'too-costly', /`_sort` has 11 keys/],
    ['Observation', `code=${'a,'.repeat(999)}a&code=${'a,'.repeat(999)}a&_lastUpdated=2024`, 'too-costly', /2001 values/],
    ['Patient', `name=${'a'.repeat(8001)}`, 'too-costly', /`name` has 8001 characters; at most 8000/],
    ['Patient', `active:not=${'a'.repeat(8001)}`, 'too-costly', /8001 characters/],
    ['Patient', `name:contains=${'a'.repeat(1001)}`, 'too-costly', /1001 characters; at most 1000/],
    ['Observation', `patient.name=${'a'.repeat(8001)}`, 'too-costly', /8001 characters/],
    ['Observation', 'patient.name=a&'.repeat(101), 'too-costly', /101 ends; at most 100/],
    ['Observation', `subject.active=${'true,'.repeat(999)}true&date=${'2024,'.repeat(999)}2024&status:not=a`, 'too-costly', /values/],
  ])('%s?%.60s', (type, query, code, message) => {
    const { code: found, message: said } = refusal(() => search(type, query));
    expect([found, said]).toEqual([code, expect.stringMatching(message)]);
    expect(problems[found as keyof typeof problems].status).toBe(400);
  });
});

describe('a lenient search', () => {
  const lenient = (query: string) => search('Patient', query, { lenient: true });
  test('leaves out what is not known or not supported, and says so', () => {
    const parsed = lenient('colour=red&name=x&_has:Observation:patient:code=y&_sort=colour&_summary=text&organization.colour=z&_include=*');
    expect(parsed.ignored).toEqual(['colour', '_has:Observation:patient:code', '_sort', '_summary', 'organization.colour', '_include']);
    expect([parsed.understood, parsed.query.sort, parsed.includes]).toEqual([[['name', 'x']], [], []]);
  });
  test.each(['name:phonetic=x', 'birthdate=x', '_count=x', 'name=', '_include=x'])('leaves out nothing that is wrong: %s', query =>
    expect(() => lenient(query)).toThrow(),
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
  test.each(['', '?', '_count=1', '_sort=name', '_format=json', '_include:iterate=Patient:link', 'colour=red', 'general-practitioner.name=x', 'identifier='])(
    'refuses %j',
    query => expect(() => criteria(query)).toThrow(),
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
    ['value-quantity', '5'],
    ['date', 'ap2024'],
    ['date', 'x'],
    ['_has:Observation:patient:code', 'x'],
  ])('refuse %s=%s', (name, value) => expect(() => scopePredicate('Observation', [[name, value]], registry)).toThrow());
});
