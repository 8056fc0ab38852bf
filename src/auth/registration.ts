import { Ajv, type ErrorObject } from 'ajv';
import { parseScopes } from '../access/scope.ts';
import { applicationType } from './client-metadata.ts';
import type { Context } from './provider.ts';
import { isContextScope, wordsOf } from './scopes.ts';

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength });
const address = { type: 'string', maxLength: 2000, pattern: '^[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s]+$' };
const web = { type: 'string', maxLength: 2000, pattern: '^https?://[^\\s]+$' };
const list = (items: object, maxItems: number) => ({ type: 'array', items, minItems: 1, maxItems, uniqueItems: true });

/** The metadata of RFC 7591 that a client may send; anything else is ignored, as it demands. */
const schema = {
  type: 'object',
  required: ['client_name'],
  properties: {
    client_name: text(120),
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
  },
};
const check = new Ajv({ allErrors: true, strict: false, removeAdditional: false }).compile(schema);
const taken: readonly string[] = Object.keys(schema.properties);
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
  const mistake = check(body) ? mistakeIn(body) : sentences(check.errors ?? []);
  if (mistake !== undefined) return { mistake };
  const system = (body.grant_types as readonly string[] | undefined)?.includes('client_credentials') === true;
  const { scope = system ? 'system/*.rs' : usualScope, ...metadata } = Object.fromEntries(
    taken.flatMap(name => (body[name] === undefined ? [] : [[name, body[name]]])),
  );
  const usual = system ? { response_types: [], redirect_uris: [] } : { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
  const application_type = applicationType(metadata.redirect_uris);
  return { metadata: { ...usual, ...metadata, application_type, smart_scope: scope, kind: system ? 'system' : 'app' } };
}

function mistakeIn({
  scope,
  redirect_uris,
  grant_types = [],
  token_endpoint_auth_method: method,
  jwks,
  jwks_uri,
}: Readonly<Record<string, unknown>>): string | undefined {
  const strange = wordsOf(scope as string | undefined).find(word => !isContextScope(word) && parseScopes(word).scopes.length === 0);
  if (strange !== undefined) return `/scope: \`${strange.slice(0, 80)}\` is no scope that is known here`;
  const system = (grant_types as readonly string[]).includes('client_credentials');
  if (!system && redirect_uris === undefined) return '/redirect_uris: an app needs at least one';
  const insecure = (redirect_uris as readonly string[] | undefined)?.find(uri => !isSafeTarget(uri));
  if (insecure !== undefined)
    return `/redirect_uris: \`${insecure.slice(0, 80)}\` must be https, loopback, or a scheme of the app's own with a dot in it, and have no fragment`;
  if (system && method !== undefined && method !== 'private_key_jwt')
    return '/token_endpoint_auth_method: a backend service shows an assertion (private_key_jwt)';
  if ((system || method === 'private_key_jwt') && (jwks === undefined) === (jwks_uri === undefined)) return '/jwks: one of jwks and jwks_uri is needed';
  return undefined;
}

/** RFC 8252: https, http on loopback, or a private-use scheme named after a domain. */
function isSafeTarget(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, hostname, hash, username } = new URL(uri);
  if (hash !== '' || username !== '') return false;
  if (protocol === 'https:') return true;
  if (protocol === 'http:') return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return protocol.slice(0, -1).includes('.');
}
const sentences = (errors: readonly ErrorObject[]): string =>
  [
    ...new Set(
      errors.map(({ instancePath, message, params }) => `${instancePath || '/'}: ${message}${'allowedValues' in params ? `: ${params.allowedValues}` : ''}`),
    ),
  ].join('; ');

/** The answer in RFC 7591's words, and whether it may be used yet. */
export function showRegistration(context: Context): void {
  const { smart_scope, kind: _kind, introspect: _introspect, ...metadata } = context.body as Record<string, unknown>;
  context.body = { ...metadata, scope: smart_scope };
}
