import type { Found } from './server.ts';

/** The jest project whose suites need a server. */
const project = 'MongoDB';

interface Results {
  readonly testResults: readonly {
    readonly displayName?: { readonly name: string };
    readonly testResults: readonly { readonly status: string }[];
  }[];
}

/** The last line of a run: whether MongoDB was tested, and which. */
export function summarize(found: Found, results: Results): string {
  const tests = results.testResults.filter(file => file.displayName?.name === project).flatMap(file => file.testResults);
  const ran = tests.filter(test => test.status === 'passed' || test.status === 'failed').length;
  if ('url' in found) return `MongoDB: ${counted(ran)} against ${found.what}`;
  return tests.length === 0 ? `MongoDB: not tested: ${found.reason}` : `MongoDB: ${counted(tests.length)} skipped: ${found.reason}`;
}

const counted = (tests: number): string => `${tests} ${tests === 1 ? 'test' : 'tests'}`;
