import { randomUUID } from 'node:crypto';
import { errors } from 'oidc-provider';
import type { Caller } from '../access/caller.ts';
import { consentKindSystem } from '../access/canonical.ts';
import { coded, refersTo, token } from '../access/rules/demands.ts';
import type { Account } from '../account/account.ts';
import { revise } from '../account/revise.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName } from '../fhir/types.ts';
import { authorizeApp, endApp, handOf } from '../interaction/app-consent.ts';
import type { Interaction } from '../interaction/interaction.ts';
import { and, queryOf } from '../search/query.ts';
import type { Registry } from '../search/registry.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Allowed, Asking, Authorizations } from './authorization.ts';
import type { AuthorizationServer } from './authorization-server.ts';
import type { Client, OauthGrant } from './client.ts';
import { digestOf, standingGrant, usableClient } from './grants.ts';
import { findLaunch, type Launch, spentLaunch } from './launch.ts';
import { allowedScopes, covers, isContextScope, needsPatient, wordsOf } from './scopes.ts';
import { audienceOf } from './verify.ts';

export interface AuthorizationParts {
  readonly store: ResourceStore;
  readonly registry: Registry;
  readonly server: Pick<AuthorizationServer, 'provider'>;
  readonly url: string;
  now(): string;
  note(occurrence: Occurrence): readonly Change[];
  /** Tells the owner of the account that an app was connected. */
  tell(account: Account): void;
  /** Takes an interaction that no address leads to along the road. */
  run(interaction: Interaction, path: readonly string[], caller: Caller): Promise<unknown>;
}

/** An access token lives so long; an authorization without refresh tokens no longer. */
const HOUR_MS = 3_600_000;
/** A second press of the button finds that the first was taken. */
const DECIDED_MS = 30 * 60_000;
/** More apps than these of one person are not listed. */
const LISTED = 1000;

/** The pages' side of the authorization server. */
export function makeAuthorizations(parts: AuthorizationParts): Authorizations {
  const { store, server, url, note, now } = parts;
  const details = async (...messages: Parameters<Authorizations['asking']>) => {
    try {
      return await (await server.provider()).interactionDetails(...messages);
    } catch (error) {
      if (error instanceof errors.SessionNotFound)
        throw new Problem('not-found', 'this request of an app has expired, or was made in another browser: begin again in the app');
      throw error;
    }
  };
  const clientOf = async (id: unknown): Promise<Client> => {
    const client = await usableClient(String(id), store);
    if (client === undefined) throw new Problem('not-found', 'the app is not registered any more');
    return client;
  };
  /** What the EHR said is not forgotten: a request that began with a launch ends with it. */
  const launchOf = async (value: unknown): Promise<Launch | undefined> => {
    if (typeof value !== 'string' || value === '') return undefined;
    const launch = await findLaunch(value, parts);
    if (launch === undefined) throw new Problem('not-found', 'the launch has expired, or was used: begin again where you opened the app');
    return launch;
  };

  async function asking(...messages: Parameters<Authorizations['asking']>): Promise<Asking> {
    const { uid, params, iat } = await details(...messages);
    const client = await clientOf(params.client_id);
    const asked = wordsOf(params.scope as string | undefined);
    const scopes = allowedScopes(asked, client.scope, ['patient', 'user']);
    const launch = await launchOf(params.launch);
    // Counted from when the app asked: who reads the page for long signs in once all the same.
    const age = wordsOf(params.prompt as string | undefined).includes('login') ? 0 : params.max_age === undefined ? Infinity : Number(params.max_age);
    return {
      uid,
      client,
      scopes,
      dropped: asked.filter(word => !scopes.includes(word)),
      ...(launch === undefined ? {} : { launch }),
      needsRecord: needsPatient(scopes),
      needsEncounter: scopes.includes('launch/encounter') && launch?.encounter === undefined,
      signedInSince: (iat - age) * 1000,
      ...(typeof params.login_hint === 'string' ? { loginHint: params.login_hint } : {}),
    };
  }

  /** Of several that decide one request, or use one launch, at once only the first does. */
  async function claim(uid: string, launched?: unknown): Promise<void> {
    const expires = Date.parse(now()) + DECIDED_MS;
    const names = [`decided:${uid}`, ...(typeof launched === 'string' && launched !== '' ? [`launched:${digestOf(launched)}`] : [])];
    const made = await store.commit(
      names.map(id => ({ op: 'document', kind: 'ticket', id, value: { expires }, expect: 'absent', expires })),
      now(),
    );
    if (!made.ok) throw new Problem('conflict', 'this has been decided already: go on in the app');
  }

  return {
    asking,

    async allow(request, response, allowed, { address }) {
      const provider = await server.provider();
      const interaction = await details(request, response);
      const asked = await asking(request, response);
      const { session, account } = allowed;
      const grant = grantOf(asked, allowed, now());
      const launched = interaction.params.launch;
      await claim(asked.uid, launched);
      const changes: readonly Change[] = [
        { op: 'document', kind: 'grant', id: grant.id, value: grant, expect: 'absent' },
        ...(typeof launched === 'string' && launched !== '' ? [spentLaunch(launched)] : []),
        ...note({ code: 'authorize', address, text: grant.scope, ...about(grant) }),
      ];
      if (grant.consent === undefined) await connect(account.username, grant.id, changes, parts);
      else {
        const until = untilOf(grant, allowed, now());
        const consent = {
          id: grant.id,
          patient: `Patient/${grant.patient}` as const,
          performer: grant.fhirUser!,
          client: { id: asked.client.client_id, name: asked.client.client_name },
          scope: grant.scope,
          ...(until === undefined ? {} : { until }),
          also: changes,
        };
        await parts.run(authorizeApp(consent, () => audienceOf(url)) as Interaction, ['Consent', grant.id], handFor(grant));
      }
      parts.tell(account);
      // The request goes on as if only this had been asked for: code, tokens, refresh and answer all agree.
      interaction.params.scope = grant.scope;
      await interaction.save(interaction.exp - Math.floor(Date.now() / 1000));
      const login = { accountId: account.username, ts: Math.floor(session.signedInAt / 1000), amr: [...session.amr], remember: false };
      await provider.interactionFinished(request, response, { login, consent: { grantId: grant.id } }, { mergeWithLastSubmission: false });
    },

    async deny(request, response, { address, session }) {
      const { uid, params } = await details(request, response);
      await claim(uid);
      const record = session?.acting?.record;
      const account = session === undefined ? {} : { account: session.account, ...(record === undefined ? {} : { record }) };
      await store.commit(note({ code: 'authorize', outcome: '8', why: 'the person refused', client: String(params.client_id), address, ...account }), now());
      const result = { error: 'access_denied', error_description: 'the person refused' };
      await (await server.provider()).interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    },

    async granted(account) {
      const { connections = [] } = ((await store.document('account', account.username)) as Account | undefined) ?? account;
      const ids = [...(await consentsOf(account, parts)), ...connections];
      const found = await Promise.all(ids.map(async id => (await standingGrant(id, store, Date.parse(now())))?.grant));
      const own = found.filter(grant => grant?.account === account.username) as OauthGrant[];
      return Promise.all(
        own.map(async grant => ({ ...grant, clientName: ((await store.document('client', grant.client)) as Client | undefined)?.client_name ?? grant.client })),
      );
    },

    async end(id, account, { address }) {
      const standing = await standingGrant(id, store, Date.parse(now()));
      if (standing?.grant.account !== account.username) throw new Problem('not-found', 'there is no such connection of yours');
      await endGrant(id, parts, { address });
    },
  };
}

/** Notes an authorization that no Consent mirrors with its account, so that the person finds and ends it. */
const connect = (username: string, id: string, changes: readonly Change[], parts: AuthorizationParts): Promise<void> =>
  revise([['account', username]], parts, ([kept]) => {
    const account = kept as Account;
    const connections = [...(account.connections ?? []), id].slice(-LISTED);
    return { changes: [{ op: 'document', kind: 'account', id: username, value: { ...account, connections } }, ...changes], result: undefined };
  });

/** Ends an authorization and its Consent, whoever asks. Of one that has ended already, nothing. */
export async function endGrant(
  id: string,
  { store, note, now, run, url }: Omit<AuthorizationParts, 'registry' | 'server' | 'tell'>,
  from: { readonly address?: string } = {},
): Promise<void> {
  const grant = (await store.document('grant', id)) as OauthGrant | undefined;
  if (grant === undefined || !grant.active) return;
  const lives = grant.account === undefined ? { expires: Date.parse(now()) + HOUR_MS } : {};
  const changes: readonly Change[] = [
    { op: 'document', kind: 'grant', id, value: { ...grant, active: false }, ...lives },
    ...note({ code: 'revoke', ...about(grant), ...from }),
  ];
  const consent = grant.consent === undefined ? undefined : await store.read({ type: 'Consent', id: grant.consent.slice('Consent/'.length) });
  if (consent === undefined || consent.deleted || consent.parsed().status !== 'active') await store.commit(changes, now());
  else await run(endApp(consent.key.id, changes, () => audienceOf(url)) as Interaction, ['Consent', consent.key.id], handFor(grant));
}

/** The server's hand, for the person who gave the authorization. */
const handFor = ({ account, fhirUser, patient }: OauthGrant): Caller => handOf({ account: account!, who: fhirUser!, record: `Patient/${patient}` });

const about = ({ client, account, fhirUser, patient, consent }: OauthGrant): Omit<Occurrence, 'code'> => ({
  client,
  ...(account === undefined ? {} : { account }),
  ...(fhirUser === undefined ? {} : { who: fhirUser }),
  ...(fhirUser?.startsWith('RelatedPerson/') && patient !== undefined ? { onBehalfOf: `Patient/${patient}` as const } : {}),
  ...(patient === undefined ? {} : { record: `Patient/${patient}` as const }),
  ...(consent === undefined ? {} : { consents: [consent] }),
});

/** The authorization that comes of the decision. Throws Problem 'forbidden' where it would be more than was asked for, or than the person may give. */
function grantOf({ scopes, client, launch }: Asking, { account, choice, scopes: chosen, encounter, session }: Allowed, at: string): OauthGrant {
  if (choice.kind === 'caregiver' && !choice.standing) throw new Problem('forbidden', 'no consent lets you see anything in that record');
  const levels = choice.kind === 'practitioner' ? (['user', 'patient'] as const) : (['patient'] as const);
  const within = chosen.filter(word => scopes.some(one => covers(one, word)));
  const given = allowedScopes(within, client.scope, levels);
  if (given.filter(word => !isContextScope(word) || word === 'openid').length === 0) throw new Problem('forbidden', 'nothing is left that the app may do');
  const patient = launch?.patient ?? choice.record?.slice('Patient/'.length);
  const about = needsPatient(given) || launch?.patient !== undefined ? patient : undefined;
  if (needsPatient(given) && about === undefined) throw new Problem('forbidden', 'no record was chosen');
  if (choice.kind !== 'practitioner' && about !== undefined && `Patient/${about}` !== choice.record)
    throw new Problem('forbidden', 'that is not a record that you act for');
  const id = randomUUID();
  const within_session = given.includes('online_access') && !given.includes('offline_access');
  const place = launch?.encounter ?? encounter;
  return {
    id,
    client: client.client_id,
    account: account.username,
    scope: given.join(' '),
    active: true,
    created: at,
    fhirUser: choice.hat,
    ...(about === undefined ? {} : { patient: about }),
    ...(place === undefined ? {} : { encounter: place }),
    ...(launch?.intent === undefined ? {} : { intent: launch.intent }),
    ...(about === undefined ? {} : { need_patient_banner: choice.kind === 'caregiver' || launch?.need_patient_banner !== false }),
    ...(choice.kind === 'caregiver' ? { fhirContext: [{ reference: choice.hat, role: 'https://kindred.example/fhir/fhircontext-role/acting-as' }] } : {}),
    ...(about === undefined || choice.kind === 'practitioner' ? {} : { consent: `Consent/${id}` as KeyName }),
    ...(within_session ? { session: session.id } : {}),
  };
}

/** When it lapses by itself: without a refresh token with the access token. */
function untilOf({ scope }: OauthGrant, { session }: Allowed, at: string): string | undefined {
  const words = wordsOf(scope);
  if (words.includes('offline_access')) return undefined;
  return new Date(words.includes('online_access') ? session.expires : Date.parse(at) + HOUR_MS).toISOString();
}

/** Ids of the authorizations that mirror themselves in Consents which the account gave, under any of its hats. */
async function consentsOf({ hats }: Account, { store, registry }: AuthorizationParts): Promise<readonly string[]> {
  const [category, status, performer] = ['category', 'status', 'consentor'].map(code => registry.param('Consent', code)!);
  const names = hats.flatMap(hat => hat.resource ?? []);
  if (names.length === 0) return [];
  const where = and(coded(category!, consentKindSystem, 'app'), token(status!, 'active'), refersTo(performer!, names));
  return (await store.keys(queryOf('Consent', where, LISTED))).map(key => key.id);
}
