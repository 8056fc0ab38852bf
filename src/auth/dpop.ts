import { hash } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, type JWK, type JWTPayload, jwtVerify } from 'jose';
import { Problem } from '../fhir/problem.ts';
import type { ResourceStore } from '../store/store.ts';
import { isOpenKey } from './keys.ts';

/** How a token was brought (RFC 9110 §11.6.2), and to what. */
export interface Presented {
  readonly scheme: 'Bearer' | 'DPoP';
  /** The `DPoP` headers of the request. */
  readonly proofs: readonly string[];
  readonly method: string;
  /** The request's target as it came, such as `/fhir/Patient/mary?_format=json`. */
  readonly target: string;
}
export interface ProofParts {
  readonly store: ResourceStore;
  /** Public URL, without a slash at the end. */
  url(): string;
  /** Epoch ms. */
  now(): number;
}

/** As the authorization server takes them too. */
const algorithms = ['ES256', 'ES384', 'RS256'];
/** Seconds that a proof may be old, and that clocks may differ. */
const FRESH_S = 60;
/** What was used is known a little longer than it could be used. */
const LATE_S = 5;
const MAX_JTI = 256;

/** 401 in the words of RFC 9449 §7.1. */
export const refuseProof = (because: string, error: 'invalid_dpop_proof' | 'invalid_token' = 'invalid_dpop_proof', cause?: unknown): Problem =>
  new Problem('login', because, {
    cause,
    headers: { 'WWW-Authenticate': `DPoP realm="kindred", error="${error}", error_description="${because}", algs="${algorithms.join(' ')}"` },
  });

/**
 * Whether the token came as it must: one that is bound to a key with a proof of that key, made for this request and used once; any other as a bearer token
 * (RFC 9449 §4.3, §7.1, §7.2). `cnf`: what the token is bound to. Throws Problem 'login'.
 */
export async function checkBinding(
  token: string,
  cnf: { readonly jkt?: string } | undefined,
  { scheme, proofs, method, target }: Presented,
  parts: ProofParts,
): Promise<void> {
  if (cnf === undefined) {
    if (scheme === 'DPoP') throw refuseProof('the token is not bound to a key: bring it as Bearer', 'invalid_token');
    return;
  }
  if (typeof cnf.jkt !== 'string' || scheme !== 'DPoP') throw refuseProof('the token is bound to a key: bring it as DPoP, with a proof', 'invalid_token');
  const [proof] = proofs;
  if (proof === undefined || proofs.length !== 1) throw refuseProof('one DPoP header with one proof is needed');
  const { claims, thumbprint } = await readProof(proof, parts.now());
  if (thumbprint !== cnf.jkt) throw refuseProof('the proof is not of the key that the token is bound to', 'invalid_token');
  if (claims.ath !== hash('sha256', token, 'base64url')) throw refuseProof('the proof is not about this token (ath)');
  if (claims.htm !== method) throw refuseProof('the proof is for another method (htm)');
  if (typeof claims.htu !== 'string' || placeOf(claims.htu) === undefined || placeOf(claims.htu) !== placeOf(`${parts.url()}${target}`))
    throw refuseProof('the proof is for another address (htu)');
  await useOnce(`${thumbprint} ${claims.jti}`, claims.iat, parts);
}

interface Proof {
  readonly claims: JWTPayload & { readonly iat: number; readonly jti: string };
  readonly thumbprint: string;
}
/** A proof that is signed with the public key that it brings, and fresh. */
async function readProof(proof: string, now: number): Promise<Proof> {
  const { payload, key, thumbprint } = await verifyProof(proof, now).catch(cause => {
    // Nothing but the proof was looked at: whatever went wrong is its fault.
    throw refuseProof('the proof is not valid', 'invalid_dpop_proof', cause);
  });
  // With its private half everybody who sees the proof has the key.
  if (!isOpenKey(key)) throw refuseProof('the proof carries a private key');
  const { iat, jti } = payload;
  if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw refuseProof('the proof has no jti');
  if (typeof iat !== 'number' || Math.abs(now / 1000 - iat) > FRESH_S) throw refuseProof('the proof was not made now (iat)');
  return { claims: { ...payload, iat, jti }, thumbprint };
}
async function verifyProof(proof: string, now: number) {
  const currentDate = new Date(now);
  const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, { algorithms, typ: 'dpop+jwt', currentDate, clockTolerance: FRESH_S });
  const key = protectedHeader.jwk as JWK;
  return { payload, key, thumbprint: await calculateJwkThumbprint(key) };
}

/** Of however many requests that come with one proof at once the first. */
async function useOnce(name: string, iat: number, { store, now }: ProofParts): Promise<void> {
  const expires = (iat + FRESH_S + LATE_S) * 1000;
  const id = `dpop:${hash('sha256', name, 'base64url')}`;
  const made = await store.commit([{ op: 'document', kind: 'replay', id, value: { expires }, expires, expect: 'absent' }], new Date(now()).toISOString());
  if (!made.ok) throw refuseProof('the proof was used before (jti)');
}

/** An address without query and fragment, written as RFC 3986 §6.2.2 and §6.2.3 have it, for comparison. */
function placeOf(address: string): string | undefined {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const path = url.pathname.replace(/%[0-9A-Fa-f]{2}/g, octet => {
    const letter = String.fromCharCode(Number.parseInt(octet.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(letter) ? letter : octet.toUpperCase();
  });
  return `${url.origin}${path}`;
}
