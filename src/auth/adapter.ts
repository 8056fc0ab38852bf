import Provider, { type Adapter, type AdapterPayload, type ClientMetadata, errors } from 'oidc-provider';
import type { DocumentKind } from '../store/documents.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Claims } from './caller.ts';
import type { Client, OauthGrant } from './client.ts';
import { clientFrom, metadataOf } from './client-metadata.ts';
import { digestOf, usableClient } from './grants.ts';
import { isContextScope, wordsOf } from './scopes.ts';
import { actingGrant, tokenStands } from './standing.ts';
import { audienceOf } from './verify.ts';

/** An access token that was brought to the authorization server: its claims, verified. */
export type PresentedToken = Claims & { readonly exp: number; readonly iat: number };

export interface AdapterParts {
  readonly store: ResourceStore;
  url(): string;
  now(): string;
  /** The access token that the request under way is about. */
  presented(context: object | undefined): PresentedToken | undefined;
  /** Ends an authorization: all its tokens, and its Consent. */
  endGrant(id: string): Promise<void>;
  /** The status of a client that registers itself, and the line of the log about it. */
  register(client: Client): { readonly client: Client; readonly also: readonly Change[] };
}

/** The kinds of documents behind the models that are simply kept for a while. */
const keptModels: Readonly<Record<string, DocumentKind>> = {
  Interaction: 'interaction',
  AuthorizationCode: 'code',
  RefreshToken: 'refresh',
  ReplayDetection: 'replay',
};

/** What oidc-provider keeps, on our store. Codes and refresh tokens are kept under a digest of themselves, so that reading the store gives nobody a token. */
export const makeAdapter =
  (parts: AdapterParts) =>
  (model: string): Adapter => {
    const kind = keptModels[model];
    if (kind !== undefined) return keptAdapter(kind, parts);
    const special = {
      Client: clientAdapter,
      Grant: grantAdapter,
      AccessToken: tokenAdapter('AccessToken'),
      ClientCredentials: tokenAdapter('ClientCredentials'),
    };
    return (special as Readonly<Record<string, (parts: AdapterParts) => Adapter>>)[model]?.(parts) ?? nothing;
  };

/** Sessions among them: who has signed in our own pages know, and each authorization begins there. */
const nothing: Adapter = {
  upsert: async () => undefined,
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: async () => undefined,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};

function keptAdapter(kind: DocumentKind, { store, now }: AdapterParts): Adapter {
  interface Kept {
    readonly payload: AdapterPayload;
    readonly expires: number;
  }
  const load = async (key: string): Promise<Kept | undefined> => {
    const kept = (await store.document(kind, key)) as Kept | undefined;
    return kept === undefined || kept.expires <= Date.now() ? undefined : kept;
  };
  return {
    ...nothing,
    async upsert(id, { jti: _secret, ...payload }, expiresIn) {
      const expires = Date.now() + (expiresIn ?? 0) * 1000;
      // The library looks for an id that was used before it notes one: only an insert that may fail makes that safe.
      const once = kind === 'replay' ? ({ expect: 'absent' } as const) : {};
      const made = await store.commit([{ op: 'document', kind, id: digestOf(id), value: { payload, expires }, expires, ...once }], now());
      if (!made.ok) throw new errors.InvalidClientAuth('it was used before');
    },
    async find(id) {
      const kept = await load(digestOf(id));
      return kept === undefined ? undefined : { ...kept.payload, jti: id };
    },
    /** Once, of however many that come at the same time. */
    async consume(id) {
      const key = digestOf(id);
      const [epoch = 0] = await store.epochs([`${kind}:${key}`]);
      const kept = await load(key);
      if (kept === undefined || kept.payload.consumed !== undefined) throw new errors.InvalidGrant('it was used before');
      const value = { ...kept, payload: { ...kept.payload, consumed: Math.floor(Date.now() / 1000) } };
      const made = await store.commit(
        [
          { op: 'epoch', of: `${kind}:${key}`, is: epoch },
          { op: 'document', kind, id: key, value, expires: kept.expires },
        ],
        now(),
      );
      if (!made.ok) throw new errors.InvalidGrant('it was used before');
    },
    /** What is empty and has expired is swept away with its epoch; a removal would leave that behind. */
    async destroy(id) {
      await store.commit([{ op: 'document', kind, id: digestOf(id), value: { payload: {}, expires: 0 }, expires: 0 }], now());
    },
    // What comes from an authorization is good only as long as that stands.
    revokeByGrantId: async () => undefined,
  };
}

/** A client that registered itself waits so long for somebody to approve it. */
const HELD_MS = 30 * 24 * 3_600_000;
const clientAdapter = ({ store, now, register }: AdapterParts): Adapter => ({
  ...nothing,
  async upsert(id, payload) {
    const { client, also } = register(clientFrom(payload as ClientMetadata, undefined));
    // What nobody approves is swept away.
    const lives = client.status === 'held' ? { expires: Date.parse(now()) + HELD_MS } : {};
    await store.commit([{ op: 'document', kind: 'client', id, value: client, expect: 'absent', ...lives }, ...also], now());
  },
  async find(id) {
    const client = await usableClient(id, store);
    return client === undefined ? undefined : (metadataOf(client) as AdapterPayload);
  },
});

/** Our record of an authorization, told in the library's words. The refresh token has a time of its own, so this has none. */
const FAR = 100 * 365 * 24 * 3600;
const grantAdapter = (parts: AdapterParts): Adapter => ({
  ...nothing,
  async find(id) {
    const grant = await actingGrant(id, parts.store, Date.parse(parts.now()));
    return grant === undefined ? undefined : grantPayload(grant, parts.url());
  },
  destroy: id => parts.endGrant(id),
});
function grantPayload({ id, client, account, scope }: OauthGrant, url: string): AdapterPayload {
  const iat = Math.floor(Date.now() / 1000);
  const words = wordsOf(scope);
  return {
    kind: 'Grant',
    jti: id,
    clientId: client,
    ...(account === undefined ? {} : { accountId: account }),
    iat,
    exp: iat + FAR,
    openid: { scope: words.filter(isContextScope).join(' ') },
    resources: { [audienceOf(url)]: words.join(' ') },
  };
}

/** Access tokens are JWTs and are not kept: what is asked about one is answered from its claims, and it ends with its authorization. */
const tokenAdapter =
  (kind: 'AccessToken' | 'ClientCredentials') =>
  (parts: AdapterParts): Adapter => ({
    ...nothing,
    async find(id) {
      const claims = parts.presented(Provider.ctx);
      if (claims === undefined || claims.jti !== id || (claims.account === undefined) !== (kind === 'ClientCredentials')) return undefined;
      if (!(await tokenStands(claims, parts.store, Date.parse(parts.now())))) return undefined;
      const { jti, exp, iat, client_id: clientId, scope, grant, account, cnf, ...context } = claims;
      return {
        kind,
        jti,
        exp,
        iat,
        clientId,
        scope,
        aud: audienceOf(parts.url()),
        ...(account === undefined ? {} : { accountId: account, grantId: grant }),
        ...(cnf?.jkt === undefined ? {} : { jkt: cnf.jkt }),
        extra: launchContextOf(context, parts.url()),
      };
    },
    async destroy(id) {
      const claims = parts.presented(Provider.ctx);
      if (kind === 'ClientCredentials' && claims?.jti === id) await parts.endGrant(claims.grant);
    },
  });

const told = ['patient', 'encounter', 'fhirUser', 'fhirContext', 'need_patient_banner', 'intent', 'smart_style_url'] as const;
/** Of the claims those that SMART's launch context has; `fhirUser` with its whole address. */
export const launchContextOf = (claims: Readonly<Record<string, unknown>>, url: string): Record<string, unknown> =>
  Object.fromEntries(
    told.filter(name => claims[name] !== undefined).map(name => [name, name === 'fhirUser' ? `${audienceOf(url)}/${claims[name]}` : claims[name]]),
  );
