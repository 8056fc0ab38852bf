import { lookup as lookUp } from 'node:dns';
import { request } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type FetchImplementation, type JWTVerifyGetKey } from 'jose';
import { Problem } from '../fhir/problem.ts';
import type { TrustedIssuer } from './issuer-format.ts';

export interface IssuerKeyParts {
  /** Epoch ms. */
  now(): number;
  /** JWKS may be had from a private network. */
  readonly privateJwks: boolean;
}

/** A JWKS is read again after so long: a key that was withdrawn counts no longer than this. */
export const KEYS_MS = 5 * 60_000;
/** For a key that is not in it, or after a failure, no sooner than this. */
const COOLDOWN_MS = 30_000;
const TIMEOUT_MS = 5000;
const LARGEST = 256 * 1024;

/** The public keys of an issuer, for jose. Throws Problem 'unavailable' where they cannot be had. */
export function keysOf({ jwks, jwks_uri }: TrustedIssuer, { now, privateJwks }: IssuerKeyParts): JWTVerifyGetKey {
  if (jwks !== undefined) return createLocalJWKSet(jwks);
  const from = privateJwks ? {} : { [customFetch]: fetchPublic };
  // When it is read again is decided here, by our own clock.
  const set = createRemoteJWKSet(new URL(jwks_uri!), { timeoutDuration: TIMEOUT_MS, cacheMaxAge: Infinity, cooldownDuration: Infinity, ...from });
  let loaded = -Infinity;
  let tried = -Infinity;
  const load = async (): Promise<void> => {
    const at = now();
    if (!set.reloading && at - tried < COOLDOWN_MS) throw missing();
    tried = at;
    try {
      await set.reload();
      loaded = at;
    } catch (cause) {
      throw missing(cause);
    }
  };
  return async (header, token) => {
    if (now() - loaded >= KEYS_MS) await load();
    try {
      return await set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || now() - tried < COOLDOWN_MS) throw error;
      await load();
      return set(header, token);
    }
  };
}
const missing = (cause?: unknown): Problem =>
  new Problem('unavailable', "the keys of the token's issuer cannot be had now", { headers: { 'Retry-After': String(COOLDOWN_MS / 1000) }, cause });

/** What is not on the public internet (https://www.iana.org/assignments/iana-ipv4-special-registry, and that of IPv6). */
const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const)
  special.addSubnet(net, bits, 'ipv6');
const isSpecial = (address: string): boolean => special.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
const refusal = (): Error => new Error('the address is not on the public internet');

/** Looks at the very addresses that are connected to. */
const lookUpPublic: LookupFunction = (host, options, done) =>
  lookUp(host, { ...options, all: true }, (error, found) => {
    if (error !== null || found.some(({ address }) => isSpecial(address))) return done(error ?? refusal(), '', 0);
    return options.all === true ? done(null, found) : done(null, found[0]!.address, found[0]!.family);
  });

/** No address of a private network is asked (server-side request forgery), and no redirection followed. */
const fetchPublic: FetchImplementation = (address, { headers, signal }) => {
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && isSpecial(host)) return Promise.reject(refusal());
  return new Promise((resolve, reject) => {
    const asking = request(address, { headers: Object.fromEntries(headers), signal, lookup: lookUpPublic }, answer => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > LARGEST) answer.destroy(new Error('the JWKS is too large'));
        else chunks.push(chunk);
      });
      answer.on('error', reject);
      answer.on('end', () => resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode === 200 ? 200 : 502 })));
    });
    asking.on('error', reject).end();
  });
};
