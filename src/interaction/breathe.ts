/** So long, ms, one turn of the event loop may take up before others are let in. */
const SLICE = 20;
let began: number | undefined;

/**
 * Lets other requests be answered where this turn of the event loop has lasted too long. To be awaited between the steps of long work: what is stored may
 * have changed after it.
 */
export async function breathe(): Promise<void> {
  if (began === undefined) {
    began = performance.now();
    setImmediate(() => {
      began = undefined;
    });
  } else if (performance.now() - began > SLICE) await new Promise(resolve => setImmediate(resolve));
}
