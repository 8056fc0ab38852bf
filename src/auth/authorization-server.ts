import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Occurrence } from '../audit/occurrence.ts';
import type { WriteLog } from '../log.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import { launchContextOf, makeAdapter, type PresentedToken } from './adapter.ts';
import type { Client } from './client.ts';
import { usableAccount } from './grants.ts';
import { accountClaims } from './identity.ts';
import { issuedBy } from './issued.ts';
import type { KeyRing } from './keys.ts';
import { findLaunch } from './launch.ts';
import { makeMiddleware } from './middleware.ts';
import { makeProvider, type ProviderParts } from './provider.ts';
import { actingGrant, tokenStands } from './standing.ts';
import type { Verify } from './verify.ts';

export interface ServerParts {
  readonly store: ResourceStore;
  readonly keys: KeyRing;
  readonly cookieKeys: readonly string[];
  /** Public URL, without a slash at the end. */
  readonly url: string;
  readonly privateJwks: boolean;
  /** What becomes of an app that registers itself. */
  readonly registration: 'held' | 'open' | 'off';
  readonly log: WriteLog;
  now(): string;
  note(occurrence: Occurrence): readonly Change[];
  endGrant(id: string): Promise<void>;
  addressOf(message: IncomingMessage): string;
  /** Somebody was refused of whom nothing is known. */
  refused(address: string): void;
  readonly verify: Verify;
  errorPage(title: string, text: string): string;
  /** Of every page. */
  readonly pageHeaders: Readonly<Record<string, string>>;
}
export interface AuthorizationServer {
  /** Everything under `/auth`, its path cut off. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** The library with the keys of now. */
  provider(): Promise<Provider>;
}

/** The OAuth server of this process. All that it knows is in the store, so that any number of them serve alike, and keys can change while they run. */
export function makeAuthorizationServer(parts: ServerParts): AuthorizationServer {
  const { store, url } = parts;
  const presented = new WeakMap<object, PresentedToken>();
  const { protocol, host } = new URL(url);
  const adapter = makeAdapter({
    store,
    url: () => url,
    now: parts.now,
    presented: context => (context === undefined ? undefined : presented.get(context)),
    endGrant: parts.endGrant,
    register: client => registration(client, parts),
  });
  const settings: Omit<ProviderParts, 'keys'> = {
    url,
    cookieKeys: parts.cookieKeys,
    adapter,
    privateJwks: parts.privateJwks,
    registers: parts.registration !== 'off',
    now: () => Date.parse(parts.now()),
    grant: id => actingGrant(id, store, Date.parse(parts.now())),
    account: async (username, grant) => {
      const account = await usableAccount(username, store);
      return account === undefined ? undefined : accountClaims(account, grant, url);
    },
    launch: value => findLaunch(value, parts),
    issued: issuedBy(parts),
    renderError(context, { error, error_description: text }) {
      context.type = 'html';
      context.set({ ...parts.pageHeaders });
      context.body = parts.errorPage('This did not work', `${text ?? 'The request of the app was not right.'} (${error})`);
    },
  };
  let built: { readonly epoch: number; readonly provider: Provider; readonly callback: ReturnType<Provider['callback']> } | undefined;
  const current = async () => {
    const keys = await parts.keys.current();
    if (built?.epoch !== keys.epoch) {
      const provider = makeProvider({ ...settings, keys });
      // What the library would print by itself: a body that broke off, mostly.
      (provider as unknown as EventEmitter).on('error', (error: unknown) =>
        parts.log('debug', 'a request to the authorization server ended early', { cause: String(error) }),
      );
      provider.on('server_error', (_context: unknown, error: unknown) => parts.log('error', 'the authorization server failed', { cause: causeOf(error) }));
      const middleware = makeMiddleware(provider, { ...parts, presented });
      provider.use((context, next) => middleware(context as Parameters<typeof middleware>[0], next));
      built = { epoch: keys.epoch, provider, callback: provider.callback() };
    }
    return built;
  };
  return {
    async handle(request, response) {
      // The library takes other ways of writing them for the same, and what stands around it here would not.
      if (!isEndpoint(request.url ?? '')) {
        response
          .writeHead(404, { 'Content-Type': 'application/json; charset=utf-8' })
          .end(JSON.stringify({ error: 'invalid_request', error_description: 'there is nothing here' }));
        return;
      }
      // The library makes addresses, and the audiences of assertions, from these: they say what is configured and nothing else.
      request.headers.host = host;
      request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
      delete request.headers['x-forwarded-host'];
      await (await current()).callback(request, response);
    },
    provider: async () => (await current()).provider,
  };
}

const endpoint =
  /^\/(authorize(\/[A-Za-z0-9_-]{1,100})?|token|introspect|revoke|register|jwks|\.well-known\/(openid-configuration|oauth-authorization-server))(\?|$)/;
const isEndpoint = (url: string): boolean => endpoint.test(url);

const causeOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Whoever registers itself is software that nobody here knows: it waits for somebody to approve it, a system always. */
function registration(client: Client, { registration: mode, note }: ServerParts): { readonly client: Client; readonly also: readonly Change[] } {
  const system = client.kind !== 'app' || (client.grant_types as readonly string[] | undefined)?.includes('client_credentials') === true;
  const held = system || mode !== 'open';
  return {
    client: held ? { ...client, status: 'held' } : client,
    also: note({ code: 'register', client: client.client_id, text: `${client.client_name} asks for ${client.scope}${held ? '; held for approval' : ''}` }),
  };
}

/** What is told about a token to whoever may ask: RFC 7662 with SMART's launch context. */
export async function introspection(claims: PresentedToken, { store, url, now }: Pick<ServerParts, 'store' | 'url' | 'now'>): Promise<object> {
  if (!(await tokenStands(claims, store, Date.parse(now())))) return { active: false };
  const { cnf, exp, iat, jti, scope, client_id, account } = claims;
  return {
    ...launchContextOf(claims as unknown as Record<string, unknown>, url),
    active: true,
    client_id,
    exp,
    iat,
    jti,
    scope,
    iss: `${url}/auth`,
    aud: `${url}/fhir`,
    token_type: cnf?.jkt === undefined ? 'Bearer' : 'DPoP',
    ...(cnf === undefined ? {} : { cnf }),
    ...(account === undefined ? {} : { sub: account }),
  };
}
