import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Account } from './account.ts';

/** What people are told by mail: never health data, a secret, or a link that holds one. */
export type News = 'credentials-changed' | 'password-changed' | 'account-locked' | 'recovery-code-used' | 'app-connected';

const news: Readonly<Record<News, readonly [subject: string, text: string]>> = {
  'credentials-changed': ['Your sign-in was changed', 'A way to sign in to your account, or to confirm that it is you, was added or removed.'],
  'password-changed': ['Your password was changed', 'The password of your account was changed. Everybody who was signed in has been signed out.'],
  'account-locked': ['Your account is locked for a while', 'Somebody has tried to sign in to your account too often. Wait a while before you sign in.'],
  'recovery-code-used': ['A recovery code was used', 'Somebody has signed in to your account, or confirmed something, with one of its recovery codes.'],
  'app-connected': ['An app was connected', 'An app was given access through your account.'],
};
const close = 'If it was not you: sign in, look at the access log, and change your password.';

/** Post to the owners of accounts. */
export interface Mail {
  /** Nobody waits for it, and a failure fails nothing. An account without an e-mail address hears nothing. */
  tell(account: Pick<Account, 'email'>, what: News): void;
}
/** For whoever connects apps. */
export const tellOfApp = (mail: Mail, account: Pick<Account, 'email'>): void => mail.tell(account, 'app-connected');

/** Where the operator reads of failures. */
type Tell = (level: 'info' | 'warn', event: string, details: Readonly<Record<string, unknown>>) => void;

/**
 * `address`: `dir:PATH`, where each message becomes an `.eml`; or `smtp://…`, `smtps://…`. `from`: the sender. The log hears what was sent and what failed, never of addresses.
 * Throws where the address is none of these.
 */
export function makeMail(address: string, log: Tell, from = 'Kindred <no-reply@localhost>'): Mail {
  const send = senderOf(address);
  return {
    tell({ email }, what) {
      if (email === undefined) return;
      const [subject, text] = news[what];
      send({ from, to: { name: '', address: email }, subject, text: `${text}\n\n${close}\n` }).then(
        () => log('info', 'a mail was sent', { what }),
        (error: { code?: unknown }) => log('warn', 'a mail was not sent', { what, code: String(error.code ?? 'unknown') }),
      );
    },
  };
}

function senderOf(address: string): (message: SendMailOptions) => Promise<unknown> {
  if (/^smtps?:\/\/[^\s]+$/.test(address)) {
    const transport = createTransport(address);
    return message => transport.sendMail(message);
  }
  const folder = /^dir:(.+)$/.exec(address)?.[1];
  if (folder === undefined) throw new Error('mail goes to dir:PATH, smtp://… or smtps://…');
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  return async message => {
    const { message: written, messageId } = await transport.sendMail(message);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${messageId.replace(/[^A-Za-z0-9-]/g, '')}.eml`), written as Buffer, { flag: 'wx', mode: 0o600 });
  };
}
