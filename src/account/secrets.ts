import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 32 random bytes, base64url: a cookie, a ticket. */
export const newSecret = (): string => randomBytes(32).toString('base64url');
/** What a secret is kept under: SHA-256, base64url. Enough for what is random and long. */
export const hashOf = (secret: string): string => hash('sha256', secret, 'base64url');
/** Whether somebody may have it from us. */
export const isSecret = (text: unknown): text is string => typeof text === 'string' && /^[A-Za-z0-9_-]{43}$/.test(text);

/** In constant time for texts of one length. */
export function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
