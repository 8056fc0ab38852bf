import { randomBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import type { Change, ResourceStore } from '../store/store.ts';

/** What access tokens are signed with (ES256: quick to verify, understood everywhere), and id_tokens (RS256: OpenID Connect and SMART demand it). */
export const algorithms = { token: 'ES256', identity: 'RS256' } as const;
type Algorithm = (typeof algorithms)[keyof typeof algorithms];

/** A key as it is kept: newest first, so that the first of an algorithm signs and the others only verify. `retired`: epoch ms since when it does not sign. */
type KeptKey = JWK & { readonly kid: string; readonly alg: Algorithm; readonly retired?: number };

export interface SigningKey {
  readonly id: string;
  readonly algorithm: Algorithm;
  /** Private, as a JWK. */
  readonly jwk: JWK;
  readonly secret: CryptoKey;
  readonly open: CryptoKey;
  /** Epoch ms since when it does not sign. */
  readonly retired?: number;
}
export interface KeySet {
  /** Rises with every rotation. */
  readonly epoch: number;
  readonly keys: readonly SigningKey[];
}
/** The keys of this server, as they are now. */
export interface KeyRing {
  /** Reads them anew only where they have changed. */
  current(): Promise<KeySet>;
  /** As last read. */
  known(): KeySet;
}

/** Retired keys verify for so long: no token of ours lives longer, and clients that keep our JWKS for a day still find them. */
const VERIFIES_MS = 24 * 3_600_000;
const place = { kind: 'key', id: 'signing' } as const;
/** Rises with every change of the keys. */
export const keysEpoch = `key:${place.id}` as const;

/** The server's keys, made at the first start. Processes that start at once agree on one set. */
export async function openKeyRing(store: ResourceStore, now: () => string): Promise<KeyRing> {
  let set = await readKeys(store, now);
  return {
    async current() {
      const [epoch] = await store.epochs([keysEpoch]);
      if (epoch !== set.epoch) set = await readKeys(store, now);
      return set;
    },
    known: () => set,
  };
}

/** The key that signs now. */
export const signs = ({ keys }: KeySet, algorithm: Algorithm): SigningKey => keys.find(key => key.algorithm === algorithm)!;

/** Whether what it signed is still taken. `now`: epoch ms. */
export const verifies = ({ retired }: { readonly retired?: number }, now: number): boolean => retired === undefined || now < retired + VERIFIES_MS;
/** Epoch ms until which a retired key verifies. */
export const verifiesUntil = (retired: number): number => retired + VERIFIES_MS;

/**
 * New keys sign from now on, on every server of the store; tokens that the old ones signed stay good, unless the old are to be dropped: then every token ends.
 * `line`: what comes into the same commit. Gives back the ids of the new ones.
 */
export async function rotateKeys(
  store: ResourceStore,
  now: () => string,
  { drop = false, line = () => [] }: { readonly drop?: boolean; readonly line?: (made: readonly string[]) => readonly Change[] } = {},
): Promise<readonly string[]> {
  for (;;) {
    const { epoch, kept } = await load(store);
    const at = Date.parse(now());
    const fresh = await makeKeys(Object.values(algorithms));
    const old = drop ? [] : kept.filter(key => verifies(key, at)).map(key => ({ retired: at, ...key }));
    const made = fresh.map(key => key.kid);
    if (await keep(store, [...fresh, ...old], epoch, now(), line(made))) return made;
  }
}

async function readKeys(store: ResourceStore, now: () => string): Promise<KeySet> {
  for (;;) {
    const { epoch, kept } = await load(store);
    const missing = Object.values(algorithms).filter(algorithm => !kept.some(key => key.alg === algorithm));
    if (missing.length === 0) return { epoch, keys: await Promise.all(kept.map(importKey)) };
    await keep(store, [...kept, ...(await makeKeys(missing))], epoch, now());
  }
}

/** The epoch first: keys that are newer than it are read again at the next look. A store from before there were several has one. */
async function load(store: ResourceStore): Promise<{ readonly epoch: number; readonly kept: readonly KeptKey[] }> {
  const [epoch = 0] = await store.epochs([keysEpoch]);
  const value = (await store.document(place.kind, place.id)) as KeptKey | { readonly keys: readonly KeptKey[] } | undefined;
  return { epoch, kept: value === undefined ? [] : 'keys' in value && Array.isArray(value.keys) ? (value.keys as KeptKey[]) : [value as KeptKey] };
}
async function keep(store: ResourceStore, keys: readonly KeptKey[], epoch: number, at: string, also: readonly Change[] = []): Promise<boolean> {
  const made = await store.commit([{ op: 'epoch', of: keysEpoch, is: epoch }, { op: 'document', ...place, value: { keys } }, ...also], at);
  return made.ok;
}
const makeKeys = (wanted: readonly Algorithm[]): Promise<KeptKey[]> =>
  Promise.all(
    wanted.map(async alg => {
      const { privateKey } = await generateKeyPair(alg, { extractable: true });
      return { ...(await exportJWK(privateKey)), kid: randomBytes(8).toString('hex'), alg, use: 'sig' };
    }),
  );
async function importKey({ retired, ...jwk }: KeptKey): Promise<SigningKey> {
  const [secret, open] = await Promise.all([importJWK(jwk, jwk.alg), importJWK(openKey(jwk), jwk.alg)]);
  const since = retired === undefined ? {} : { retired };
  return { id: jwk.kid, algorithm: jwk.alg, jwk, secret: secret as CryptoKey, open: open as CryptoKey, ...since };
}
/** The public half. */
export const openKey = ({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...open }: JWK): JWK => open;
/** Whether it holds nothing but the public half of a pair: `d` and its like, `oth`, `k` and `priv` are secret (RFC 7518 §6). */
export const isOpenKey = (key: object): boolean => !['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'].some(name => name in key);

/** 32 random bytes under a name, made when first asked for: what cursors are sealed with, and cookies signed. */
export async function sharedSecret(store: ResourceStore, name: string, now: string): Promise<Buffer> {
  const value = randomBytes(32).toString('base64url');
  const kept = (await store.document('key', name)) as string | undefined;
  if (kept !== undefined) return Buffer.from(kept, 'base64url');
  const made = await store.commit([{ op: 'document', kind: 'key', id: name, value, expect: 'absent' }], now);
  return Buffer.from(made.ok ? value : ((await store.document('key', name)) as string), 'base64url');
}
