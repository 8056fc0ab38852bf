import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { TOTP } from 'otpauth';
import type { Account } from './account.ts';

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer>;
// OWASP's scrypt parameters: N=2^17, r=8, p=1.
const COST = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 };

/** `salt.hash`, both base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString('base64url')}.${(await derive(password.normalize('NFKC'), salt, 32, COST)).toString('base64url')}`;
}
export async function isPassword(kept: string, password: string): Promise<boolean> {
  const [salt = '', hash = ''] = kept.split('.').map(part => Buffer.from(part, 'base64url'));
  const found = await derive(password.normalize('NFKC'), Buffer.from(salt), 32, COST);
  return hash.length === found.length && timingSafeEqual(found, Buffer.from(hash));
}
/** RFC 6238, one step of tolerance. `now`: epoch ms. */
export const isTotp = (secret: string, code: string, now: number): boolean =>
  new TOTP({ secret }).validate({ token: code, timestamp: now, window: 1 }) !== null;

/** Whether these are what the account confirms with: every factor that it has. An account without any confirms nothing. */
export async function confirms(
  account: Account,
  given: { readonly password?: string | undefined; readonly totp?: string | undefined },
  now: number,
): Promise<boolean> {
  if (account.password === undefined) return false;
  const known = await isPassword(account.password, given.password ?? '');
  return known && (account.totp === undefined || isTotp(account.totp, given.totp ?? '', now));
}
