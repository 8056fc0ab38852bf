import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { Problem } from '../fhir/problem.ts';
import type { Cursor } from '../search/query.ts';

/** Closes a cursor so that it can be neither read nor made outside, and opens only for whom it was made. */
export interface Seal {
  close(cursor: Cursor, bound: string): string;
  /** Throws Problem 'value' for anything but a cursor that this server made for the same caller. */
  open(text: string, bound: string): Cursor;
}

/** AES-256-GCM; account, client and record are authenticated with it. A cursor is never proof of access: each page is judged anew. */
export function makeSeal(secret: Uint8Array): Seal {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'kindred cursor', 32)));
  return {
    close(cursor, bound) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound));
      const sealed = Buffer.concat([cipher.update(JSON.stringify(cursor), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(text, bound) {
      try {
        const bytes = Buffer.from(text, 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(bound));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')) as Cursor;
      } catch (cause) {
        throw new Problem('value', 'the `_cursor` is not one that this server made for you: begin the search anew', { cause });
      }
    },
  };
}
