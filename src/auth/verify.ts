import { hash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { Caller } from '../access/caller.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceStore } from '../store/store.ts';
import { type Claims, callerOf } from './caller.ts';
import { ALGORITHM, type SigningKey } from './keys.ts';
import type { Account, Client, OauthGrant } from './people.ts';

export type Verify = (token: string) => Promise<Caller>;

interface Verified {
  readonly caller: Caller;
  /** Epoch ms after which it must be verified anew: expiry, or a minute for changes of account and client. */
  readonly until: number;
}
const KEPT = 10_000;
const RECHECK_MS = 60_000;

const refuse = (because: string): Problem =>
  new Problem('login', because, { headers: { 'WWW-Authenticate': `Bearer realm="kindred", error="invalid_token", error_description="${because}"` } });

/**
 * Bearer token → Caller. The signature is checked once per token; the revocation epoch of its OAuth grant is read with every request, so that ending the
 * grant counts at the next one. Keeps only hashes of tokens.
 */
export function makeVerifier(store: ResourceStore, key: SigningKey, url: () => string, now: () => number): Verify {
  const kept = new Map<string, Verified>();
  return async token => {
    const name = hash('sha256', token, 'base64');
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) {
      const [epoch] = await store.epochs([`grant:${known.caller.grant}`]);
      if (epoch === known.caller.grantEpoch) return known.caller;
    }
    kept.delete(name);
    const verified = await verify(token, store, key, url(), now());
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(name, verified);
    return verified.caller;
  };
}

async function verify(token: string, store: ResourceStore, key: SigningKey, url: string, now: number): Promise<Verified> {
  const claims = await readClaims(token, key, url, now);
  // The epoch before the grant: a revocation in between is seen at the next request at the latest.
  const [epoch = 0] = await store.epochs([`grant:${claims.grant}`]);
  const grant = (await store.document('grant', claims.grant)) as OauthGrant | undefined;
  if (grant === undefined || !grant.active) throw refuse('the authorization behind the token has ended');
  const client = (await store.document('client', claims.client_id)) as Client | undefined;
  if (client === undefined) throw refuse('the client of the token is not registered any more');
  const account = claims.account === undefined ? undefined : ((await store.document('account', claims.account)) as Account | undefined);
  try {
    return { caller: callerOf(claims, client, account, epoch), until: Math.min(claims.exp * 1000, now + RECHECK_MS) };
  } catch (error) {
    throw error instanceof Problem && error.code === 'login' ? refuse(error.message) : error;
  }
}

async function readClaims(token: string, key: SigningKey, url: string, now: number): Promise<Claims & { exp: number }> {
  try {
    const { payload } = await jwtVerify(token, key.open, {
      algorithms: [ALGORITHM],
      issuer: url,
      audience: `${url}/fhir`,
      typ: 'at+jwt',
      currentDate: new Date(now),
      requiredClaims: ['exp', 'jti', 'client_id', 'scope', 'grant'],
    });
    return payload as unknown as Claims & { exp: number };
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw refuse('the access token has expired');
    throw refuse('the access token is not valid here');
  }
}
