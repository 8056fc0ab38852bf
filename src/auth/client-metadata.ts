import { timingSafeEqual } from 'node:crypto';
import type { ClientMetadata } from 'oidc-provider';
import type { Client } from './client.ts';
import { digestOf } from './grants.ts';

/** What is ours and not of OAuth's metadata. */
const ours: readonly string[] = ['kind', 'organization', 'status', 'scope', 'dynamic', 'launch', 'introspect'];
const hashed = 'sha256:';

/** A client as it is kept → as oidc-provider takes it. Its SMART scopes go by another name: there, `scope` may only hold a fixed list. */
export function metadataOf(client: Client): ClientMetadata {
  const given = Object.fromEntries(Object.entries(client).filter(([name]) => !ours.includes(name)));
  const system = client.kind === 'system';
  return {
    grant_types: system ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    response_types: system ? [] : ['code'],
    redirect_uris: [],
    application_type: applicationType(client.redirect_uris),
    token_endpoint_auth_method: methodOf(client),
    ...given,
    smart_scope: client.scope,
    kind: client.kind,
    introspect: client.introspect === true,
  } as unknown as ClientMetadata;
}
/** An app on a phone is told by a redirect URI with a scheme of its own (RFC 8252 §7.1), which the library takes from native apps only. */
export const applicationType = (redirectUris: unknown): 'native' | 'web' =>
  Array.isArray(redirectUris) && redirectUris.some(uri => !/^https?:/i.test(String(uri))) ? 'native' : 'web';

function methodOf(client: Client): string {
  if (client.jwks !== undefined || client.jwks_uri !== undefined) return 'private_key_jwt';
  return client.client_secret === undefined ? 'none' : 'client_secret_basic';
}

/** As oidc-provider registered it → as it is kept. */
export function clientFrom({ smart_scope, kind, introspect: _never, ...metadata }: ClientMetadata, status: Client['status']): Client {
  const secret = metadata.client_secret;
  return {
    ...metadata,
    client_name: metadata.client_name ?? metadata.client_id,
    kind: kind as Client['kind'],
    scope: String(smart_scope ?? ''),
    dynamic: true,
    ...(secret === undefined ? {} : { client_secret: hashSecret(secret) }),
    ...(status === undefined ? {} : { status }),
  };
}

/** A client secret as it is kept. They are long and random, so that one round of SHA-256 hides them; one that is hashed stays. */
export const hashSecret = (secret: string): string => (secret.startsWith(hashed) ? secret : `${hashed}${digestOf(secret)}`);

/** Constant time. */
export function isSecret(kept: string, given: string): boolean {
  const [one, other] = [hashSecret(kept), `${hashed}${digestOf(given)}`].map(text => Buffer.from(text));
  return one!.length === other!.length && timingSafeEqual(one!, other!);
}
