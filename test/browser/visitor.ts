import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** Runs in the page, and is no part of the program that is checked. */
const look = readFileSync(new URL('./look.js', import.meta.url), 'utf8').replace(/;\s*$/, '');
const NARROW = { width: 320, height: 640 };
const WIDE = { width: 1100, height: 900 };
const PATIENCE = 30_000;

/** A person in front of a browser. Every page of the server that comes up is looked at: what is wrong with any is kept in `faults`. */
export interface Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly faults: readonly string[];
  go(path: string): Promise<void>;
  /** Presses a button or follows a link by what it is called, and waits for the page that comes of it. */
  press(role: 'button' | 'link', name: string | RegExp): Promise<void>;
  /** Presses whatever a selector finds. */
  click(selector: string): Promise<void>;
  /** Does something that leads to another page. */
  through(work: () => Promise<unknown>): Promise<void>;
  fill(fields: Readonly<Record<string, string>>): Promise<void>;
  /** The path of the page. */
  at(): string;
  close(): Promise<void>;
}

/** What can be seen to be wrong with a page: by its elements, its colours in both schemes, its width on a small phone, and where the focus begins. */
async function faultsOf(page: Page): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    faults.push(...((await page.evaluate(`(${look})()`)) as string[]));
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  const width = (await page.evaluate('document.documentElement.scrollWidth')) as number;
  if (width > NARROW.width) faults.push(`scrolls sideways: ${width} px at ${NARROW.width}`);
  await page.setViewportSize(WIDE);
  const focused = await page.evaluateHandle('document.activeElement');
  await page.evaluate('document.body.tabIndex = -1, document.body.focus()');
  await page.keyboard.press('Tab');
  const first = await page.evaluate('document.activeElement.getAttribute("href") ?? document.activeElement.outerHTML.slice(0, 80)');
  if (first !== '#main') faults.push(`the focus begins with ${first}`);
  await page.evaluate('document.body.removeAttribute("tabindex")');
  await page.evaluate('node => node.focus()', focused);
  return [...new Set(faults)];
}

export async function openVisitor(browser: Browser, origin: string, { scripts = true }: { readonly scripts?: boolean } = {}): Promise<Visitor> {
  const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB', javaScriptEnabled: scripts });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const faults: string[] = [];
  const seen = new Set<string>();
  const isOurs = (): boolean => page.url().startsWith(origin);
  const path = (): string => new URL(page.url()).pathname;
  const fault = (text: string): void => void faults.push(`${path()}: ${text}`);
  page.on('console', message => {
    // What the browser says of a status that a page is meant to have is no fault of the page.
    const isStatus = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (isOurs() && ['error', 'warning'].includes(message.type()) && !isStatus) fault(`console: ${message.text()}`);
  });
  page.on('pageerror', error => fault(`script: ${error.message}`));
  await page.addInitScript(
    "document.addEventListener('securitypolicyviolation', event => console.error('CSP ' + event.violatedDirective + ' ' + event.blockedURI))",
  );

  async function examine(): Promise<void> {
    if (!isOurs()) return;
    const about = `${path().replace(/[A-Za-z0-9_-]{16,}/g, ':id')} ${await page.evaluate('document.title + " " + document.querySelectorAll("*").length')}`;
    if (seen.has(about)) return;
    seen.add(about);
    for (const text of await faultsOf(page)) fault(text);
  }
  async function through(work: () => Promise<unknown>): Promise<void> {
    const loaded = page.waitForEvent('domcontentloaded', { timeout: PATIENCE });
    await Promise.all([loaded, work()]);
    await page.waitForLoadState('load');
    await examine();
  }
  return {
    context,
    page,
    faults,
    through,
    go: path => through(() => page.goto(new URL(path, origin).href)),
    press: (role, name) => through(() => page.getByRole(role, { name, exact: typeof name === 'string' }).click()),
    click: selector => through(() => page.locator(selector).click()),
    async fill(fields) {
      for (const [name, value] of Object.entries(fields)) await page.locator(`main [name="${name}"]:visible`).fill(value);
    },
    at: path,
    close: () => context.close(),
  };
}
