import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';

/** A JSON document that anybody may read, with a weak ETag (SMART App Launch 2.2, user-access brands). */
export function publish(document: object): RequestHandler {
  const bytes = Buffer.from(JSON.stringify(document));
  const tag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return (request, response) => {
    response.set({ ETag: tag, 'Cache-Control': 'max-age=300', 'X-Content-Type-Options': 'nosniff', 'Access-Control-Expose-Headers': 'ETag' });
    if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(tag)) response.status(304).end();
    else
      response
        .set({ 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(bytes.length) })
        .end(request.method === 'HEAD' ? undefined : bytes);
  };
}
