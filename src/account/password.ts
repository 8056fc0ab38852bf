import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { TOTP } from 'otpauth';
import type { Account } from './account.ts';

// OWASP's parameters for argon2id (the library's default algorithm): 19 MiB, 2 passes, 1 lane.
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Longer ones are refused, so that nobody can make us hash megabytes. */
export const MAX_PASSWORD = 256;

/** As it is hashed and counted (NIST SP 800-63B-4 §3.1.1.2); undefined: too long to be one. */
export function normalPassword(password: string): string | undefined {
  if (password.length > 2 * MAX_PASSWORD) return undefined;
  const normal = password.normalize('NFKC');
  return [...normal].length > MAX_PASSWORD ? undefined : normal;
}

/** argon2id in the PHC format. */
export const hashPassword = (password: string): Promise<string> => hash(password.normalize('NFKC'), COST);

/** `kept` is a PHC string, or `salt.hash` of scrypt, as hashes were before. Takes as long for what is no password at all. */
export async function isPassword(kept: string, password: string): Promise<boolean> {
  const normal = normalPassword(password);
  const right = kept.startsWith('$argon2') ? await verify(kept, normal ?? '').catch(() => false) : await isOfScrypt(kept, normal ?? '');
  return right && normal !== undefined;
}
/** Whether it was made with other parameters than ours are now. */
export function isOutdated(kept: string): boolean {
  if (!kept.startsWith('$argon2id$')) return true;
  const { memoryCost, timeCost, parallelism } = parseOptions(kept);
  return memoryCost !== COST.memoryCost || timeCost !== COST.timeCost || parallelism !== COST.parallelism;
}

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer>;
async function isOfScrypt(kept: string, password: string): Promise<boolean> {
  const [salt = '', expected = ''] = kept.split('.').map(part => Buffer.from(part, 'base64url'));
  const found = await derive(password, Buffer.from(salt), 32, { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 2 ** 20 });
  return expected.length === found.length && timingSafeEqual(found, Buffer.from(expected));
}

let nobodys: Promise<string> | undefined;
/** The hash that the password of an unknown account is held against, so that it takes as long as a known one. */
export function nobodysHash(): Promise<string> {
  nobodys ??= hashPassword(randomBytes(32).toString('base64url'));
  return nobodys;
}

const PERIOD = 30;
/** The step of a TOTP code (RFC 6238), one step of tolerance; undefined: it is wrong. `now`: epoch ms. */
export function totpStep(secret: string, code: string, now: number): number | undefined {
  const delta = new TOTP({ secret, period: PERIOD }).validate({ token: code, timestamp: now, window: 1 });
  return delta === null ? undefined : Math.floor(now / 1000 / PERIOD) + delta;
}
export const isTotp = (secret: string, code: string, now: number): boolean => totpStep(secret, code, now) !== undefined;

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
