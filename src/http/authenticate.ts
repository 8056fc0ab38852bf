import type { IncomingMessage } from 'node:http';
import type { Caller } from '../access/caller.ts';
import { Problem } from '../fhir/problem.ts';

/** Verified bearer token → Caller; throws Problem 'login'. */
export type VerifyToken = (token: string) => Promise<Caller>;

/**
 * RFC 6750: the token is in the Authorization header and nowhere else. A request without one is told the scheme, and no error code (§3.1).
 */
export async function authenticate(message: IncomingMessage, verify: VerifyToken, address: string): Promise<Caller> {
  const header = message.headers.authorization;
  if (header === undefined)
    throw new Problem('login', 'an access token is needed: `Authorization: Bearer …`', { headers: { 'WWW-Authenticate': 'Bearer realm="kindred"' } });
  const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(header)?.[1];
  // Of several headers Node shows the first: a proxy may have looked at another.
  if (token === undefined || message.headersDistinct.authorization?.length !== 1) {
    throw new Problem('login', 'the Authorization header must be `Bearer` and one token', {
      headers: { 'WWW-Authenticate': 'Bearer realm="kindred", error="invalid_request"' },
    });
  }
  return { ...(await verify(token)), address };
}
