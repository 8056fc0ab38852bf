import { describe, expect, test } from '@jest/globals';
import { parseScopes } from '../../src/access/scope.ts';

const letters = (text: string): string[] => parseScopes(text).scopes.map(scope => [...scope.may].join(''));

describe('parseScopes', () => {
  test.each([
    ['patient/Observation.rs', 'rs'],
    ['patient/Observation.cruds', 'cruds'],
    ['patient/*.r', 'r'],
    ['user/Observation.read', 'rs'],
    ['user/Observation.write', 'cud'],
    ['system/*.*', 'cruds'],
    ['http://smarthealthit.org/fhir/scopes/patient/Observation.u', 'u'],
  ])('%s → %s', (text, may) => expect(letters(text)).toEqual([may]));

  test.each([
    'patient/Observation.dus',
    'patient/Observation.sr',
    'patient/Observation.',
    'patient/Observation.rr',
    'patient/Observation',
    'patient/observation.rs',
    'patient/Nonsense.rs',
    'patient/Observation.reads',
    'patient/Observation.read?category=laboratory',
    'patient/Observation.*?category=laboratory',
    'patient/Observation.rs?',
    'patient/Observation.rs?category',
    'patient/Observation.rs?category=',
    'patient/Observation.rs?code:in=http://x',
    'patient/Observation.rs?subject.name=x',
    'patient/Observation.rs?_has:Provenance:target:agent=x',
    'patient/Observation.rs?_filter=x',
    'patient/Observation.rs?_count=5',
    'patient/Observation.rs?category=%zz',
    'patient/Observation.rs?category=a&code:not=b',
  ])('%s is dropped whole', text => expect(parseScopes(text)).toEqual({ scopes: [], ignored: [text] }));

  test('other scopes are passed over quietly', () => {
    expect(parseScopes('openid fhirUser launch/patient offline_access __ours  patient/Patient.r')).toMatchObject({
      scopes: [{ level: 'patient', type: 'Patient' }],
      ignored: [],
    });
  });
  test('granular pairs are decoded, once', () => {
    expect(parseScopes('patient/Observation.rs?category=http%3A%2F%2Fa%7Cb%2526&status=final').scopes[0]?.where).toEqual([
      ['category', 'http://a|b%26'],
      ['status', 'final'],
    ]);
  });
});
