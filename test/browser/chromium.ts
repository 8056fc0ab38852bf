import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The path of a Chromium on this machine; undefined where there is none that runs. One that `CHROMIUM` names is taken as it is. */
export function findChromium({ CHROMIUM, PATH = '' }: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  if (CHROMIUM) return CHROMIUM;
  const folders = PATH.split(delimiter).filter(folder => folder !== '');
  return ['/usr/bin/chromium', ...names.flatMap(name => folders.map(folder => join(folder, name)))].find(path => existsSync(path) && runs(path));
}
/** Some of these names stand for a program that only says how to get the real one. */
const runs = (path: string): boolean => spawnSync(path, ['--version'], { timeout: 60_000, stdio: 'ignore' }).status === 0;

/** A headless browser. In a container there is no room for its sandbox, and little shared memory. */
export const openChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, timeout: 60_000, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
