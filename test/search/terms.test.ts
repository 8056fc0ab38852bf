import { describe, expect, test } from '@jest/globals';
import { Problem } from '../../src/fhir/problem.ts';
import { type CodeSystem, sourcesOf, type ValueSet } from '../../src/fhir/terminology/sources.ts';
import { boundSystem } from '../../src/search/bound.ts';
import { readCondition } from '../../src/search/condition.ts';
import { all, and, type Branch, none, not, type Predicate, type SearchQuery } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { citedIn, termsIn, withTerms } from '../../src/search/terms.ts';

const registry = buildRegistry();
const gender = 'http://hl7.org/fhir/administrative-gender';
const set = (name: string, include: NonNullable<ValueSet['compose']>['include']): ValueSet => ({
  resourceType: 'ValueSet',
  url: `urn:vs:${name}`,
  compose: { include: include! },
});
const definitions: readonly (ValueSet | CodeSystem)[] = [
  { resourceType: 'CodeSystem', url: gender, content: 'complete', concept: [{ code: 'male' }, { code: 'female', concept: [{ code: 'girl' }] }] },
  { resourceType: 'CodeSystem', url: 'urn:s', content: 'complete', concept: [{ code: 'a', concept: [{ code: 'b' }] }] },
  set('two', [{ system: 'urn:s', concept: [{ code: 'a' }] }, { system: 'urn:t' }]),
  set('none', [{ system: 'urn:s', concept: [], valueSet: ['urn:vs:else'] }]),
  set('else', [{ system: 'urn:else', concept: [{ code: 'x' }] }]),
  set('genders', [{ system: gender }, { system: 'urn:s', concept: [{ code: 'male-too' }] }]),
  set('many', [{ system: 'urn:s', concept: Array.from({ length: 1500 }, (_, at) => ({ code: `c${at}` })) }]),
];
const sources = sourcesOf(definitions);

const branchOf = (type: string, name: string, value: string): Branch => {
  const read = readCondition(type, name, value, { registry });
  if (read instanceof Problem) throw read;
  return 'where' in read ? { type, where: read.where, links: [] } : { type, where: all, links: [read.link] };
};
const queryWith = (...branches: Branch[]): SearchQuery => ({ branches, sort: [], limit: 10 });
const resolved = (type: string, name: string, value: string): Branch => withTerms(queryWith(branchOf(type, name, value)), registry, sources).branches[0]!;
const some = (type: string, code: string, ...anyOf: { system?: string; code?: string }[]): Predicate => ({
  op: 'some',
  param: registry.param(type, code)!,
  test: { anyOf: anyOf.map(each => ({ kind: 'token', ...each })) },
});
const codeIs = some('Observation', 'code', { system: 'urn:s', code: 'a' }, { system: 'urn:t' });
const refusal = (type: string, name: string, value: string): string => {
  try {
    resolved(type, name, value);
  } catch (error) {
    if (error instanceof Problem) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error('it was answered');
};

describe(':in, :not-in, :above, :below (search.html#token)', () => {
  test('the codes of a value set; a whole system by itself', () => {
    expect(resolved('Observation', 'code:in', 'urn:vs:two').where).toEqual(codeIs);
    expect(resolved('Observation', 'code:not-in', 'urn:vs:two').where).toEqual(not(codeIs));
    expect(resolved('Observation', 'code:in', 'urn:vs:none').where).toEqual(none);
    expect(resolved('Observation', 'code:not-in', 'urn:vs:none').where).toEqual(all);
  });

  test('a code and what is above or below it', () => {
    const both = some('Observation', 'code', { system: 'urn:s', code: 'b' }, { system: 'urn:s', code: 'a' });
    expect(resolved('Observation', 'code:above', 'urn:s|b').where).toEqual(both);
    expect(resolved('Observation', 'code:below', 'urn:s|b').where).toEqual(some('Observation', 'code', { system: 'urn:s', code: 'b' }));
    expect(refusal('Observation', 'code:below', 'b')).toMatch(/^value: .*system\|code/);
    expect(refusal('Observation', 'code:below', '|b')).toMatch(/^value: .*system\|code/);
    expect(refusal('Observation', 'code:below', 'urn:unknown|b')).toMatch(/^unsupported: .*urn:unknown/);
  });

  test('inside and, or and not, beside what is left as it is', () => {
    const asked = branchOf('Observation', 'code:in', 'urn:vs:two').where;
    const status = some('Observation', 'status', { code: 'final' });
    const where: Predicate = { op: 'or', terms: [and(status, asked), not(and(status, not(asked)))] };
    expect(withTerms(queryWith({ type: 'Observation', where, links: [] }), registry, sources).branches[0]!.where).toEqual({
      op: 'or',
      terms: [and(status, codeIs), not(and(status, not(codeIs)))],
    });
    expect(termsIn(queryWith({ type: 'Observation', where, links: [] }))).toHaveLength(2);
  });

  test('at the end of chains of any depth', () => {
    const chain = resolved('Observation', 'subject:Patient._has:Observation:patient:code:in', 'urn:vs:two');
    expect(chain.links[0]!.ends[0]!.links[0]!.ends[0]!.where).toEqual(codeIs);
    expect(resolved('DiagnosticReport', 'result.code:not-in', 'urn:vs:two').links[0]!.ends[0]!.where).toEqual(not(codeIs));
  });

  test('where the element implies the system, the code alone', () => {
    // `male-too` is of another system than a gender ever is.
    expect(resolved('Patient', 'gender:in', 'urn:vs:genders').where).toEqual(some('Patient', 'gender', { code: 'male' }, { code: 'female' }, { code: 'girl' }));
    const below = some('Patient', 'gender', { code: 'female' }, { code: 'girl' });
    expect(resolved('Patient', 'gender:below', 'female').where).toEqual(below);
    expect(resolved('Patient', 'gender:below', `${gender}|female`).where).toEqual(below);
    expect(resolved('Patient', 'gender:below', 'urn:s|a').where).toEqual(none);
    expect(resolved('Patient', 'gender:in', 'urn:vs:else').where).toEqual(none);
    // Of an attachment's language no one system is known.
    expect(resolved('DocumentReference', 'language:in', 'urn:vs:else').where).toEqual(some('DocumentReference', 'language', { code: 'x' }));
    expect(refusal('DocumentReference', 'language:in', 'urn:vs:two')).toMatch(/^unsupported: .*urn:t/);
  });

  test('never more codes than a client may write', () => {
    expect(resolved('Observation', 'code:in', 'urn:vs:many').where).toMatchObject({ op: 'some' });
    expect(refusal('Observation', 'code:in', 'urn:vs:many,urn:vs:many')).toMatch(/^too-costly: .*urn:vs:many.*2000/);
  });

  test('a value set that is named a thousand times is expanded once', () => {
    let reads = 0;
    const counting = {
      ...sources,
      valueSet: (canonical: string) => {
        reads += 1;
        return sources.valueSet(canonical);
      },
    };
    const query = queryWith(branchOf('Observation', 'code:in', Array(1000).fill('urn:vs:two').join(',')));
    expect(withTerms(query, registry, counting).branches).toHaveLength(1);
    expect(reads).toBe(1);
  });

  test('what each of them begins with', () => {
    const cited = (type: string, name: string, value: string): unknown => citedIn(termsIn(queryWith(branchOf(type, name, value)))[0]!, registry);
    expect(cited('Observation', 'code:in', 'ValueSet/42')).toEqual({ valueSet: 'ValueSet/42' });
    expect(cited('Observation', 'code:above', 'urn:s|b')).toEqual({ codeSystem: 'urn:s' });
    expect(cited('Patient', 'gender:above', 'female')).toEqual({ codeSystem: gender });
    expect(cited('Observation', 'code:above', 'b')).toBeUndefined();
  });
});

test('the system that an element is bound to', () => {
  const bound = (type: string, code: string): string | undefined => boundSystem(registry.definitionOf(registry.param(type, code)!)!.expression, type);
  expect(bound('Patient', 'gender')).toBe(gender);
  expect(bound('Observation', 'status')).toBe('http://hl7.org/fhir/observation-status');
  expect(bound('Appointment', 'part-status')).toBe('http://hl7.org/fhir/participationstatus');
  // Two systems, and none.
  expect([bound('Task', 'intent'), bound('Patient', 'active'), bound('DocumentReference', 'language')]).toEqual([undefined, undefined, undefined]);
});
