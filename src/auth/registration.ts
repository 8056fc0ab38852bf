import { Ajv } from 'ajv';
import { parseScopes } from '../access/scope.ts';
import { applicationType } from './client-metadata.ts';
import { isOpenKey } from './keys.ts';
import { mistakesOf } from './mistakes.ts';
import type { Context } from './provider.ts';
import { isContextScope, wordsOf } from './scopes.ts';

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });
const address = { type: 'string', maxLength: 2000, pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s]+$' };
const web = { type: 'string', maxLength: 2000, pattern: '^https?://[^\\s]+$' };
const list = (items: object, maxItems: number) => ({ type: 'array', items, minItems: 1, maxItems, uniqueItems: true });

/** The metadata of RFC 7591 that a client may have, as JSON Schema; anything else that it sends is ignored, as it demands. */
export const metadataProperties = {
  // Nothing that a terminal or a page would take for more than a name.
  client_name: { ...text(120), pattern: '^[^\\p{C}]+$' },
  redirect_uris: list(address, 20),
  token_endpoint_auth_method: { enum: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'] },
  grant_types: list({ enum: ['authorization_code', 'refresh_token', 'client_credentials'] }, 3),
  response_types: { type: 'array', items: { enum: ['code'] }, maxItems: 1 },
  scope: text(10_000),
  jwks: { type: 'object', required: ['keys'], properties: { keys: { ...list({ type: 'object', required: ['kty', 'kid'] }, 20) } } },
  jwks_uri: web,
  client_uri: web,
  logo_uri: web,
  policy_uri: web,
  tos_uri: web,
  contacts: list(text(200), 10),
  software_id: text(200),
  software_version: text(100),
};
const check = new Ajv({ allErrors: true, strict: false }).compile({ type: 'object', required: ['client_name'], properties: metadataProperties });
const taken: readonly string[] = Object.keys(metadataProperties);
/** What an app is registered for that says nothing. */
const usualScope = 'openid fhirUser launch launch/patient offline_access online_access patient/*.rs';

/** The body of a registration as the library takes it, or what is wrong with it, with the place (RFC 7591 §3.2.2). */
export function readRegistration(bytes: Buffer): { readonly metadata: object } | { readonly mistake: string } {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(bytes.toString('utf8'));
  } catch {
    return { mistake: 'the body is not JSON' };
  }
  const mistakes = mistakesInMetadata(body);
  const [mistake = missingIn(body)] = mistakes.length === 0 ? [] : [mistakes.join('; ')];
  if (mistake !== undefined) return { mistake };
  const system = (body.grant_types as readonly string[] | undefined)?.includes('client_credentials') === true;
  const { scope = system ? 'system/*.rs' : usualScope, ...metadata } = Object.fromEntries(
    taken.flatMap(name => (body[name] === undefined ? [] : [[name, body[name]]])),
  );
  const usual = system
    ? { response_types: [], redirect_uris: [], token_endpoint_auth_method: 'private_key_jwt' }
    : { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
  const application_type = applicationType(metadata.redirect_uris);
  return { metadata: { ...usual, ...metadata, application_type, smart_scope: scope, kind: system ? 'system' : 'app' } };
}

/** What is wrong with a client's metadata, whoever registers it, each with its JSON pointer; empty where nothing is. */
export const mistakesInMetadata = (metadata: object): readonly string[] => (check(metadata) ? mistakesInContent({ ...metadata }) : mistakesOf(check.errors));

/** The same, once its shape is right. */
export function mistakesInContent({ scope, redirect_uris = [], jwks, jwks_uri }: Readonly<Record<string, unknown>>): readonly string[] {
  const strange = wordsOf(scope as string | undefined).filter(word => !isContextScope(word) && parseScopes(word).scopes.length === 0);
  const insecure = (redirect_uris as readonly string[]).filter(uri => !isSafeTarget(uri));
  const keys = (jwks as { readonly keys: readonly object[] } | undefined)?.keys ?? [];
  return [
    ...strange.map(word => `/scope: \`${word.slice(0, 80)}\` is no scope that is known here`),
    ...insecure.map(
      uri => `/redirect_uris: \`${uri.slice(0, 80)}\` must be https, loopback, or a scheme of the app's own with a dot in it, and have no fragment`,
    ),
    ...keys.flatMap((key, at) => (isOpenKey(key) ? [] : [`/jwks/keys/${at}: is a secret key; the public half of a pair is needed`])),
    ...(jwks !== undefined && jwks_uri !== undefined ? ['/jwks: jwks and jwks_uri exclude each other'] : []),
  ];
}

/** What a client that registers itself must tell. */
function missingIn({
  grant_types = [],
  scope,
  redirect_uris,
  token_endpoint_auth_method: method,
  jwks,
  jwks_uri,
}: Readonly<Record<string, unknown>>): string | undefined {
  const system = (grant_types as readonly string[]).includes('client_credentials');
  if (!system && redirect_uris === undefined) return '/redirect_uris: an app needs at least one';
  if (system && method !== undefined && method !== 'private_key_jwt')
    return '/token_endpoint_auth_method: a backend service shows an assertion (private_key_jwt)';
  if (system && (grant_types as readonly string[]).length > 1) return '/grant_types: a backend service has client_credentials alone';
  const wrong = wordsOf(scope as string | undefined).find(word => word.startsWith('system/') !== system);
  if (wrong !== undefined) return `/scope: \`${wrong.slice(0, 80)}\` is not for ${system ? 'a system' : 'an app'}`;
  if ((system || method === 'private_key_jwt') && jwks === undefined && jwks_uri === undefined) return '/jwks: one of jwks and jwks_uri is needed';
  return undefined;
}

/** RFC 8252: https, http on loopback, or a private-use scheme named after a domain. */
export function isSafeTarget(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, hash, username } = new URL(uri);
  if (hash !== '' || username !== '') return false;
  if (protocol === 'https:') return true;
  if (protocol === 'http:') return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol.slice(0, -1).includes('.');
}
/** The answer in RFC 7591's words, and whether it may be used yet. */
export function showRegistration(context: Context): void {
  const { smart_scope, kind: _kind, introspect: _introspect, ...metadata } = context.body as Record<string, unknown>;
  context.body = { ...metadata, scope: smart_scope };
}
