/** Why a request ends early. Each code has one HTTP status and one FHIR issue code, in the table below. */
export type ProblemCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'code-invalid'
  | 'unsupported'
  | 'too-costly'
  | 'too-long'
  | 'login'
  | 'forbidden'
  | 'not-found'
  | 'deleted'
  | 'not-allowed'
  | 'not-acceptable'
  | 'media-type'
  | 'duplicate'
  | 'conflict'
  | 'version-changed'
  | 'multiple-matches'
  | 'unprocessable'
  | 'business-rule'
  | 'unavailable'
  | 'exception';

/** The one table of HTTP status and `OperationOutcome.issue.code` (http://hl7.org/fhir/R4/valueset-issue-type.html). */
export const problems: Readonly<Record<ProblemCode, { readonly status: number; readonly issue: string }>> = {
  invalid: { status: 400, issue: 'invalid' },
  structure: { status: 400, issue: 'structure' },
  required: { status: 400, issue: 'required' },
  value: { status: 400, issue: 'value' },
  'code-invalid': { status: 400, issue: 'code-invalid' },
  unsupported: { status: 400, issue: 'not-supported' },
  'too-costly': { status: 400, issue: 'too-costly' },
  'too-long': { status: 413, issue: 'too-long' },
  login: { status: 401, issue: 'login' },
  forbidden: { status: 403, issue: 'forbidden' },
  'not-found': { status: 404, issue: 'not-found' },
  'not-allowed': { status: 405, issue: 'not-supported' },
  'not-acceptable': { status: 406, issue: 'not-supported' },
  conflict: { status: 409, issue: 'conflict' },
  duplicate: { status: 409, issue: 'duplicate' },
  deleted: { status: 410, issue: 'deleted' },
  'version-changed': { status: 412, issue: 'conflict' },
  'multiple-matches': { status: 412, issue: 'multiple-matches' },
  'media-type': { status: 415, issue: 'not-supported' },
  unprocessable: { status: 422, issue: 'processing' },
  'business-rule': { status: 422, issue: 'business-rule' },
  unavailable: { status: 503, issue: 'transient' },
  exception: { status: 500, issue: 'exception' },
};

/** One thing that is wrong: what, and where as a FHIRPath such as `Patient.name[0].given`. */
export interface Issue {
  readonly code: ProblemCode;
  readonly text: string;
  readonly expression?: string;
}

interface Details {
  readonly expression?: string;
  /** Everything that is wrong, where it is more than one thing. */
  readonly issues?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/**
 * What ends a request. The message is one sentence for the client: what is wrong and where, user text in backticks;
 * never a stack, a query, or whether something hidden exists. The cause is for the log only.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly issues: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.issues = details.issues ?? [{ code, text: message, ...(details.expression === undefined ? {} : { expression: details.expression }) }];
    this.headers = details.headers ?? {};
  }
}
