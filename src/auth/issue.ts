import { SignJWT } from 'jose';
import { parseScopes, type ScopeLevel } from '../access/scope.ts';
import { caredFor, type Hat } from '../account/account.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName } from '../fhir/types.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Client } from './client.ts';
import { usableAccount, usableClient } from './grants.ts';
import { algorithms, type KeyRing, signs } from './keys.ts';
import { allowedScopes, isContextScope, wordsOf } from './scopes.ts';
import { audienceOf, issuerOf } from './verify.ts';

export interface TokenRequest {
  readonly client: string;
  readonly account?: string;
  /** `Patient/mary`. */
  readonly record?: string;
  readonly scope: string;
}
/** RFC 6749 §5.1, with SMART's launch context. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly scope: string;
  readonly patient?: string;
  readonly fhirUser?: string;
  readonly need_patient_banner?: boolean;
}
interface Issuer {
  readonly store: ResourceStore;
  readonly keys: KeyRing;
  /** Public URL of the server. */
  readonly url: string;
  readonly now: string;
  newId(): string;
  /** A line of the log, for the commit of the authorization. */
  note(occurrence: Occurrence): readonly Change[];
}
/** Access tokens live as long as SMART recommends at most. */
const LIFETIME = 3600;
const LIFETIME_SYSTEM = 300;

/**
 * Authorizes a client and signs an access token. Scopes are cut to what the client is registered for and to what its kind may hold.
 * Throws Problem 'invalid' naming what does not fit: unknown client or account, no such hat, no scope left.
 */
export async function issueToken(request: TokenRequest, issuer: Issuer): Promise<TokenResponse> {
  const { store, url, now } = issuer;
  const key = signs(await issuer.keys.current(), algorithms.token);
  const client = await usableClient(request.client, store);
  if (client === undefined) throw new Problem('invalid', `there is no client \`${request.client}\` that may be used`);
  const hat = request.account === undefined ? undefined : await findHat(request, store);
  if (client.kind === 'system' && hat !== undefined) throw new Problem('invalid', 'a system client acts for its organization, not for an account');
  if (client.kind !== 'system' && hat === undefined) throw new Problem('invalid', 'an app acts for an account: name one with --account');
  const scope = grantedScope(request.scope, client, hat);
  if (parseScopes(scope).scopes.length === 0)
    throw new Problem('invalid', `nothing of \`${request.scope}\` may be granted to client \`${client.client_id}\`, registered for \`${client.scope}\``);
  const grant = issuer.newId();
  const token = issuer.newId();
  const lifetime = client.kind === 'system' ? LIFETIME_SYSTEM : LIFETIME;
  const patient = request.record?.replace(/^Patient\//, '') ?? (hat?.kind === 'patient' ? hat.resource?.slice('Patient/'.length) : undefined);
  const person = hat === undefined ? {} : { account: request.account, fhirUser: hat.resource };
  const made = await store.commit(
    [
      {
        op: 'document',
        kind: 'grant',
        id: grant,
        value: { id: grant, client: client.client_id, ...(request.account === undefined ? {} : { account: request.account }), scope, active: true },
        expect: 'absent',
      },
      ...issuer.note({
        code: 'token',
        client: client.client_id,
        token,
        text: scope,
        ...(request.account === undefined ? {} : { account: request.account }),
        ...whoOf(hat, client),
        ...(hat?.kind === 'caregiver' && patient !== undefined ? { onBehalfOf: `Patient/${patient}` as const } : {}),
        ...(patient === undefined ? {} : { record: `Patient/${patient}` as const }),
      }),
    ],
    now,
  );
  if (!made.ok) throw new Problem('conflict', 'the grant could not be stored');
  const issued = Math.floor(Date.parse(now) / 1000);
  const access_token = await new SignJWT({ client_id: client.client_id, scope, grant, ...person, ...(patient === undefined ? {} : { patient }) })
    .setProtectedHeader({ alg: algorithms.token, kid: key.id, typ: 'at+jwt' })
    .setIssuer(issuerOf(url))
    .setAudience(audienceOf(url))
    .setSubject(request.account ?? client.client_id)
    .setJti(token)
    .setIssuedAt(issued)
    .setExpirationTime(issued + lifetime)
    .sign(key.secret);
  return {
    access_token,
    token_type: 'Bearer',
    expires_in: lifetime,
    scope,
    ...(patient === undefined ? {} : { patient }),
    ...(hat?.resource === undefined ? {} : { fhirUser: hat.resource }),
    ...(hat?.kind === 'caregiver' ? { need_patient_banner: true } : {}),
  };
}

const whoOf = (hat: Hat | undefined, { organization }: Client): { readonly who?: KeyName } => {
  const who = hat?.resource ?? (organization === undefined ? undefined : (`Organization/${organization}` as const));
  return who === undefined ? {} : { who };
};

/** The hat under which the account may be about the record: the patient's own, a RelatedPerson of that patient, or a practitioner's. */
async function findHat({ account: username, record }: TokenRequest, store: ResourceStore): Promise<Hat> {
  const account = await usableAccount(username!, store);
  if (account === undefined) throw new Problem('invalid', `there is no account \`${username}\` that may be used`);
  const wearable = account.hats.filter(hat => hat.resource !== undefined && ['patient', 'caregiver', 'practitioner'].includes(hat.kind));
  if (record === undefined) {
    if (wearable.length !== 1) throw new Problem('invalid', `account \`${username}\` may act for several: name one with --record`);
    return wearable[0]!;
  }
  for (const hat of wearable) {
    if (hat.kind === 'patient' && hat.resource === record) return hat;
    if (hat.kind === 'caregiver' && (await caredFor(hat.resource!, store)) === record) return hat;
    if (hat.kind === 'practitioner') return hat;
  }
  throw new Problem('invalid', `account \`${username}\` has no hat for record \`${record}\``);
}

/** What is asked for, without what the client is not registered for and what this kind of caller cannot hold (ACCESS §2). */
function grantedScope(asked: string, client: Client, hat: Hat | undefined): string {
  const levels: readonly ScopeLevel[] = hat === undefined ? ['system'] : hat.kind === 'practitioner' ? ['user', 'patient'] : ['patient'];
  return allowedScopes(wordsOf(asked), client.scope, levels)
    .filter(word => !isContextScope(word))
    .join(' ');
}
