import { expect, test } from '@jest/globals';
import { outcomeOf } from '../../src/fhir/outcome.ts';
import { Problem } from '../../src/fhir/problem.ts';
import { validate } from '../../src/fhir/validate/validate.ts';

test('an OperationOutcome has an issue for each, with the code of the value set and the place where it is known', () => {
  const issues = [
    { code: 'required', text: 'Observation.code is required.', expression: 'Observation.code' },
    { code: 'unsupported', text: 'No such thing.' },
  ] as const;
  const outcome = outcomeOf(new Problem('required', 'Two things.', { issues }));
  expect(outcome).toEqual({
    resourceType: 'OperationOutcome',
    issue: [
      { severity: 'error', code: 'required', diagnostics: 'Observation.code is required.', expression: ['Observation.code'] },
      { severity: 'error', code: 'not-supported', diagnostics: 'No such thing.' },
    ],
  });
  expect(validate(outcome)).toEqual([]);
});

test('a Problem by itself is one issue', () => {
  expect(outcomeOf(new Problem('login', 'Who are you?', { cause: new Error('secret') })).issue).toEqual([
    { severity: 'error', code: 'login', diagnostics: 'Who are you?' },
  ]);
});
