import * as querystring from 'node:querystring';
import { Readable } from 'node:stream';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { OccurrenceCode } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { PresentedToken } from './adapter.ts';
import { introspection, type ServerParts } from './authorization-server.ts';
import type { Context } from './provider.ts';
import { readRegistration, showRegistration } from './registration.ts';
import { MAX_SCOPE } from './scopes.ts';
import { readClaims } from './verify.ts';

type Form = Record<string, string | string[] | undefined>;
type Parts = ServerParts & { readonly presented: WeakMap<object, PresentedToken> };
type Next = () => Promise<void>;

/** Bytes of a form, as the library takes them. */
const MAX_FORM = 56 * 1024;
/** As long as a request of an app lives. */
const RESUMED_MS = 30 * 60_000;

/** What SMART has and the library has not, around each of its endpoints. */
export function makeMiddleware(provider: Provider, parts: Parts): (context: Context, next: Next) => Promise<void> {
  const around: Readonly<Record<string, (context: Context, next: Next, parts: Parts) => Promise<void>>> = {
    '/authorize': authorize,
    '/token': (context, next) => token(context, next, provider),
    '/introspect': (context, next) => presentToken(context, next, parts),
    '/revoke': (context, next) => presentToken(context, next, parts),
    ...(parts.registration === 'off' ? {} : { '/register': register }),
  };
  return async (context, next) => {
    try {
      await (around[context.path] ?? resume)(context, next, parts);
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) throw error;
      context.status = error.statusCode;
      context.body = { error: error.error, error_description: error.error_description };
    }
    await noteRefusal(context, parts);
  };
}

/** A decision gives one code, however many times the browser comes back with it. */
async function resume(context: Context, next: Next, { store, now }: Parts): Promise<void> {
  const uid = /^\/authorize\/(.+)$/.exec(context.path)?.[1];
  if (uid !== undefined) {
    const expires = Date.parse(now()) + RESUMED_MS;
    const made = await store.commit([{ op: 'document', kind: 'ticket', id: `resumed:${uid}`, value: { expires }, expect: 'absent', expires }], now());
    if (!made.ok) context.req.headers.cookie = '';
  }
  await next();
}

/** GET and POST alike (SMART 2.2 authorize-post), and the consent page without `prompt=consent`, which SMART apps do not send. */
async function authorize(context: Context, next: Next): Promise<void> {
  const asked: Form = context.method === 'POST' ? await readForm(context) : { ...context.query };
  if (context.method === 'POST') context.method = 'GET';
  const prompts = String(asked.prompt ?? '')
    .split(' ')
    .filter(word => word !== '' && word !== 'consent');
  // The code is for the app's address alone: pages of the library that post it have none of our headers.
  if (asked.response_mode !== undefined && asked.response_mode !== 'query') asked.response_mode = 'unsupported';
  const prompt = prompts.includes('none') ? asked.prompt : [...prompts, 'consent'].join(' ');
  context.querystring = querystring.stringify({ ...asked, prompt } as querystring.ParsedUrlQueryInput);
  await next();
}

async function token(context: Context, next: Next, provider: Provider): Promise<void> {
  const form = await readForm(context);
  if (String(form.scope ?? '').length > MAX_SCOPE) {
    context.status = 400;
    context.body = { error: 'invalid_scope', error_description: `the scopes are longer than the ${MAX_SCOPE} characters that are taken` };
    return;
  }
  // Public apps refresh without client_id: SMART's table does not list it. It stands in the refresh token.
  if (form.grant_type === 'refresh_token' && !form.client_id && !form.client_assertion && context.headers.authorization === undefined) {
    const kept = await provider.RefreshToken.find(String(form.refresh_token ?? ''));
    const client = kept?.clientId === undefined ? undefined : await provider.Client.find(kept.clientId);
    if (client?.clientAuthMethod === 'none') form.client_id = client.clientId;
  }
  sendFormOn(context, form);
  await next();
  context.set('pragma', 'no-cache'); // RFC 6749 §5.1
  const extra = context.oidc?.entities.AccessToken?.extra;
  if (context.status === 200 && extra !== undefined) {
    const { grant: _grant, account: _account, fhirUser: _user, ...launch } = extra;
    context.body = { ...launch, ...(context.body as object) };
  }
}

/** A JWT is looked at here, and goes on as its id: the library knows only tokens that it keeps. */
async function presentToken(context: Context, next: Next, parts: Parts): Promise<void> {
  const form = await readForm(context);
  const claims = await claimsOf(form.token, parts);
  if (context.path === '/introspect' && /^bearer /i.test(context.headers.authorization ?? '')) {
    await introspectAsBearer(context, claims, parts);
    return;
  }
  if (claims !== undefined) {
    parts.presented.set(context, claims);
    form.token = claims.jti;
  } else if (typeof form.token === 'string' && form.token.split('.').length === 3) form.token = 'invalid';
  sendFormOn(context, form);
  await next();
}

/** An authorised client may show a bearer token instead of its credentials (SMART 2.2, Token Introspection). */
async function introspectAsBearer(context: Context, claims: PresentedToken | undefined, parts: Parts): Promise<void> {
  const asker = await parts.verify((context.headers.authorization ?? '').split(' ')[1] ?? '').catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'login') return undefined;
    throw error;
  });
  const client = asker === undefined ? undefined : ((await parts.store.document('client', asker.client)) as { introspect?: boolean } | undefined);
  if (asker === undefined || client === undefined) {
    context.status = 401;
    context.set('www-authenticate', 'Bearer realm="kindred", error="invalid_token"');
    context.body = { error: 'invalid_token' };
    return;
  }
  context.set('cache-control', 'no-store');
  const may = claims !== undefined && (client.introspect === true || claims.client_id === asker.client);
  context.body = may ? await introspection(claims, parts) : { active: false };
}

async function claimsOf(token: unknown, { keys, url, now }: Parts): Promise<PresentedToken | undefined> {
  if (typeof token !== 'string' || token.split('.').length !== 3) return undefined;
  try {
    return await readClaims(token, { keys, url: () => url, now: () => Date.parse(now()) });
  } catch (error) {
    if (error instanceof Problem) return undefined;
    throw error;
  }
}

async function register(context: Context, next: Next): Promise<void> {
  if (context.method !== 'POST') return next();
  const read = readRegistration(await readBody(context));
  if ('mistake' in read) {
    context.status = 400;
    context.body = { error: 'invalid_client_metadata', error_description: read.mistake };
    return;
  }
  sendOn(context, Buffer.from(JSON.stringify(read.metadata)));
  await next();
  if (context.status === 201) showRegistration(context);
}

async function readForm(context: Context): Promise<Form> {
  if (context.method !== 'POST' || !context.is('application/x-www-form-urlencoded')) return {};
  return querystring.parse((await readBody(context)).toString()) as Form;
}
/** Hands a body that was looked at and changed to the library, as if it had come so. */
function sendOn(context: Context, bytes: Buffer): void {
  context.req.headers['content-length'] = String(bytes.length);
  Object.defineProperties(context.req, { readable: { value: true }, iterator: { value: () => Readable.from([bytes]) } });
}
function sendFormOn(context: Context, form: Form): void {
  if (context.method === 'POST' && context.is('application/x-www-form-urlencoded'))
    sendOn(context, Buffer.from(querystring.stringify(form as querystring.ParsedUrlQueryInput)));
}
async function readBody(context: Context): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of context.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_FORM) throw new errors.InvalidRequest('the body is too large', 413);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof errors.OIDCProviderError ? error : new errors.InvalidRequest('the body broke off');
  }
  return Buffer.concat(chunks);
}

const codes: Readonly<Record<string, OccurrenceCode>> = {
  '/token': 'token',
  '/introspect': 'introspect',
  '/revoke': 'revoke',
  '/register': 'register',
};
/** A refusal of a client that has shown who it is has a line of its own; all others are counted by address, since anybody could write as many. */
async function noteRefusal(context: Context, parts: Parts): Promise<void> {
  const refusal = refusalOf(context);
  if (refusal === undefined) return;
  const address = parts.addressOf(context.req);
  const known = context.oidc?.entities.Client;
  const refreshing = context.path === '/token' && context.oidc?.params?.grant_type === 'refresh_token';
  const code = refreshing ? 'refresh' : codes[context.path];
  // A public client has shown nothing.
  if (known === undefined || code === undefined || known.clientAuthMethod === 'none' || context.path === '/authorize' || refusal.error === 'invalid_client')
    return parts.refused(address);
  await parts.store.commit(parts.note({ code, outcome: '8', client: known.clientId, address, why: `${refusal.error}: ${refusal.text}` }), parts.now());
}
/** In the body, or in where the browser is sent. */
function refusalOf({ status, body, response }: Context): { readonly error: string; readonly text: string } | undefined {
  const sent = response.get('location');
  const told = sent === '' || !URL.canParse(sent) ? undefined : new URL(sent);
  const params = told === undefined ? undefined : new URLSearchParams(told.searchParams.has('error') ? told.search : told.hash.slice(1));
  const { error, error_description: text } = (params === undefined ? (body ?? {}) : Object.fromEntries(params)) as {
    error?: string;
    error_description?: string;
  };
  if (status < 400 && (params === undefined || error === undefined)) return undefined;
  return { error: error ?? String(status), text: text ?? 'refused' };
}
