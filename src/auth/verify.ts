import { hash } from 'node:crypto';
import { type CryptoKey, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { Caller } from '../access/caller.ts';
import { caredFor } from '../account/account.ts';
import { Problem } from '../fhir/problem.ts';
import type { EpochName, ResourceStore } from '../store/store.ts';
import { type Claims, callerOf } from './caller.ts';
import { checkBinding, type Presented } from './dpop.ts';
import { epochsOf, standingGrant, usableAccount, usableClient } from './grants.ts';
import { algorithms, type KeyRing, keysEpoch, verifies } from './keys.ts';

/** Access token → Caller; throws Problem 'login'. `presented`: how it came; absent: as a bearer token. */
export type Verify = (token: string, presented?: Presented) => Promise<Caller>;
/** A token of an issuer that is trusted beside our own; undefined: it is none of those. Throws Problem 'login', or 'unavailable' where its keys cannot be had. */
export type Outsiders = (token: string) => Promise<Verified> | undefined;

export interface Verified {
  readonly caller: Caller;
  /** The key that the token is bound to (RFC 9449 §6). */
  readonly cnf?: { readonly jkt?: string };
  readonly restsOn: readonly EpochName[];
  /** Of what it rests on, when it was verified. */
  readonly epochs: readonly number[];
  /** Epoch ms at which it expires. */
  readonly until: number;
  /** What is asked with every request; throws Problem 'login'. */
  stands(): Promise<void>;
}
const KEPT = 10_000;
const asBearer: Presented = { scheme: 'Bearer', proofs: [], method: '', target: '' };

export const refuse = (because: string, cause?: unknown): Problem =>
  new Problem('login', because, { headers: { 'WWW-Authenticate': `Bearer realm="kindred", error="invalid_token", error_description="${because}"` }, cause });

export interface VerifierParts {
  readonly store: ResourceStore;
  readonly keys: KeyRing;
  /** Absent: only our own tokens are taken. */
  readonly outsiders?: Outsiders;
  url(): string;
  /** Epoch ms. */
  now(): number;
}

/**
 * Access token → Caller. The signature is checked once per token; what it rests on is looked at with every request, so that an end of the authorization, its
 * Consent, the client, the hat or the RelatedPerson counts at the next one; and so is the proof of a token that is bound to a key. Keeps only hashes of tokens.
 */
export function makeVerifier(parts: VerifierParts): Verify {
  const { store, now } = parts;
  const kept = new Map<string, Verified>();
  const verifiedOf = async (token: string): Promise<Verified> => {
    const name = hash('sha256', token, 'base64');
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) {
      const epochs = await store.epochs(known.restsOn);
      if (epochs.every((epoch, at) => epoch === known.epochs[at])) {
        await known.stands();
        return known;
      }
    }
    kept.delete(name);
    const verified = await (parts.outsiders?.(token) ?? verify(token, parts));
    await verified.stands();
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(name, verified);
    return verified;
  };
  return async (token, presented = asBearer) => {
    const { caller, cnf } = await verifiedOf(token);
    // A bearer token as nearly all are: nothing to wait for.
    if (cnf !== undefined || presented.scheme !== 'Bearer') await checkBinding(token, cnf, presented, parts);
    return caller;
  };
}

/** A RelatedPerson is a resource that others may change: who acts under one is refused once it is gone, or is that of another patient. */
async function stillCaring(caller: Caller, store: ResourceStore): Promise<void> {
  if (caller.kind !== 'caregiver') return;
  const patient = await caredFor(caller.who, store);
  if (patient === undefined || (caller.record !== undefined && patient !== caller.record)) throw refuse('the account may no longer act as the token says');
}

async function verify(token: string, parts: VerifierParts): Promise<Verified> {
  const { store } = parts;
  const now = parts.now();
  const claims = await readClaims(token, parts);
  // The epochs first: a change in between is seen at the next request at the latest.
  const first = await standingGrant(claims.grant, store, now);
  if (first === undefined) throw refuse('the authorization behind the token has ended');
  const restsOn = [...epochsOf(first.grant), keysEpoch];
  const epochs = await store.epochs(restsOn);
  const standing = await standingGrant(claims.grant, store, now);
  if (standing === undefined) throw refuse('the authorization behind the token has ended');
  const client = await usableClient(claims.client_id, store);
  if (client === undefined || standing.grant.client !== claims.client_id) throw refuse('the client of the token is not registered any more');
  const account = claims.account === undefined ? undefined : await usableAccount(claims.account, store);
  try {
    const caller = callerOf(claims, client, account, epochs[0]!);
    const until = Math.min(claims.exp * 1000, standing.until);
    return { caller, restsOn, epochs, until, ...(claims.cnf === undefined ? {} : { cnf: claims.cnf }), stands: () => stillCaring(caller, store) };
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
    const key = await keyOf(token, parts.keys, parts.now());
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

/** Our key of that id: read anew where keys have changed, also by another process. */
async function keyOf(token: string, keys: KeyRing, now: number): Promise<CryptoKey> {
  const { kid } = decodeProtectedHeader(token);
  const key = (await keys.current()).keys.find(one => one.id === kid && one.algorithm === algorithms.token);
  if (key === undefined || !verifies(key, now)) throw refuse('the access token is not valid here');
  return key.open;
}
