import { describe, expect, test } from '@jest/globals';
import { compartments, resourceTypes } from '../../src/fhir/definitions/definitions.ts';
import { type Problem, problems } from '../../src/fhir/problem.ts';
import { idParam } from '../../src/search/facets.ts';
import { parseSearch, type SearchContext } from '../../src/search/parse.ts';
import type { Place } from '../../src/search/place.ts';
import type { Predicate } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';

// How results come and where they are looked for: http://hl7.org/fhir/R4/search.html
const registry = buildRegistry();
const context: SearchContext = { registry, base: 'https://here.example/fhir', now: 0, lenient: false, maxCount: 100, defaultCount: 20 };
const searchAt = (place: Place, query: string) => parseSearch(place, [...new URLSearchParams(query)], context);
const search = (type: string, query: string) => searchAt({ type }, query);
const refusal = (run: () => unknown): { code: string; message: string } => {
  try {
    run();
  } catch (problem) {
    return { code: (problem as Problem).code, message: (problem as Problem).message };
  }
  throw new Error('it was not refused');
};
/** A predicate with codes in place of parameters. */
const shown = (where: Predicate): unknown =>
  JSON.parse(JSON.stringify(where, (key, value) => (key === 'param' ? value.code : key === 'kind' ? undefined : value)));
const param = (type: string, code: string) => registry.param(type, code);

describe('how results come (http://hl7.org/fhir/R4/search.html#Parameters)', () => {
  test('the usual', () =>
    expect(search('Observation', '')).toEqual({
      query: { branches: [{ type: 'Observation', where: { op: 'all' }, links: [] }], sort: [], limit: 20 },
      types: ['Observation'],
      whichever: false,
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
  test('_total', () => expect(search('Patient', '_total=accurate').total).toBe('accurate'));
  test('_summary and _elements', () => {
    const subset = (type: string, query: string) => search(type, query).subset;
    expect(subset('Patient', '_summary=false')).toBeUndefined();
    for (const how of ['true', 'text', 'data']) expect(subset('Patient', `_summary=${how}`)).toEqual({ how });
    expect(subset('Observation', '_elements=status,value, Patient.name')).toEqual({
      how: 'elements',
      of: new Map([
        ['Observation', new Set(['status', 'value'])],
        ['Patient', new Set(['name'])],
      ]),
    });
    expect(subset('Observation', '_elements=valueQuantity,component,effective[x]&_summary=false')).toMatchObject({ how: 'elements' });
  });
  test('_sort by whatever has an order', () => {
    expect(search('Observation', '_sort=-date,status,_lastUpdated,-_id,subject,value-quantity').query.sort).toEqual([
      { by: param('Observation', 'date'), descending: true },
      { by: param('Observation', 'status'), descending: false },
      { by: 'updated', descending: false },
      { by: idParam, descending: true },
      { by: param('Observation', 'subject'), descending: false },
      { by: param('Observation', 'value-quantity'), descending: false },
    ]);
    expect(search('RiskAssessment', '_sort=probability').query.sort).toMatchObject([{ by: { kind: 'quantity' } }]);
    expect(search('Questionnaire', '_sort=url').query.sort).toMatchObject([{ by: { kind: 'uri' } }]);
  });
  test('_cursor is handed on, and left out of the link; _format and _pretty are for others', () => {
    const parsed = search('Patient', '_cursor=abc&_format=json&_pretty=true&name=x');
    expect([parsed.cursor, parsed.understood, parsed.ignored]).toEqual(['abc', [['name', 'x']], []]);
  });
});

describe('_include and _revinclude (http://hl7.org/fhir/R4/search.html#include)', () => {
  test('a parameter, a target, all parameters, all there are', () => {
    const query = ['Observation:subject', 'Observation:subject:Patient', 'Observation:*', '*'].map(value => `_include=${value}`).join('&');
    const by = { how: 'refers-to', iterate: false };
    expect(search('Observation', query).includes).toEqual([
      { ...by, from: 'Observation', param: param('Observation', 'subject') },
      { ...by, from: 'Observation', param: param('Observation', 'subject'), target: 'Patient' },
      { ...by, from: 'Observation' },
      by,
    ]);
  });
  test('what refers', () =>
    expect(search('Patient', '_revinclude=Observation:subject&_revinclude=Observation:*&_revinclude=*').includes).toEqual([
      { how: 'referred-by', iterate: false, from: 'Observation', param: param('Observation', 'subject') },
      { how: 'referred-by', iterate: false, from: 'Observation' },
      { how: 'referred-by', iterate: false },
    ]));
  test.each(['iterate', 'recurse'])('those that go on (:%s) may begin anywhere', modifier => {
    const [there, back] = search('Observation', `_include:${modifier}=Patient:link&_revinclude:${modifier}=Encounter:part-of`).includes;
    expect([there?.iterate, there?.from, back?.iterate, back?.from]).toEqual([true, 'Patient', true, 'Encounter']);
  });
  test('what may come along is known before', () => {
    const brings = (type: string, query: string) => [...search(type, query).reads.brings].sort();
    expect(brings('Observation', '_include=Observation:subject&_include=Observation:encounter')).toEqual([
      'Device',
      'Encounter',
      'Group',
      'Location',
      'Patient',
    ]);
    expect(brings('Observation', '_include=Observation:subject:Patient&_revinclude=Provenance:target')).toEqual(['Patient', 'Provenance']);
    for (const all of ['_revinclude=*', '_include:iterate=*', '_include=List:item']) expect(brings('List', all).length).toBe(resourceTypes.size);
    expect(brings('Encounter', '_include=*')).toContain('Location');
    expect(brings('Encounter', '_include=*').length).toBeLessThan(40);
  });
});

describe('where it is looked for (http://hl7.org/fhir/R4/search.html#searching)', () => {
  const branches = (place: Place, query: string) => searchAt(place, query).query.branches.map(({ type, where }) => [type, shown(where)]);
  const within = { type: 'Patient', id: 'x' };
  const refers = (code: string) => ({ op: 'some', param: code, test: { anyOf: [{ type: 'Patient', id: 'x' }] } });

  test('the whole server: a branch for each type', () => {
    const code = { op: 'some', param: 'code', test: { anyOf: [{ code: 'a' }] } };
    expect(branches({}, '_type=Observation,Condition&code=a')).toEqual([
      ['Observation', code],
      ['Condition', code],
    ]);
    expect(searchAt({}, '_type=Observation,Condition').whichever).toBe(false);
    expect(searchAt({}, '_type=Patient,Patient').types).toEqual(['Patient']);
    expect(searchAt({ type: 'Patient' }, '_type=Patient').types).toEqual(['Patient']);
  });
  test('the parameters of several types are one key to sort by', () => {
    const [key] = searchAt({}, '_type=Observation,Medication&_sort=status').query.sort;
    expect(key).toMatchObject({ by: { code: 'status', kind: 'token' } });
    const resource = { resourceType: 'Medication', status: 'active' };
    expect(typeof key!.by === 'object' && key!.by.extract({ resource } as never)).toMatchObject([{ code: 'active' }]);
  });
  test('a compartment: whatever refers to it through a parameter that the definition names', () => {
    expect(branches({ within, type: 'Encounter' }, 'status=planned')).toEqual([
      ['Encounter', { op: 'and', terms: [refers('patient'), { op: 'some', param: 'status', test: { anyOf: [{ code: 'planned' }] } }] }],
    ]);
    expect(branches({ within, type: 'Observation' }, '')).toEqual([
      ['Observation', { op: 'and', terms: [refers('.ref'), { op: 'or', terms: [refers('subject'), refers('performer')] }] }],
    ]);
    expect(branches({ within, type: 'Patient' }, '')).toEqual([['Patient', { op: 'or', terms: [{ op: 'keys', keys: [within] }, refers('link')] }]]);
  });
  test.each([...compartments.keys()])('every type of the compartment of a %s, through parameters that may refer to one', kind => {
    const { types, whichever, query } = searchAt({ within: { type: kind, id: 'x' } }, '');
    expect([whichever, new Set(types)]).toEqual([true, new Set([kind, ...compartments.get(kind)!.keys()])]);
    for (const [type, codes] of compartments.get(kind)!)
      for (const code of codes.filter(each => each !== '{def}')) {
        expect([type, code, param(type, code)?.kind]).toEqual([type, code, 'reference']);
        const targets = registry.targetsOf(type, param(type, code)!);
        expect([type, code, targets.length === 0 || targets.includes(kind)]).toEqual([type, code, true]);
      }
    expect(query.branches.every(({ where }) => where.op !== 'none')).toBe(true);
  });
  test('of a compartment, only the types that are named', () =>
    expect(searchAt({ within }, '_type=Observation,Condition')).toMatchObject({ types: ['Observation', 'Condition'], whichever: false }));
});

const words = (count: number): string => Array.from({ length: count }, (_, at) => `w${at}`).join('+');
describe('refusals', () => {
  const patient: Place = { within: { type: 'Patient', id: 'x' } };
  test.each<[Place, string, string, RegExp]>([
    [{ type: 'Patient' }, '_count=-1', 'value', /`_count=-1`: `-1` is not a whole number/],
    [{ type: 'Patient' }, '_count=abc', 'value', /`_count=abc`/],
    [{ type: 'Patient' }, '_count=1&_count=2', 'invalid', /`_count` is given more than once/],
    [{ type: 'Patient' }, '_count:not=1', 'invalid', /`_count` takes no modifier/],
    [{ type: 'Patient' }, '_total=maybe', 'value', /`_total=maybe`/],
    [{ type: 'Patient' }, '_summary=x', 'value', /`_summary=x`: `x` is not `true`/],
    [{ type: 'Patient' }, '_summary=true&_summary=data', 'invalid', /`_summary` is given more than once/],
    [{ type: 'Patient' }, '_summary=true&_elements=name', 'invalid', /ask for one/],
    [{ type: 'Patient' }, '_summary=text&_include=Patient:organization', 'invalid', /`_summary=text` cannot/],
    [{ type: 'Patient' }, '_summary=text&_revinclude=Observation:subject', 'invalid', /`_summary=text` cannot/],
    [{ type: 'Patient' }, '_elements=', 'value', /empty name/],
    [{ type: 'Patient' }, '_elements=name,colour', 'invalid', /Patient has no element `colour`/],
    [{ type: 'Patient' }, '_elements=name.family', 'invalid', /of the resource itself/],
    [{ type: 'Patient' }, '_elements=Observation.name', 'invalid', /Observation has no element `name`/],
    [{ type: 'Patient' }, '_sort=colour', 'invalid', /`colour`/],
    [{ type: 'Patient' }, '_sort=', 'value', /`_sort`/],
    [{ type: 'Patient' }, '_sort=_text', 'unsupported', /`_sort=_text`.*no order/],
    [{ type: 'Observation' }, '_sort=code-value-quantity', 'unsupported', /a composite, which has no order/],
    [{ type: 'Location' }, '_sort=near', 'unsupported', /a place, which has no order/],
    [{}, '_type=Observation,Encounter&_sort=subject,type', 'invalid', /Observation has no search parameter `type`/],
    [{ type: 'Observation' }, '_include=subject', 'value', /`_include=subject`/],
    [{ type: 'Observation' }, '_include=Patient:link', 'invalid', /the search is for Observation/],
    [{ type: 'Observation' }, '_include=Observation:code', 'invalid', /`code` is not a reference; these are: .*subject/],
    [{ type: 'Observation' }, '_include=Observation:encounter:Patient', 'invalid', /never to `Patient`/],
    [{ type: 'Observation' }, '_include:often=Observation:subject', 'invalid', /`often` is not `iterate`/],
    [{ type: 'Observation' }, '_include:iterate=Colour:subject', 'invalid', /`Colour` is not a resource type/],
    [{ type: 'Observation' }, '_include:iterate=Observation:*:Colour', 'invalid', /`Colour` is not a resource type/],
    [{ type: 'Patient' }, '_revinclude=Observation:encounter', 'invalid', /refers to Encounter, and the search is for Patient/],
    [{ type: 'Patient' }, '_revinclude=Observation:subject:Group', 'invalid', /refers to Group, and the search is for Patient/],
    [{ type: 'Patient' }, '_revinclude=Observation:colour', 'invalid', /Observation has no search parameter `colour`/],
    [{}, 'code=a', 'required', /needs `_type`/],
    [{}, '_type=Colour', 'value', /`Colour` is not a resource type/],
    [{}, '_type=', 'value', /is not a resource type/],
    [{}, '_type=Patient&_type=Observation', 'invalid', /`_type` is given more than once/],
    [{}, '_type=Patient,Observation&gender=male', 'invalid', /Observation has no search parameter `gender`/],
    [{ type: 'Patient' }, '_type=Patient,Observation', 'invalid', /the search is sent to Patient/],
    [{ ...patient, type: 'Organization' }, '', 'invalid', /nothing of type Organization is in the compartment of a Patient/],
    [patient, '_type=Observation,Organization', 'invalid', /Organization/],
    [patient, 'code=a', 'invalid', /has no search parameter `code`/],
    [{ type: 'Patient' }, `_id=${'a,'.repeat(1000)}a`, 'too-costly', /1001 values/],
    [{ type: 'Patient' }, 'active=true&'.repeat(201), 'too-costly', /201 parameters/],
    [{ type: 'Observation' }, `_sort=${'date,'.repeat(10)}date`, 'too-costly', /`_sort` has 11 keys/],
    [{ type: 'Observation' }, `code=${'a,'.repeat(999)}a&code=${'a,'.repeat(999)}a&_lastUpdated=2024`, 'too-costly', /2001 values/],
    [{}, `_type=Observation,Condition,Procedure&code=${'a,'.repeat(700)}a`, 'too-costly', /2103 values/],
    [{ type: 'Patient' }, `name=${'a'.repeat(8001)}`, 'too-costly', /`name` has 8001 characters; at most 8000/],
    [{ type: 'Patient' }, `active:not=${'a'.repeat(8001)}`, 'too-costly', /8001 characters/],
    [{ type: 'Patient' }, `name:contains=${'a'.repeat(1001)}`, 'too-costly', /1001 characters; at most 1000/],
    [{ type: 'Observation' }, `code:in=http://${'a'.repeat(8001)}`, 'too-costly', /8008 characters/],
    [{ type: 'Observation' }, `code-value-quantity=${'a'.repeat(8001)}$5`, 'too-costly', /8001 characters/],
    [{ type: 'Observation' }, `code-value-quantity=${'a$5,'.repeat(999)}a$5&status=${'a,'.repeat(99)}a`, 'too-costly', /2100 values/],
    [{ type: 'Observation' }, `patient.name=${'a'.repeat(8001)}`, 'too-costly', /8001 characters/],
    [{ type: 'Observation' }, `patient.organization.name=${'a'.repeat(8001)}`, 'too-costly', /8001 characters/],
    [{ type: 'Observation' }, 'patient.name=a&'.repeat(101), 'too-costly', /more than 100 ends/],
    [{ type: 'Encounter' }, 'patient.organization.partof.name=a&'.repeat(34), 'too-costly', /more than 100 ends/],
    [{ type: 'Observation' }, `subject.active=${'true,'.repeat(999)}true&date=${'2024,'.repeat(999)}2024&status:not=a`, 'too-costly', /values/],
    [{ type: 'Encounter' }, `${'part-of.'.repeat(9)}status=planned`, 'too-costly', /9 steps; at most 8/],
    [{ type: 'Encounter' }, `${'_has:Encounter:part-of:'.repeat(9)}status=planned`, 'too-costly', /9 steps; at most 8/],
    [{ type: 'Encounter' }, `${'part-of.'.repeat(100_000)}status=planned`, 'too-costly', /100000 steps/],
    [{ type: 'Procedure' }, `${'part-of.'.repeat(8)}status=planned`, 'too-costly', /more than 100 ends/],
    [{ type: 'Patient' }, `_content=${words(101)}`, 'too-costly', /101 words/],
    [{ type: 'Patient' }, `name:text=${words(101)}`, 'too-costly', /101 words/],
    [{ type: 'Patient' }, '_include=Patient:organization&_revinclude=Observation:subject&'.repeat(26), 'too-costly', /52 of `_include` and `_revinclude`/],
  ])('%j?%.60s', (place, query, code, message) => {
    const { code: found, message: said } = refusal(() => searchAt(place, query));
    expect([found, said]).toEqual([code, expect.stringMatching(message)]);
    expect(problems[found as keyof typeof problems].status).toBe(400);
  });
  test('what is just within the limits is taken', () => {
    expect(search('Encounter', `${'part-of.'.repeat(8)}status=planned`).reads.needs).toEqual(['Encounter']);
    expect(search('Patient', `_content=${words(100)}&name:text=${words(100)}`).query.branches).toHaveLength(1);
    // What is asked for again is done once.
    expect(search('Patient', '_include=Patient:organization&'.repeat(50)).includes).toHaveLength(1);
    expect(searchAt({}, `_type=${[...resourceTypes].join(',')}&_id=a`).query.branches).toHaveLength(resourceTypes.size);
  });
});
