import { randomUUID } from 'node:crypto';
import Provider, {
  type AccessToken,
  type Client,
  type ClientCredentials,
  type Configuration,
  errors,
  interactionPolicy,
  type JWKS,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Claims } from './caller.ts';
import type { OauthGrant } from './client.ts';
import { isSecret } from './client-metadata.ts';
import { algorithms, type KeySet } from './keys.ts';
import type { Launch } from './launch.ts';
import { allowedScopes, contextScopes, isMixed, MAX_SCOPE, MAX_WORDS, wordsOf } from './scopes.ts';
import { audienceOf, issuerOf } from './verify.ts';

export type Context = KoaContextWithOIDC;

/** What the library asks us. */
export interface ProviderParts {
  /** Public URL, without a slash at the end. */
  readonly url: string;
  readonly keys: KeySet;
  readonly cookieKeys: readonly string[];
  readonly adapter: Exclude<Configuration['adapter'], undefined>;
  /** JWKS URLs may lead to addresses of a private network. */
  readonly privateJwks: boolean;
  /** Apps may register themselves. */
  readonly registers: boolean;
  now(): number;
  grant(id: string): Promise<OauthGrant | undefined>;
  account(username: string, grant: OauthGrant | undefined): Promise<Readonly<Record<string, unknown>> | undefined>;
  launch(value: string): Promise<Launch | undefined>;
  /** Puts what was issued into the log, before it is signed. */
  issued(context: Context, claims: Claims & { readonly exp: number }): Promise<void>;
  renderError(context: Context, error: { readonly error: string; readonly error_description?: string | undefined }): void;
}

/** Seconds. A refresh token is good for three months after each use: ONC (g)(10)(v)(A). */
const lifetimes = { person: 3600, system: 300, code: 60, refresh: 90 * 24 * 3600, interaction: 1800 } as const;
/** Of assertions and DPoP proofs, for clocks that differ (SMART: an assertion lives five minutes at most). */
const ASSERTION_S = 300;
const TOLERANCE_S = 5;
/** Characters. */
const MAX_STATE = 2000;
const assertionAlgorithms = ['RS384', 'ES384'] as const;
const { Prompt, Check, base } = interactionPolicy;

/** oidc-provider as a SMART App Launch 2.2 authorization server. */
export function makeProvider(parts: ProviderParts): Provider {
  const { url } = parts;
  const provider = new Provider(issuerOf(url), {
    adapter: parts.adapter,
    jwks: { keys: parts.keys.keys.map(key => key.jwk) } as unknown as JWKS,
    cookies: { keys: [...parts.cookieKeys], short: { sameSite: 'lax' }, long: { sameSite: 'lax' } },
    scopes: [...contextScopes],
    claims: { openid: ['sub'], fhirUser: ['fhirUser'], profile: ['name', 'preferred_username'] },
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    enabledJWA: { clientAuthSigningAlgValues: [...assertionAlgorithms], dPoPSigningAlgValues: ['ES256', 'ES384', 'RS256'], idTokenSigningAlgValues: ['RS256'] },
    pkce: { required: () => true },
    routes: { authorization: '/authorize', token: '/token', jwks: '/jwks', registration: '/register', introspection: '/introspect', revocation: '/revoke' },
    clockTolerance: TOLERANCE_S,
    features: featuresOf(parts),
    extraParams: extraParamsOf(parts),
    extraClientMetadata: { properties: ['smart_scope', 'kind', 'introspect'] },
    interactions: { policy: onePrompt(), url: (_context, { uid }) => `${new URL(url).pathname.replace(/\/$/, '')}/auth/interaction/${uid}` },
    // Each authorization is one of its own, with its own patient.
    loadExistingGrant: context => {
      const id = (context.oidc.result as { consent?: { grantId?: string } } | undefined)?.consent?.grantId;
      return id === undefined ? undefined : context.oidc.provider.Grant.find(id);
    },
    async findAccount(context, username) {
      const { Grant: granted } = context.oidc.entities;
      const grant = granted?.jti === undefined ? undefined : await parts.grant(granted.jti);
      const claims = await parts.account(username, grant);
      return claims === undefined ? undefined : { accountId: username, claims: () => ({ sub: username, ...claims }) };
    },
    issueRefreshToken: (_context, client, code) =>
      client.grantTypeAllowed('refresh_token') && (code.scopes.has('offline_access') || code.scopes.has('online_access')),
    // `online_access` ends with our own sign-in: the authorization knows it.
    expiresWithSession: () => false,
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: lifetimes.person,
      ClientCredentials: lifetimes.system,
      IdToken: lifetimes.person,
      AuthorizationCode: lifetimes.code,
      RefreshToken: lifetimes.refresh,
      Interaction: lifetimes.interaction,
      Session: lifetimes.interaction,
      Grant: lifetimes.refresh,
    },
    clientBasedCORS: (_context, origin, client) => (client.redirectUris ?? []).some(uri => originOf(uri) === origin),
    extraTokenClaims: (_context, token) => tokenClaims(parts, token),
    formats: {
      customizers: {
        jwt: async (context, _token, { payload }) => {
          const at = Math.floor(parts.now() / 1000);
          Object.assign(payload, { iat: at, exp: at + Number(payload.exp) - Number(payload.iat) });
          await parts.issued(context, payload as unknown as Claims & { exp: number });
        },
      },
    },
    assertJwtClientAuthClaimsAndHeader: checkAssertion,
    renderError: (context, out) => parts.renderError(context, out),
    ...(parts.privateJwks ? { fetch: fetchAnywhere } : {}),
  });
  provider.proxy = true; // The handler says what was asked for: never the Host header.
  provider.Client.prototype.compareClientSecret = function (this: Client, given: string) {
    return isSecret(this.clientSecret ?? '', given);
  } as Client['compareClientSecret'];
  return provider;
}

/** The one flow of pages that a person goes through, from sign-in to decision, whatever was asked. */
function onePrompt(): interactionPolicy.DefaultPolicy {
  const policy = base();
  policy.clear();
  policy.add(new Prompt({ name: 'login', requestable: true }));
  policy.add(
    new Prompt(
      { name: 'consent', requestable: true },
      new Check('decision', 'the person decides', 'interaction_required', context =>
        (context.oidc.result as { consent?: unknown } | undefined)?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    ),
  );
  return policy;
}

function featuresOf(parts: ProviderParts): NonNullable<Configuration['features']> {
  return {
    devInteractions: { enabled: false },
    // Tokens are for the FHIR server; who somebody is stands in the id_token.
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    registration: { enabled: parts.registers, issueRegistrationAccessToken: false },
    revocation: { enabled: true, allowedPolicy: (_context, client, token) => client.clientId === token.clientId },
    introspection: {
      enabled: true,
      allowedPolicy: (_context, client, token) => client.clientId === token.clientId || client.introspect === true,
    },
    resourceIndicators: {
      enabled: true,
      // SMART's `aud` is RFC 8707's resource; a backend service names none.
      defaultResource: context => (context.oidc.params?.aud as string | undefined) ?? audienceOf(parts.url),
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource, client) => resourceServer(parts, context, resource, client),
    },
  };
}

/** Which of the scopes this request is about the client may have: the library knows scopes that vary only as those of a resource. */
function resourceServer({ url }: ProviderParts, context: Context, resource: string, client: Client) {
  if (resource !== audienceOf(url)) throw new errors.InvalidTarget(`aud must be ${audienceOf(url)}`);
  const { params, entities } = context.oidc;
  const source = entities.RefreshToken ?? entities.AuthorizationCode ?? (params as { scope?: string } | undefined);
  const asked = wordsOf(source?.scope);
  const backend = params?.grant_type === 'client_credentials';
  const scope = allowedScopes(asked, String(client.smart_scope ?? ''), backend ? ['system'] : ['patient', 'user']).filter(
    word => !backend || word.startsWith('system/'),
  );
  if (backend && scope.length === 0)
    throw new errors.InvalidScope('none of the system/ scopes that were asked for may be granted to this client', asked.join(' '));
  return {
    scope: scope.join(' '),
    audience: audienceOf(url),
    accessTokenTTL: backend ? lifetimes.system : lifetimes.person,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: algorithms.token } },
  };
}

function extraParamsOf({ url, launch }: ProviderParts): NonNullable<Configuration['extraParams']> {
  const wordsAsked = (context: Context): readonly string[] => wordsOf(context.oidc.params?.scope as string | undefined);
  return {
    aud(context, value) {
      if (value !== audienceOf(url)) throw new errors.InvalidRequest(`aud must be ${audienceOf(url)}`);
      if (String(context.oidc.params?.scope ?? '').length > MAX_SCOPE)
        throw new errors.InvalidScope(`the scopes are longer than the ${MAX_SCOPE} characters that are taken`, '');
      if (wordsAsked(context).length > MAX_WORDS) throw new errors.InvalidScope(`there are more than the ${MAX_WORDS} scopes that are taken`, '');
      if (String(context.oidc.params?.state ?? '').length > MAX_STATE)
        throw new errors.InvalidRequest(`the state is longer than the ${MAX_STATE} characters that are taken`);
      if (isMixed(wordsAsked(context))) throw new errors.InvalidScope('patient/ and user/ scopes cannot be mixed', wordsAsked(context).join(' '));
    },
    async launch(context, value) {
      if (value === undefined || value === '') {
        if (wordsAsked(context).includes('launch')) throw new errors.InvalidRequest('the scope `launch` needs the parameter launch');
      } else if ((await launch(value))?.client !== context.oidc.client?.clientId) throw new errors.InvalidRequest('the launch is not known, or has expired');
    },
  };
}

/** What our resource server reads, and what SMART tells the app. */
async function tokenClaims(parts: ProviderParts, token: AccessToken | ClientCredentials): Promise<Record<string, unknown>> {
  if (!('grantId' in token) || token.grantId === undefined) return { grant: randomUUID() };
  const grant = await parts.grant(token.grantId);
  if (grant === undefined) throw new errors.InvalidGrant('the authorization has ended');
  const { id, account, patient, encounter, fhirUser, fhirContext, need_patient_banner, intent } = grant;
  const context = { account, patient, encounter, fhirUser, fhirContext, need_patient_banner, intent, smart_style_url: `${parts.url}/smart-style.json` };
  return { grant: id, ...Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined)) };
}

/** SMART's demands on assertions (STU2.2, Backend Services) beyond what the library looks at. */
const checkAssertion: NonNullable<Configuration['assertJwtClientAuthClaimsAndHeader']> = async (_context, claims, header, client) => {
  // The library reads a JWKS URL again only when a signature fails: a key that the client has withdrawn must not go on verifying from the cache.
  const keys = client.asymmetricKeyStore as { stale(): boolean; refresh(): Promise<void>; selectForVerify(of: object): readonly unknown[] };
  if (keys.stale()) {
    await keys.refresh();
    if (keys.selectForVerify({ alg: header.alg, kid: header.kid }).length === 0) throw new errors.InvalidClientAuth('the key was withdrawn');
  }
  if (typeof header.kid !== 'string') throw new errors.InvalidClientAuth('the assertion names no kid');
  if (claims.sub !== client.clientId) throw new errors.InvalidClientAuth('sub must be the client_id');
  if (!(Number(claims.exp) <= Date.now() / 1000 + ASSERTION_S + TOLERANCE_S)) throw new errors.InvalidClientAuth('exp must be within five minutes');
  if (header.jku !== undefined && header.jku !== client.jwksUri) throw new errors.InvalidClientAuth('jku is not the registered JWKS URL');
};

/** The default refuses addresses of private networks (SSRF); a hospital's clients may be there. */
const fetchAnywhere: NonNullable<Configuration['fetch']> = (address, init) => {
  const { dispatcher: _refuses, ...rest } = (init ?? {}) as RequestInit & { dispatcher?: unknown };
  return fetch(address, rest);
};
function originOf(uri: string): string | undefined {
  return URL.canParse(uri) ? new URL(uri).origin : undefined;
}
