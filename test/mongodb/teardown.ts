import { writeFileSync } from 'node:fs';
import { held, stopKeeper } from './keeping.ts';

/** The last line of a run is printed here: whatever a reporter prints comes before jest's own summary. `.ci/run` wants it in a file too. */
export default async function tearDown(): Promise<void> {
  await stopKeeper();
  if (held.line === undefined) return;
  process.stderr.write(`\n${held.line}\n`);
  const file = process.env.KINDRED_TEST_MONGODB_LINE;
  if (file) writeFileSync(file, `${held.line}\n`);
}
