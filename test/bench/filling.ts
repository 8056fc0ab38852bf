import { openApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { records } from './data.ts';

/** Fills a new store with the records of so many patients, as transactions of an open server without a log. Returns the seconds that it took. */
export async function fill(store: string, patients: number): Promise<number> {
  const begun = performance.now();
  const read = readConfig({ KINDRED_STORE: store, KINDRED_AUTH: 'off', KINDRED_AUDIT: 'off', KINDRED_LOG: 'error' });
  if ('mistakes' in read) throw new Error(read.mistakes.join('\n'));
  const app = await openApp(read.config, { url: 'http://localhost' });
  try {
    let at = 0;
    const lane = async (): Promise<void> => {
      while (at < patients) {
        const [text] = records(1, at);
        at += 1;
        const { status } = await app.run({ method: 'POST', path: [], query: [], headers: {}, body: JSON.parse(text!) }, app.open);
        if (status !== 200) throw new Error(`a record was answered ${status}`);
        if (at % 2000 === 0) process.stderr.write(`${at} of ${patients} patients\n`);
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
  } finally {
    await app.close();
  }
  return (performance.now() - begun) / 1000;
}
