import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type express from 'express';

/** What the pages load: all of it. */
const files: readonly (readonly [path: string, file: string, type: string])[] = [
  ['/style.css', 'style.css', 'text/css; charset=utf-8'],
  ['/passkey.js', 'passkey.js', 'text/javascript; charset=utf-8'],
];

/** Serves them, so that a browser asks each time and is mostly told that nothing has changed. */
export function serveFiles(router: express.Router): void {
  for (const [path, file, type] of files) {
    const bytes = readFileSync(join(import.meta.dirname, file));
    const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    router.get(path, (request, response) => {
      response.set({ ETag: tag, 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin' });
      if (request.headers['if-none-match']?.split(/\s*,\s*/).some(one => one.replace(/^W\//, '') === tag)) response.status(304).end();
      else response.set({ 'Content-Type': type, 'Content-Length': String(bytes.length) }).end(request.method === 'HEAD' ? undefined : bytes);
    });
  }
}
