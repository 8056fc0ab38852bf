import type { IncomingMessage } from 'node:http';
import type { Caller } from '../access/caller.ts';
import { Problem } from '../fhir/problem.ts';

/** How a token was brought, and to what: `target` as the request has it, with its query. */
interface Presented {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly proofs: readonly string[];
  readonly method: string;
  readonly target: string;
}
/** Verified access token → Caller; throws Problem 'login'. */
export type VerifyToken = (token: string, presented: Presented) => Promise<Caller>;

/**
 * RFC 6750, RFC 9449: the token is in the Authorization header and nowhere else. A request without one is told the scheme, and no error code (§3.1).
 */
export async function authenticate(message: IncomingMessage, verify: VerifyToken, address: string): Promise<Caller> {
  const header = message.headers.authorization;
  if (header === undefined)
    throw new Problem('login', 'an access token is needed: `Authorization: Bearer …`', { headers: { 'WWW-Authenticate': 'Bearer realm="kindred"' } });
  const [, named = 'Bearer', token] = /^(Bearer|DPoP) ([A-Za-z0-9\-._~+/]+=*)$/i.exec(header) ?? [];
  const scheme = named.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';
  // Of several headers Node shows the first: a proxy may have looked at another.
  if (token === undefined || message.headersDistinct.authorization?.length !== 1) {
    throw new Problem('login', 'the Authorization header must be `Bearer` or `DPoP` and one token', {
      headers: { 'WWW-Authenticate': 'Bearer realm="kindred", error="invalid_request"' },
    });
  }
  const { originalUrl: target = message.url ?? '' } = message as IncomingMessage & { readonly originalUrl?: string };
  const proofs = message.headersDistinct.dpop ?? [];
  return { ...(await verify(token, { scheme, proofs, method: message.method ?? '', target })), address };
}
