import type { Organization } from '../account/account.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Client, OauthGrant } from './client.ts';
import { isSafeTarget, mistakesInMetadata } from './registration.ts';
import { isContextScope, wordsOf } from './scopes.ts';

export interface ClientParts {
  readonly store: ResourceStore;
  now(): string;
  note(occurrence: Occurrence): readonly Change[];
  /** Ends an authorization: all its tokens, and its Consent. */
  endGrant(id: string): Promise<void>;
}

/** Registers a client by the hand of who runs the server. Throws Problem 'value' with every mistake, 'duplicate' where the id is taken. */
export async function addClient(client: Client, { store, now, note }: ClientParts): Promise<void> {
  const mistakes = [...mistakesInMetadata(client), ...(await mistakesIn(client, store))];
  if (mistakes.length > 0) throw new Problem('value', mistakes.join('\n'));
  const { client_id: id, scope } = client;
  const made = await store.commit(
    [
      { op: 'document', kind: 'client', id, value: client, expect: 'absent' },
      ...note({ code: 'client', client: id, text: `added by the operator, registered for ${scope}` }),
    ],
    now(),
  );
  if (!made.ok) throw new Problem('duplicate', `there is a client \`${id}\` already`);
}

/** What does not fit together, or names what is not there. */
async function mistakesIn({ client_id, kind, organization, scope, ...more }: Client, store: ResourceStore): Promise<readonly string[]> {
  const system = kind === 'system';
  const wrong = wordsOf(scope).filter(word => (system ? !word.startsWith('system/') : word.startsWith('system/')));
  const mistakes = [
    ...(/^[\x21-\x7e]{1,120}$/.test(client_id) ? [] : ['/client_id: must be up to 120 letters, digits and signs, without spaces']),
    ...wrong.map(word => `/scope: \`${word}\` is not for ${system ? 'a system' : 'an app'}`),
    ...(wordsOf(scope).every(isContextScope) ? ['/scope: names nothing that the client may read or write'] : []),
    ...(system && organization === undefined ? ['/organization: a system works for one organization'] : []),
    ...(!system && more.redirect_uris === undefined ? ['/redirect_uris: an app needs at least one'] : []),
    ...(system && more.jwks === undefined && more.jwks_uri === undefined && more.client_secret === undefined
      ? ['/jwks: a system needs jwks or jwks_uri (or a secret)']
      : []),
    ...(more.client_secret !== undefined && (more.jwks !== undefined || more.jwks_uri !== undefined)
      ? ['/client_secret: keys and a secret exclude each other']
      : []),
    ...(more.launch_uri === undefined || (/^https?:/.test(String(more.launch_uri)) && isSafeTarget(String(more.launch_uri)))
      ? []
      : ['/launch_uri: must be https or loopback, and have no fragment']),
    ...(!system && (more.launch === true || more.introspect === true) ? ['/kind: only a system may launch apps or introspect tokens of others'] : []),
  ];
  return organization === undefined ? mistakes : [...mistakes, ...(await unknownOrganization(organization, store))];
}
async function unknownOrganization(id: string, store: ResourceStore): Promise<readonly string[]> {
  const known = (await store.document('organization', id)) as Organization | undefined;
  return known === undefined ? [`/organization: there is no organization \`${id}\``] : [];
}

/** Lets a client in that registered itself. Throws Problem 'value' or 'not-found' naming what does not fit. */
export async function approveClient(id: string, organization: string | undefined, parts: ClientParts): Promise<void> {
  await change(id, parts, 'approved by the operator', async ({ status, ...client }) => {
    if (status !== 'held') throw new Problem('value', `client \`${id}\` is not held: it is ${status ?? 'in use'}`);
    const employer = organization ?? client.organization;
    if (client.kind === 'system' && employer === undefined) throw new Problem('value', '/organization: a system works for one organization');
    if (client.kind === 'app' && organization !== undefined) throw new Problem('value', '/organization: an app works for whoever lets it in');
    const approved = { ...client, ...(employer === undefined ? {} : { organization: employer }) } as Client;
    // Whatever way it came in, it is what anybody would be refused for.
    const mistakes = [...mistakesInMetadata(shapeOf(approved)), ...(await mistakesIn(approved, parts.store))];
    if (mistakes.length > 0) throw new Problem('value', mistakes.join('\n'));
    return approved;
  });
}

/** Without what the library leaves empty. */
const shapeOf = (client: Client): object => Object.fromEntries(Object.entries(client).filter(([, value]) => !Array.isArray(value) || value.length > 0));

/** A client that was revoked may be used again; what it had been given stays ended. */
export async function enableClient(id: string, parts: ClientParts): Promise<void> {
  await change(id, parts, 'enabled by the operator', ({ status, ...client }) => {
    if (status !== 'revoked') throw new Problem('value', `client \`${id}\` is not revoked: it is ${status ?? 'in use'}`);
    return client as Client;
  });
}

/**
 * No token of the client is good any more from the next request on, and each of its authorizations ends with its Consent, so that people see it. May be
 * repeated: what could not be ended is named and ended the next time. Gives back the ids of the authorizations that have ended.
 */
export async function revokeClient(id: string, parts: ClientParts): Promise<readonly string[]> {
  const client = await clientOf(id, parts.store);
  // First: none is given while the others are looked for.
  if (client.status !== 'revoked') await change(id, parts, 'revoked by the operator', one => ({ ...one, status: 'revoked' }));
  // Some have no Consent (practitioners', systems') and would come alive again with the client.
  const all = (await parts.store.documents('grant')).map(({ value }) => value as OauthGrant);
  const its = all.filter(grant => grant.client === id && grant.active).map(grant => grant.id);
  for (const grant of its) await parts.endGrant(grant);
  return its;
}

async function clientOf(id: string, store: ResourceStore): Promise<Client> {
  const client = (await store.document('client', id)) as Client | undefined;
  if (client === undefined) throw new Problem('not-found', `there is no client \`${id}\``);
  return client;
}
/** Replaces a client, with its line of the log, unless somebody else did meanwhile. */
async function change(id: string, { store, now, note }: ClientParts, text: string, to: (client: Client) => Client | Promise<Client>): Promise<void> {
  const [epoch = 0] = await store.epochs([`client:${id}`]);
  const value = await to(await clientOf(id, store));
  const made = await store.commit(
    [{ op: 'epoch', of: `client:${id}`, is: epoch }, { op: 'document', kind: 'client', id, value }, ...note({ code: 'client', client: id, text })],
    now(),
  );
  if (!made.ok) throw new Problem('conflict', `somebody else changed client \`${id}\` at the same time: try again`);
}
