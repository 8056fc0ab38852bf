import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes } from 'node:crypto';
import { Problem } from '../fhir/problem.ts';
import type { Cursor } from '../search/query.ts';

/** Where a page begins, and where those before it did: the newest last, null for the first page of all. */
export interface Mark {
  readonly at: Cursor;
  readonly before: readonly (Cursor | null)[];
}
/** Closes a mark so that it can be neither read nor made outside, and opens only for whom it was made. */
export interface Seal {
  close(mark: Mark, bound: string): string;
  /** Throws Problem 'value' for anything but a mark that this server made for the same caller. */
  open(text: string, bound: string): Mark;
}

/** A mark goes into an address, so that it must stay short. */
const most = { pages: 50, characters: 2000 } as const;

/** The mark of the page that begins `at`, after the page of `mark` (undefined: the first). Of the pages before it the oldest may be forgotten. */
export function markAfter(mark: Mark | undefined, at: Cursor): Mark {
  let before = [...(mark?.before ?? []), mark?.at ?? null].slice(-most.pages);
  while (JSON.stringify(before).length > most.characters) before = before.slice(1);
  return { at, before };
}
/** The mark of the page before: null is the first page, undefined is not known. */
export function markBefore({ before }: Mark): Mark | null | undefined {
  const at = before.at(-1);
  return at == null ? at : { at, before: before.slice(0, -1) };
}

/** Its length tells nothing of the row that it names: JSON may end in blanks. */
const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 128) * 128);

/** AES-256-GCM; account, client and record are authenticated with it. A cursor is never proof of access: each page is judged anew. */
export function makeSeal(secret: Uint8Array): Seal {
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'kindred cursor 2', 32)));
  return {
    close(mark, bound) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(bound));
      const sealed = Buffer.concat([cipher.update(padded(JSON.stringify(mark)), 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(text, bound) {
      try {
        const bytes = Buffer.from(text, 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 }).setAAD(Buffer.from(bound));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8')) as Mark;
      } catch (cause) {
        throw new Problem('value', 'the `_cursor` is not one that this server made for you: begin the search anew', { cause });
      }
    },
  };
}
