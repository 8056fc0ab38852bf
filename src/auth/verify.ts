import { hash } from 'node:crypto';
import { errors, jwtVerify } from 'jose';
import type { Caller } from '../access/caller.ts';
import { type Account, caredFor } from '../account/account.ts';
import { Problem } from '../fhir/problem.ts';
import type { EpochName, ResourceStore } from '../store/store.ts';
import { type Claims, callerOf } from './caller.ts';
import type { Client, OauthGrant } from './client.ts';
import { ALGORITHM, type SigningKey } from './keys.ts';

export type Verify = (token: string) => Promise<Caller>;

interface Verified {
  readonly caller: Caller;
  /** Of its OAuth grant, client and account, when it was verified. */
  readonly epochs: readonly number[];
  /** Epoch ms at which it expires. */
  readonly until: number;
}
const KEPT = 10_000;

const refuse = (because: string): Problem =>
  new Problem('login', because, { headers: { 'WWW-Authenticate': `Bearer realm="kindred", error="invalid_token", error_description="${because}"` } });

/**
 * Bearer token → Caller. The signature is checked once per token; what it rests on is looked at with every request, so that an end of the grant, the
 * client, the hat or the RelatedPerson counts at the next one. Keeps only hashes of tokens.
 */
export function makeVerifier(store: ResourceStore, key: SigningKey, url: () => string, now: () => number): Verify {
  const kept = new Map<string, Verified>();
  return async token => {
    const name = hash('sha256', token, 'base64');
    const known = kept.get(name);
    if (known !== undefined && known.until > now()) {
      const epochs = await store.epochs(restsOn(known.caller));
      if (epochs.every((epoch, at) => epoch === known.epochs[at])) return stillCaring(known.caller, store);
    }
    kept.delete(name);
    const verified = await verify(token, store, key, url(), now());
    await stillCaring(verified.caller, store);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(name, verified);
    return verified.caller;
  };
}

/** What must not have changed since the token was verified. */
const restsOn = ({ grant, client, account }: Pick<Caller, 'grant' | 'client' | 'account'>): readonly EpochName[] => [
  `grant:${grant}`,
  `client:${client}`,
  ...(account === undefined ? [] : [`account:${account}` as const]),
];

/** A RelatedPerson is a resource that others may change: who acts under one is refused once it is gone, or is that of another patient. */
async function stillCaring(caller: Caller, store: ResourceStore): Promise<Caller> {
  if (caller.kind !== 'caregiver') return caller;
  const patient = await caredFor(caller.who, store);
  if (patient === undefined || (caller.record !== undefined && patient !== caller.record)) throw refuse('the account may no longer act as the token says');
  return caller;
}

async function verify(token: string, store: ResourceStore, key: SigningKey, url: string, now: number): Promise<Verified> {
  const claims = await readClaims(token, key, url, now);
  // The epochs first: a change in between is seen at the next request at the latest.
  const epochs = await store.epochs(restsOn({ ...claims, client: claims.client_id }));
  const grant = (await store.document('grant', claims.grant)) as OauthGrant | undefined;
  if (grant === undefined || !grant.active) throw refuse('the authorization behind the token has ended');
  const client = (await store.document('client', claims.client_id)) as Client | undefined;
  if (client === undefined) throw refuse('the client of the token is not registered any more');
  const account = claims.account === undefined ? undefined : ((await store.document('account', claims.account)) as Account | undefined);
  try {
    return { caller: callerOf(claims, client, account, epochs[0]!), epochs, until: claims.exp * 1000 };
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
