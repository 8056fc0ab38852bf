import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeMail, type News, tellOfApp } from '../../src/account/mail.ts';
import type { WriteLog } from '../../src/log.ts';

let folder: { readonly path: string; remove(): void };
beforeEach(() => {
  const path = mkdtempSync(join(tmpdir(), 'kindred-'));
  folder = { path, remove: () => rmSync(path, { recursive: true, force: true }) };
});
afterEach(() => folder.remove());

const logged: unknown[][] = [];
beforeEach(() => void logged.splice(0));
const log: WriteLog = (level, ...line) => void (level === 'warn' && logged.push([level, ...line]));
async function until<T>(look: () => T | undefined): Promise<T> {
  for (let at = 0; at < 200; at++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  throw new Error('it did not come');
}
const all: readonly News[] = ['credentials-changed', 'password-changed', 'account-locked', 'recovery-code-used', 'app-connected'];

test('dir: one file for each message, for its owner alone, without link or secret', async () => {
  const path = join(folder.path, 'mail');
  const mail = makeMail(`dir:${path}`, log);
  for (const what of all) mail.tell({ email: 'mary@example.org' }, what);
  const files = await until(() => {
    const found = readdirSync(folder.path).includes('mail') ? readdirSync(path) : [];
    return found.length === all.length ? found : undefined;
  });
  for (const file of files) {
    expect(file).toMatch(/\.eml$/);
    expect(statSync(join(path, file)).mode & 0o077).toBe(0);
    const text = readFileSync(join(path, file), 'utf8');
    expect(text).toContain('To: mary@example.org');
    expect(text).toMatch(/^Subject: /m);
    expect(text).not.toMatch(/https?:|medication|diagnos|patient/i);
  }
  expect(logged).toEqual([]);
});

test('an account without an e-mail address hears nothing', async () => {
  const mail = makeMail(`dir:${folder.path}`, log);
  tellOfApp(mail, {});
  tellOfApp(mail, { email: 'mary@example.org' });
  await until(() => (readdirSync(folder.path).length === 1 ? true : undefined));
});

test('an address is one address: no header and no second one comes of it', async () => {
  const mail = makeMail(`dir:${folder.path}`, log);
  mail.tell({ email: 'mary@example.org\r\nBcc: other@example.org' }, 'app-connected');
  mail.tell({ email: 'mary@example.org, other@example.org' }, 'app-connected');
  const files = await until(() => (readdirSync(folder.path).length === 2 ? readdirSync(folder.path) : undefined));
  for (const file of files) expect(readFileSync(join(folder.path, file), 'utf8')).not.toMatch(/^Bcc:/im);
});

test('smtp: it goes to the server; a failure fails nothing and is logged without the address', async () => {
  const heard: string[] = [];
  const server = createServer(socket => {
    let body = false;
    socket.write('220 here\r\n');
    socket.on('data', chunk => {
      const line = chunk.toString();
      heard.push(line);
      if (body) body = !line.endsWith('\r\n.\r\n');
      if (/^DATA/i.test(line)) {
        body = true;
        socket.write('354 go on\r\n');
      } else if (!body) socket.write(/^EHLO/i.test(line) ? '250 hello\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 ok\r\n');
    });
    socket.on('error', () => {});
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const mail = makeMail(`smtp://127.0.0.1:${port}`, log);
  mail.tell({ email: 'mary@example.org' }, 'account-locked');
  await until(() => (heard.join('').includes('locked for a while') ? true : undefined));
  expect(heard.join('')).toContain('RCPT TO:<mary@example.org>');
  await new Promise(resolve => server.close(resolve));
  mail.tell({ email: 'mary@example.org' }, 'account-locked');
  await until(() => (logged.length > 0 ? true : undefined));
  expect(logged).toEqual([['warn', 'a mail was not sent', { what: 'account-locked', code: 'ESOCKET' }]]);
});

test('any other address is a mistake that is told at once', () => {
  for (const address of ['', 'dir:', 'http://example.org', 'mary@example.org', 'smtp://']) expect(() => makeMail(address, log)).toThrow('mail goes to');
});
