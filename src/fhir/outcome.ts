import type { Problem } from './problem.ts';
import { problems } from './problem.ts';
import type { Resource } from './types.ts';

/** The OperationOutcome that tells a client what is wrong and where: an issue each. http://hl7.org/fhir/R4/operationoutcome.html */
export const outcomeOf = (problem: Problem): Resource => ({
  resourceType: 'OperationOutcome',
  issue: problem.issues.map(({ code, text, expression }) => ({
    severity: 'error',
    code: problems[code].issue,
    diagnostics: text,
    ...(expression === undefined ? {} : { expression: [expression] }),
  })),
});
