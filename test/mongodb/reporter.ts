import { held } from './keeping.ts';
import { summarize } from './summary.ts';

/** A jest reporter: counts the tests that ran against the server, for the line at the end of a run. */
export default function countTests() {
  return {
    onRunComplete(_: unknown, results: Parameters<typeof summarize>[1]): void {
      if (held.found !== undefined) held.line = summarize(held.found, results);
    },
  };
}
