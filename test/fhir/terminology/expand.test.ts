import { describe, expect, test } from '@jest/globals';
import { Problem, type ProblemCode } from '../../../src/fhir/problem.ts';
import { expand, listed } from '../../../src/fhir/terminology/expand.ts';
import { above, below } from '../../../src/fhir/terminology/hierarchy.ts';
import { type CodeSystem, type Include, sourcesOf, type ValueSet } from '../../../src/fhir/terminology/sources.ts';

// Made by hand: a bird is an animal, a duck is a bird and a swimmer; a carp is an animal by `subsumedBy`, a swimmer by `child`.
const animals: CodeSystem = {
  resourceType: 'CodeSystem',
  url: 'urn:animals',
  version: '2',
  content: 'complete',
  property: [
    { code: 'legs', type: 'integer' },
    { code: 'diet', type: 'code' },
    { code: 'seen', type: 'dateTime' },
    { code: 'isKindOf', uri: 'http://hl7.org/fhir/concept-properties#parent', type: 'code' },
  ],
  concept: [
    {
      code: 'animal',
      concept: [
        {
          code: 'bird',
          property: [{ code: 'legs', valueInteger: 2 }],
          concept: [{ code: 'duck' }, { code: 'hawk', property: [{ code: 'diet', valueCode: 'meat' }] }],
        },
      ],
    },
    {
      code: 'swimmer',
      property: [
        { code: 'child', valueCode: 'duck' },
        { code: 'child', valueCode: 'carp' },
      ],
    },
    { code: 'carp', property: [{ code: 'subsumedBy', valueCode: 'animal' }] },
    {
      code: 'newt',
      property: [
        { code: 'isKindOf', valueCode: 'swimmer' },
        { code: 'parent', valueCode: 'animal' },
      ],
    },
    { code: 'stone' },
  ],
};
const systems: readonly CodeSystem[] = [
  animals,
  { resourceType: 'CodeSystem', url: 'urn:part', content: 'fragment', concept: [{ code: 'a' }] },
  { resourceType: 'CodeSystem', url: 'urn:parts', content: 'complete', hierarchyMeaning: 'part-of', concept: [{ code: 'car', concept: [{ code: 'wheel' }] }] },
  {
    resourceType: 'CodeSystem',
    url: 'urn:circle',
    content: 'complete',
    concept: [
      { code: 'start', property: [{ code: 'child', valueCode: 'one' }] },
      { code: 'one', property: [{ code: 'child', valueCode: 'two' }] },
      { code: 'two', property: [{ code: 'child', valueCode: 'one' }] },
      { code: 'apart' },
    ],
  },
];
const set = (name: string, include: readonly Include[], exclude?: readonly Include[]): ValueSet => ({
  resourceType: 'ValueSet',
  url: `urn:vs:${name}`,
  version: '1',
  compose: { include, ...(exclude === undefined ? {} : { exclude }) },
});
const named = (...codes: string[]): Include => ({ system: 'urn:animals', concept: codes.map(code => ({ code })) });
const filter = (property: string, op: string, value: string): Include => ({ system: 'urn:animals', filter: [{ property, op, value }] });

/** What a value set comes to, as `system code`, sorted; a whole system as `system *`. */
function codes(valueSet: ValueSet, more: readonly ValueSet[] = []): readonly string[] {
  const members = expand(valueSet.url!, sourcesOf([...systems, ...more, valueSet]));
  return [...members].flatMap(([system, found]) => (found === 'all' ? [`${system} *`] : [...found].map(code => `${system} ${code}`))).sort();
}
const ofAnimals = (...found: string[]): readonly string[] => found.map(code => `urn:animals ${code}`).sort();
function refusal(work: () => unknown): { readonly code: ProblemCode; readonly message: string } {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was answered');
}

describe('compose (valueset.html#compositions)', () => {
  test.each<[string, ValueSet, readonly string[]]>([
    ['named codes', set('a', [named('duck', 'carp')]), ofAnimals('carp', 'duck')],
    ['a whole system, known here or not, is one entry', set('a', [{ system: 'urn:animals' }, { system: 'urn:else' }]), ['urn:animals *', 'urn:else *']],
    ['includes are ored', set('a', [named('duck'), { system: 'urn:else', concept: [{ code: 'x' }] }]), ['urn:animals duck', 'urn:else x']],
    ['a whole system takes in its codes', set('a', [named('duck'), { system: 'urn:animals' }]), ['urn:animals *']],
    ['excludes', set('a', [named('duck', 'carp', 'bird')], [named('carp', 'stone')]), ofAnimals('bird', 'duck')],
    ['an exclude of a whole system', set('a', [named('duck'), { system: 'urn:else' }], [{ system: 'urn:animals' }]), ['urn:else *']],
    ['a whole system without some', set('a', [{ system: 'urn:animals' }], [filter('concept', 'is-a', 'animal')]), ofAnimals('stone', 'swimmer')],
    [
      'one version of a system is what that has',
      set('a', [{ system: 'urn:animals', version: '2' }], [filter('concept', 'is-a', 'animal')]),
      ofAnimals('stone', 'swimmer'),
    ],
    ['nothing left', set('a', [named('duck')], [named('duck')]), []],
  ])('%s', (_, valueSet, expected) => expect(codes(valueSet)).toEqual(expected));

  test('value sets in an include: what all have in common, with the system too', () => {
    const birds = set('birds', [filter('concept', 'is-a', 'bird')]);
    const swim = set('swim', [filter('concept', 'is-a', 'swimmer')]);
    expect(codes(set('a', [{ valueSet: ['urn:vs:birds', 'urn:vs:swim|1'] }]), [birds, swim])).toEqual(ofAnimals('duck'));
    expect(codes(set('a', [{ valueSet: ['urn:vs:birds'] }, { valueSet: ['urn:vs:swim'] }]), [birds, swim])).toEqual(
      ofAnimals('bird', 'carp', 'duck', 'hawk', 'newt', 'swimmer'),
    );
    expect(codes(set('a', [{ valueSet: ['urn:vs:birds'], ...named('duck', 'carp') }]), [birds])).toEqual(ofAnimals('duck'));
    expect(codes(set('a', [{ valueSet: ['urn:vs:birds'] }], [{ valueSet: ['urn:vs:swim'] }]), [birds, swim])).toEqual(ofAnimals('bird', 'hawk'));
  });

  test.each<[Include, readonly string[]]>([
    [filter('concept', 'is-a', 'bird'), ofAnimals('bird', 'duck', 'hawk')],
    [filter('concept', 'descendent-of', 'bird'), ofAnimals('duck', 'hawk')],
    [filter('code', '=', 'bird'), ofAnimals('bird')],
    [filter('concept', 'generalizes', 'duck'), ofAnimals('animal', 'bird', 'duck', 'swimmer')],
    [filter('concept', 'is-not-a', 'animal'), ofAnimals('stone', 'swimmer')],
    [filter('legs', '=', '2'), ofAnimals('bird')],
    [filter('diet', '=', 'meat'), ofAnimals('hawk')],
    [filter('parent', '=', 'animal'), ofAnimals('bird', 'carp', 'newt')],
    [filter('child', '=', 'duck'), ofAnimals('bird', 'swimmer')],
    [
      { system: 'urn:animals', filter: [...filter('concept', 'is-a', 'swimmer').filter!, ...filter('concept', 'is-a', 'animal').filter!] },
      ofAnimals('carp', 'duck', 'newt'),
    ],
  ])('filters %j (valueset-filter-operator.html)', (include, expected) => expect(codes(set('a', [include]))).toEqual(expected));
});

test('an expansion counts where there is no compose; what is abstract or has no code only groups', () => {
  const contains = [
    { system: 'urn:x', code: 'a', contains: [{ system: 'urn:x', code: 'b' }] },
    { contains: [{ system: 'urn:x', code: 'c' }] },
    { system: 'urn:x', code: 'd', abstract: true },
  ];
  expect(codes({ resourceType: 'ValueSet', url: 'urn:vs:e', expansion: { contains } })).toEqual(['urn:x a', 'urn:x b', 'urn:x c']);
  for (const part of [{ total: 9 }, { offset: 1 }, { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/valueset-unclosed' }] }])
    expect(refusal(() => codes({ resourceType: 'ValueSet', url: 'urn:vs:e', expansion: { contains, ...part } }))).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('urn:vs:e'),
    });
  expect(refusal(() => codes({ resourceType: 'ValueSet', url: 'urn:vs:e' })).message).toContain('neither');
});

describe('what cannot be told is a Problem that names it', () => {
  const one = set('one', [{ valueSet: ['urn:vs:two'] }]);
  test.each<[string, ValueSet, readonly ValueSet[], ProblemCode, readonly string[]]>([
    ['a value set inside that is not known', one, [], 'value', ['urn:vs:one', 'urn:vs:two']],
    ['one of another version', set('one', [{ valueSet: ['urn:vs:two|2'] }]), [set('two', [named('duck')])], 'value', ['urn:vs:two|2']],
    ['a circle', one, [set('two', [{ valueSet: ['urn:vs:one'] }])], 'value', ['urn:vs:one > urn:vs:two > urn:vs:one']],
    [
      'a filter on a system that is not known',
      set('a', [{ ...filter('concept', 'is-a', 'x'), system: 'urn:else' }]),
      [],
      'unsupported',
      ['urn:vs:a', 'urn:else'],
    ],
    ['a filter on a fragment', set('a', [{ ...filter('concept', 'is-a', 'a'), system: 'urn:part' }]), [], 'unsupported', ['urn:part', 'fragment']],
    ['another version of a system', set('a', [{ system: 'urn:animals', version: '3' }]), [], 'unsupported', ['urn:animals|3']],
    ['a code that the system does not have', set('a', [filter('concept', 'is-a', 'unicorn')]), [], 'value', ['unicorn', 'urn:animals']],
    [
      'an exclude from a whole system that is not known',
      set('a', [{ system: 'urn:else' }], [{ system: 'urn:else', concept: [{ code: 'x' }] }]),
      [],
      'unsupported',
      ['urn:vs:a', 'urn:else'],
    ],
    ['a regular expression', set('a', [filter('code', 'regex', '(a+)+$')]), [], 'unsupported', ['regex']],
    ['a property that is not declared', set('a', [filter('colour', '=', 'red')]), [], 'unsupported', ['colour']],
    ['a property that is no plain value', set('a', [filter('seen', '=', '2020')]), [], 'unsupported', ['seen']],
    ['an operator by a name that objects have', set('a', [filter('concept', 'constructor', 'x')]), [], 'unsupported', ['constructor']],
    ['an include of nothing', set('a', [{}]), [], 'value', ['urn:vs:a']],
    ['codes without a system', set('a', [{ concept: [{ code: 'x' }] }]), [], 'value', ['urn:vs:a']],
  ])('%s', (_, valueSet, more, code, parts) => {
    const problem = refusal(() => codes(valueSet, more));
    expect([problem.code, ...parts.filter(part => !problem.message.includes(part))]).toEqual([code]);
  });

  test('the value set asked for', () => {
    expect(refusal(() => expand('urn:vs:none', sourcesOf(systems)))).toMatchObject({ code: 'value', message: 'the value set `urn:vs:none` is not known here' });
  });

  test('more codes than anybody should have to compare, soon', () => {
    const wide: CodeSystem = {
      resourceType: 'CodeSystem',
      url: 'urn:wide',
      content: 'complete',
      concept: [{ code: 'top', concept: Array.from({ length: 2000 }, (_, at) => ({ code: `c${at}` })) }],
    };
    const include: Include = { system: 'urn:wide', filter: [{ property: 'concept', op: 'is-a', value: 'top' }] };
    const many = set(
      'many',
      Array.from({ length: 5000 }, () => include),
    );
    const started = performance.now();
    expect(refusal(() => expand('urn:vs:many', sourcesOf([wide, many])))).toMatchObject({
      code: 'too-costly',
      message: expect.stringContaining('urn:vs:many'),
    });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

test('listed: no system is left as a whole, and one that is not known is named', () => {
  const sources = sourcesOf([...systems, set('all', [{ system: 'urn:animals' }]), set('else', [{ system: 'urn:else' }])]);
  expect([...(listed(expand('urn:vs:all', sources), sources).get('urn:animals') as ReadonlySet<string>)]).toHaveLength(8);
  expect(refusal(() => listed(expand('urn:vs:else', sources), sources)).message).toContain('urn:else');
});

describe('above and below (codesystem.html#hierarchy)', () => {
  const system = (url: string): CodeSystem => sourcesOf(systems).codeSystem(url)!;
  test.each<[string, readonly string[], readonly string[]]>([
    ['animal', ['animal'], ['animal', 'bird', 'carp', 'duck', 'hawk', 'newt']],
    ['bird', ['animal', 'bird'], ['bird', 'duck', 'hawk']],
    ['duck', ['animal', 'bird', 'duck', 'swimmer'], ['duck']],
    ['swimmer', ['swimmer'], ['carp', 'duck', 'newt', 'swimmer']],
    ['newt', ['animal', 'newt', 'swimmer'], ['newt']],
    ['stone', ['stone'], ['stone']],
  ])('%s: by nesting, subsumedBy, parent and child', (code, up, down) => {
    expect([...above(animals, code)].sort()).toEqual(up);
    expect([...below(animals, code)].sort()).toEqual(down);
  });

  test('circles, parts that are no kinds, and unknown codes are named', () => {
    expect(refusal(() => below(system('urn:circle'), 'start')).message).toMatch(/urn:circle.*circle/);
    expect(refusal(() => above(system('urn:circle'), 'two')).message).toMatch(/urn:circle.*circle/);
    expect([...below(system('urn:circle'), 'apart')]).toEqual(['apart']);
    expect(refusal(() => below(system('urn:parts'), 'car'))).toMatchObject({ code: 'unsupported', message: expect.stringContaining('part-of') });
    expect(refusal(() => below(animals, 'unicorn')).message).toContain('`unicorn`');
  });

  test('a hierarchy as deep as anybody likes', () => {
    let concept = { code: 'c0' } as { code: string; concept?: unknown[] };
    for (let at = 1; at < 20_000; at += 1) concept = { code: `c${at}`, concept: [concept] };
    const deep = { resourceType: 'CodeSystem', url: 'urn:deep', content: 'complete', concept: [concept] } as unknown as CodeSystem;
    expect([...below(deep, 'c19999')]).toHaveLength(20_000);
    expect([...above(deep, 'c0')]).toHaveLength(20_000);
  });
});
