import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** The path of a Chromium on this machine: `CHROMIUM` names one; undefined where there is none. */
export function findChromium(environment: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const folders = (environment.PATH ?? '').split(delimiter).filter(folder => folder !== '');
  const candidates = ['/usr/bin/chromium', ...names.flatMap(name => folders.map(folder => join(folder, name)))];
  return (environment.CHROMIUM ? [environment.CHROMIUM] : candidates).find(isProgram);
}
function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A headless browser. In a container there is no room for its sandbox, and little shared memory. */
export const openChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, timeout: 60_000, args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'] });
