import { hash } from 'node:crypto';
import { type CryptoKey, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { Caller } from '../access/caller.ts';
import { caredFor } from '../account/account.ts';
import { Problem } from '../fhir/problem.ts';
import type { EpochName, ResourceStore } from '../store/store.ts';
import { type Claims, callerOf } from './caller.ts';
import { epochsOf, standingGrant, usableAccount, usableClient } from './grants.ts';
import { algorithms, type KeyRing } from './keys.ts';

/** Access token → Caller; throws Problem 'login'. */
export type Verify = (token: string) => Promise<Caller>;

interface Verified {
  readonly caller: Caller;
  /** The key that the token is bound to (DPoP). */
  readonly thumbprint?: string;
  readonly restsOn: readonly EpochName[];
  /** Of what it rests on, when it was verified. */
  readonly epochs: readonly number[];
  /** Epoch ms at which it expires. */
  readonly until: number;
}
const KEPT = 10_000;

export const refuse = (because: string): Problem =>
  new Problem('login', because, { headers: { 'WWW-Authenticate': `Bearer realm="kindred", error="invalid_token", error_description="${because}"` } });

export interface VerifierParts {
  readonly store: ResourceStore;
  readonly keys: KeyRing;
  url(): string;
  /** Epoch ms. */
  now(): number;
}

/**
 * Bearer token → Caller. The signature is checked once per token; what it rests on is looked at with every request, so that an end of the authorization, its
 * Consent, the client, the hat or the RelatedPerson counts at the next one. Keeps only hashes of tokens.
 */
export function makeVerifier(parts: VerifierParts): Verify {
  const { store, now } = parts;
  const kept = new Map<string, Verified>();
  return async token => {
    const name = hash('sha256', token, 'base64');
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) {
      const epochs = await store.epochs(known.restsOn);
      if (epochs.every((epoch, at) => epoch === known.epochs[at])) return stillCaring(known.caller, store);
    }
    kept.delete(name);
    const verified = await verify(token, parts);
    await stillCaring(verified.caller, store);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(name, verified);
    return verified.caller;
  };
}

/** A RelatedPerson is a resource that others may change: who acts under one is refused once it is gone, or is that of another patient. */
async function stillCaring(caller: Caller, store: ResourceStore): Promise<Caller> {
  if (caller.kind !== 'caregiver') return caller;
  const patient = await caredFor(caller.who, store);
  if (patient === undefined || (caller.record !== undefined && patient !== caller.record)) throw refuse('the account may no longer act as the token says');
  return caller;
}

async function verify(token: string, parts: VerifierParts): Promise<Verified> {
  const { store } = parts;
  const now = parts.now();
  const claims = await readClaims(token, parts);
  // The epochs first: a change in between is seen at the next request at the latest.
  const first = await standingGrant(claims.grant, store, now);
  if (first === undefined) throw refuse('the authorization behind the token has ended');
  const restsOn = epochsOf(first.grant);
  const epochs = await store.epochs(restsOn);
  const standing = await standingGrant(claims.grant, store, now);
  if (standing === undefined) throw refuse('the authorization behind the token has ended');
  const client = await usableClient(claims.client_id, store);
  if (client === undefined || standing.grant.client !== claims.client_id) throw refuse('the client of the token is not registered any more');
  const account = claims.account === undefined ? undefined : await usableAccount(claims.account, store);
  try {
    return { caller: callerOf(claims, client, account, epochs[0]!), restsOn, epochs, until: Math.min(claims.exp * 1000, standing.until) };
  } catch (error) {
    throw error instanceof Problem && error.code === 'login' ? refuse(error.message) : error;
  }
}

/** The issuer of our tokens. */
export const issuerOf = (url: string): string => `${url}/auth`;
export const audienceOf = (url: string): string => `${url}/fhir`;

/** The claims of an access token that we signed, and that has not expired. Throws Problem 'login'. */
export async function readClaims(
  token: string,
  parts: Pick<VerifierParts, 'keys' | 'url' | 'now'>,
): Promise<Claims & { readonly exp: number; readonly iat: number }> {
  try {
    const key = await keyOf(token, parts.keys);
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithms.token],
      issuer: issuerOf(parts.url()),
      audience: audienceOf(parts.url()),
      typ: 'at+jwt',
      currentDate: new Date(parts.now()),
      requiredClaims: ['exp', 'iat', 'jti', 'client_id', 'scope', 'grant'],
    });
    return payload as unknown as Claims & { exp: number; iat: number };
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw refuse('the access token has expired');
    if (error instanceof Problem || !(error instanceof errors.JOSEError || error instanceof TypeError)) throw error;
    throw refuse('the access token is not valid here');
  }
}

/** Our key of that id. One that is not known may have been made a moment ago, by another process. */
async function keyOf(token: string, keys: KeyRing): Promise<CryptoKey> {
  const { kid } = decodeProtectedHeader(token);
  const find = (set: ReturnType<KeyRing['known']>) => set.keys.find(key => key.id === kid && key.algorithm === algorithms.token);
  const key = find(keys.known()) ?? find(await keys.current());
  if (key === undefined) throw refuse('the access token is not valid here');
  return key.open;
}
