import { Problem } from '../fhir/problem.ts';

/** What the bodies of one page may hold, bytes: all of them are in memory at once. */
const MOST = 64 * 2 ** 20;

/** Takes the resources of a page one by one; throws Problem `too-costly` for the one with which they are too large together. One by itself may always come. */
export function makePageLimit(): (bytes: number) => void {
  let [count, size] = [0, 0];
  return bytes => {
    count += 1;
    size += bytes;
    if (size > MOST && count > 1)
      throw new Problem('too-costly', `the resources of this page are larger than ${MOST / 2 ** 20} MB together: ask for a smaller \`_count\``);
  };
}
