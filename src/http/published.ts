import { createHash } from 'node:crypto';
import type { RequestHandler } from 'express';

/** A JSON document that anybody may read, made when it is asked for, with a weak ETag (SMART App Launch 2.2, user-access brands). */
export const publish =
  (make: () => object | Promise<object>): RequestHandler =>
  async (request, response) => {
    const bytes = Buffer.from(JSON.stringify(await make()));
    const tag = `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    response.set({ ETag: tag, 'Cache-Control': 'max-age=300', 'X-Content-Type-Options': 'nosniff', 'Access-Control-Expose-Headers': 'ETag' });
    if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(tag)) response.status(304).end();
    else
      response
        .set({ 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': String(bytes.length) })
        .end(request.method === 'HEAD' ? undefined : bytes);
  };
