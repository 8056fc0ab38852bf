import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Caller } from './access/caller.ts';
import { makeRules } from './access/rules/index.ts';
import { parseScopes } from './access/scope.ts';
import { makeMail } from './account/mail.ts';
import { makeAccounts } from './account/make-accounts.ts';
import { accountSettings } from './account/parts.ts';
import { linkHash } from './audit/chain.ts';
import { storedResource } from './audit/event.ts';
import { endGrant } from './auth/authorizations.ts';
import { issueToken } from './auth/issue.ts';
import { readIssuers, type TrustedIssuer } from './auth/issuer-format.ts';
import { makeOutsiders } from './auth/issuers.ts';
import { openKeyRing, sharedSecret } from './auth/keys.ts';
import { issuerOf, makeVerifier } from './auth/verify.ts';
import { type App, CommandProblem, exits } from './cli/command.ts';
import type { Config } from './config.ts';
import { type SearchParameterDef, searchParameters } from './fhir/definitions/definitions.ts';
import { activateConsent } from './interaction/activate.ts';
import { makeGrantCache } from './interaction/facts.ts';
import type { Interaction } from './interaction/interaction.ts';
import { makeInteractions } from './interaction/interactions.ts';
import { makeNote } from './interaction/occurrence.ts';
import type { Parts } from './interaction/parts.ts';
import { openReindexer, type Reindexer } from './interaction/reindex.ts';
import { refuseUnindexed } from './interaction/reindex-job.ts';
import { routeFor, run, runInteraction } from './interaction/run.ts';
import { makeLog, type WriteLog } from './log.ts';
import { readParameters } from './packages.ts';
import { readCustom } from './search/custom.ts';
import { fingerprintsOf } from './search/fingerprint.ts';
import { buildRegistry, type Registry } from './search/registry.ts';
import type { StoreAddress } from './store/address.ts';
import { openStore, openTransfer as openStoreTransfer } from './store/open.ts';
import { guardedBy } from './store/pending.ts';
import type { ResourceStore } from './store/store.ts';
import type { Transfer } from './store/transfer.ts';
import { watched } from './store/watched.ts';

/** The caller of open mode: one system, with all scopes and records. */
export const openCaller: Caller = {
  kind: 'system',
  client: 'open',
  who: 'Organization/open',
  actors: ['Organization/open'],
  organization: 'open',
  purpose: 'TREAT',
  scopes: parseScopes('system/*.cruds').scopes,
  open: true,
  grant: 'open',
  token: 'open',
  grantEpoch: 0,
};

/** Opens the store and puts everything on it. `url`: where the server is reached; else the configured one, or what the last server noted. */
export async function openApp(config: Config, given: { readonly url?: string } = {}): Promise<App> {
  const log = makeLog(config.log);
  const more = parametersOf(config.packages, log);
  const registry = buildRegistry(undefined, more);
  const opened = await openStore(config.store, {
    paramsOf: type => registry.paramsOf(type),
    linkHash,
    writer: randomBytes(6).toString('hex'),
    patience: config.storePatience,
    queryTime: config.queryTime,
    progress: text => log('info', text),
  });
  const store = watched(opened, config.slow, (what, ms) => log('warn', 'slow', { what, ms }));
  try {
    const reindexer = await openReindexer({
      store,
      registry,
      wanted: fingerprintsOf([...searchParameters, ...more]),
      owner: randomUUID(),
      alone: given.url === undefined,
      now: () => nowIn(config),
      newId: randomUUID,
      tell: log,
    });
    return await appOn(guardedBy(reindexer.guard, store), reindexer, config, given, registry, log);
  } catch (error) {
    // What is left open would keep the process alive.
    await store.close();
    throw error;
  }
}

const nowIn = ({ clock }: Config): string => (clock === undefined ? new Date() : new Date(readFileSync(clock, 'utf8').trim())).toISOString();

async function appOn(
  store: ResourceStore,
  reindexer: Reindexer,
  config: Config,
  given: { readonly url?: string },
  registry: Registry,
  log: WriteLog,
): Promise<App> {
  const now = (): string => nowIn(config);
  const url = given.url ?? config.url ?? ((await store.document('note', 'url')) as string | undefined) ?? `http://localhost:${config.port}`;
  const issuers = issuersOf(config, url);
  const keys = await openKeyRing(store, now);
  const secret = await sharedSecret(store, 'cursors', now());
  const parts: Parts = {
    store,
    registry,
    grantCache: makeGrantCache(),
    reindexer,
    rulesFor: makeRules(registry),
    base: () => `${url}/fhir`,
    now,
    newId: randomUUID,
    audit: config.audit,
    provenance: config.auth,
  };
  const interactions = makeInteractions(parts, secret, config.auth ? issuerOf(url) : undefined);
  const note = makeNote(parts);
  const travel: App['run'] = (request, caller, routed = routeFor(request)) => run(routed, request, caller, parts, interactions);
  const walk: App['walk'] = (interaction, path, caller) => runInteraction(interaction, { method: 'POST', path, query: [], headers: {} }, caller, parts);
  const mail = makeMail(config.mail, log, config.mailFrom);
  const tokens = { store, url: () => url, now: () => Date.parse(now()) };
  const accounts = makeAccounts({ store, url: () => url, now, newId: randomUUID, note, run: travel, mail, settings: accountSettings });
  return {
    config,
    store,
    url,
    log,
    now,
    parts,
    keys,
    note,
    accounts,
    mail,
    end: (id, from) => endGrant(id, { store, note, now, url, run: walk }, from),
    verify: makeVerifier({ ...tokens, keys, outsiders: makeOutsiders(issuers, { ...tokens, privateJwks: config.privateJwks }) }),
    open: openCaller,
    issue: request => issueToken(request, { store, keys, url, now: now(), newId: randomUUID, note }),
    run: travel,
    walk,
    activate: (id, version, person) => walk(activateConsent(id, version, person.who, parts.base) as Interaction, ['Consent', id], person),
    async close() {
      await reindexer.close();
      await store.close();
    },
  };
}

/** The issuers that are trusted beside our own, or every mistake in their file. */
function issuersOf({ issuers: file, privateJwks }: Config, url: string): readonly TrustedIssuer[] {
  const read = file === undefined ? { issuers: [] } : readIssuers(file, { url, privateJwks });
  if ('mistakes' in read) throw new CommandProblem(read.mistakes.join('\n'), exits.configuration);
  return read.issuers;
}

/** The search parameters of packages and profiles, or every mistake in them. */
function parametersOf(packages: readonly string[], log: WriteLog): readonly SearchParameterDef[] {
  const read = readParameters(packages);
  const { definitions, skipped, mistakes } = readCustom(read.found);
  const all = [...read.mistakes, ...mistakes];
  if (all.length > 0) throw new CommandProblem(all.join('\n'), exits.configuration);
  if (skipped.length > 0) log('info', 'search parameters were left out (KINDRED_LOG=debug says why)', { count: skipped.length });
  for (const why of skipped) log('debug', 'left out', { why });
  return definitions;
}

/** A store as it is carried to another, or as another is carried into it. */
export async function openTransfer(address: StoreAddress, role: 'source' | 'target', packages: readonly string[] = []): Promise<Transfer> {
  const more = parametersOf(packages, makeLog('warn'));
  const registry = buildRegistry(undefined, more);
  const progress = (text: string): void => void process.stderr.write(`${text}\n`);
  const parts = { paramsOf: (type: string) => registry.paramsOf(type), resourceOf: storedResource, patience: 10_000, progress };
  const transfer = await openStoreTransfer(address, role, parts);
  try {
    if (role === 'source') await refuseUnindexed(transfer, fingerprintsOf([...searchParameters, ...more]));
    return transfer;
  } catch (error) {
    await transfer.close();
    throw error;
  }
}
