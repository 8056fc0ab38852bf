import { randomBytes } from 'node:crypto';
import { hashOf, sameText } from './secrets.ts';

/** How many there are. */
const CODES = 10;
// Without what looks alike.
const letters = '23456789abcdefghjkmnpqrstuvwxyz';

/** 16 letters of 31, in groups of four: 79 bits, so a plain hash keeps them. */
export const newRecoveryCodes = (): readonly string[] => Array.from({ length: CODES }, newCode);
function newCode(): string {
  let code = '';
  while (code.length < 16) for (const byte of randomBytes(32)) if (byte < 248 && code.length < 16) code += letters[byte % 31];
  return code.replace(/(.{4})(?=.)/g, '$1-');
}
/** As it is kept. */
export const recoveryHash = (code: string): string => hashOf(code.toLowerCase().replace(/[\s-]/g, ''));

/** The hashes that are left when this code has been used; undefined: it is none of them. */
export function withoutCode(hashes: readonly string[], code: string): readonly string[] | undefined {
  if (code.length > 64) return undefined;
  const hash = recoveryHash(code);
  const left = hashes.filter(one => !sameText(one, hash));
  return left.length === hashes.length ? undefined : left;
}
