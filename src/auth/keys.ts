import { randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { ResourceStore } from '../store/store.ts';

/** What access tokens are signed with. ES256: quick to verify, understood everywhere. */
export const ALGORITHM = 'ES256';

export interface SigningKey {
  readonly id: string;
  readonly secret: CryptoKey;
  readonly open: CryptoKey;
  readonly jwk: JWK;
}

/** The server's signing key, made at the first start. Two processes that start at once agree on one. */
export async function signingKey(store: ResourceStore, now: string): Promise<SigningKey> {
  const kept = (await store.document('key', 'signing')) as JWK | undefined;
  if (kept !== undefined) return readKey(kept);
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: randomBytes(8).toString('hex'), alg: ALGORITHM, use: 'sig' };
  const made = await store.commit([{ op: 'document', kind: 'key', id: 'signing', value: jwk, expect: 'absent' }], now);
  return made.ok ? readKey(jwk) : readKey((await store.document('key', 'signing')) as JWK);
}

async function readKey(jwk: JWK): Promise<SigningKey> {
  const { d: _secret, ...open } = jwk;
  return { id: jwk.kid!, secret: (await importJWK(jwk, ALGORITHM)) as CryptoKey, open: (await importJWK(open, ALGORITHM)) as CryptoKey, jwk: open };
}

/** 32 random bytes under a name, made when first asked for: what cursors are sealed with. */
export async function sharedSecret(store: ResourceStore, name: string, now: string): Promise<Buffer> {
  const value = randomBytes(32).toString('base64url');
  const kept = (await store.document('key', name)) as string | undefined;
  if (kept !== undefined) return Buffer.from(kept, 'base64url');
  const made = await store.commit([{ op: 'document', kind: 'key', id: name, value, expect: 'absent' }], now);
  return Buffer.from(made.ok ? value : ((await store.document('key', name)) as string), 'base64url');
}
