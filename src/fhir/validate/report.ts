import type { Issue, ProblemCode } from '../problem.ts';

/** Where the walk stands, and what it found so far. */
export interface Walk {
  readonly path: (string | number)[];
  readonly issues: Issue[];
}

/** Whoever has made more mistakes than these corrects them first. */
const mostIssues = 50;
const longestQuote = 80;

const pathOf = (path: readonly (string | number)[]): string =>
  path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');

/** A client's text as it may stand in a message: between backticks, and cut. */
export function quote(value: unknown): string {
  const text = (typeof value === 'string' ? value : String(JSON.stringify(value))).replaceAll('`', "'");
  return `\`${text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text}\``;
}

/** Notes that the element where the walk stands (or its member `at`) breaks a rule; `what` goes on from its path and ends the sentence. */
export function report(walk: Walk, code: ProblemCode, what: string, at?: string): void {
  if (walk.issues.length >= mostIssues) return;
  const expression = pathOf(at === undefined ? walk.path : [...walk.path, at]);
  walk.issues.push({ code, text: `${expression} ${what}.`, expression });
}
