import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Caller } from './access/caller.ts';
import { makeRules } from './access/rules/index.ts';
import { parseScopes } from './access/scope.ts';
import { linkHash } from './audit/chain.ts';
import { auditEntry, auditRecord, storedResource } from './audit/event.ts';
import { issueToken } from './auth/issue.ts';
import { sharedSecret, signingKey } from './auth/keys.ts';
import { makeVerifier } from './auth/verify.ts';
import { type App, CommandProblem, exits, type Running } from './cli/command.ts';
import type { Config } from './config.ts';
import { type SearchParameterDef, searchParameters } from './fhir/definitions/definitions.ts';
import { countRefusals } from './http/refusals.ts';
import { sendBroken } from './http/response.ts';
import { makeServer } from './http/server.ts';
import { activateConsent } from './interaction/activate.ts';
import { makeGrantCache } from './interaction/facts.ts';
import type { Interaction } from './interaction/interaction.ts';
import { makeInteractions } from './interaction/interactions.ts';
import type { Parts } from './interaction/parts.ts';
import { openReindexer, type Reindexer } from './interaction/reindex.ts';
import { refuseUnindexed } from './interaction/reindex-job.ts';
import { note, routeFor, run, runInteraction } from './interaction/run.ts';
import { makeLog, type WriteLog } from './log.ts';
import { readParameters } from './packages.ts';
import { readCustom } from './search/custom.ts';
import { fingerprintsOf } from './search/fingerprint.ts';
import { buildRegistry, type Registry } from './search/registry.ts';
import type { StoreAddress } from './store/address.ts';
import { openStore, openTransfer as openStoreTransfer } from './store/open.ts';
import { guardedBy } from './store/pending.ts';
import type { Change, ResourceStore } from './store/store.ts';
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

/** What is not answered so long after a stop was asked for is cut off. */
const DRAIN_MS = 20_000;

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
  const key = await signingKey(store, now());
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
  const interactions = makeInteractions(parts, secret, config.auth);
  return {
    config,
    store,
    url,
    log,
    now,
    parts,
    verify: makeVerifier(
      store,
      key,
      () => url,
      () => Date.parse(now()),
    ),
    open: openCaller,
    issue: request => issueToken(request, { store, key, url, now: now(), newId: randomUUID }),
    run: (request, caller, routed = routeFor(request)) => run(routed, request, caller, parts, interactions),
    activate: (id, version, person) =>
      runInteraction(
        activateConsent(id, version, person.who, parts.base) as Interaction,
        { method: 'POST', path: ['Consent', id], query: [], headers: {} },
        person,
        parts,
      ),
    async close() {
      await reindexer.close();
      await store.close();
    },
  };
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

/** Listens, then opens everything: until then every request is answered 503. */
export async function serve(config: Config): Promise<Running> {
  let listener: RequestListener = (_request, response) => void response.writeHead(503, { 'Retry-After': '1' }).end();
  let draining = false;
  const underWay = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    underWay.add(response);
    response.once('close', () => underWay.delete(response));
    if (draining) response.shouldKeepAlive = false;
    // While the running requests end, whoever asks hears that there is no more to be had here (`/readyz` answers itself).
    if (draining && request.url?.startsWith('/fhir')) response.writeHead(503, { 'Retry-After': '1' }).end();
    else listener(request, response);
  }).on('clientError', sendBroken);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.port, config.host, resolve));
  const { port } = server.address() as AddressInfo;
  const url = config.url ?? `http://localhost:${port}`;
  const app = await openApp(config, { url }).catch(error => {
    server.close();
    throw error;
  });
  app.parts.reindexer.watch();
  await app.store.commit([{ op: 'document', kind: 'note', id: 'url', value: url }], app.now());
  const refusals = countRefusals();
  const flush = async (all: boolean): Promise<void> => {
    const lines = refusals.due(Date.parse(app.now()), all);
    if (lines.length > 0)
      await app.store.commit(
        lines.map(line => refusalEvent(app, line)),
        app.now(),
      );
  };
  const timer = setInterval(() => void flush(false).catch(error => app.log('error', 'refusals were not logged', { error: String(error) })), 10_000).unref();
  listener = makeServer({
    verify: config.auth ? app.verify : undefined,
    open: openCaller,
    maxBody: config.maxBody,
    route: routeFor,
    run: (routed, request, caller) => app.run(request, caller, routed),
    note: (error, request, caller) => note(error, request, caller, app.parts),
    refused: address => refusals.note(address, Date.parse(app.now())),
    log: entry => logRequest(app.log, entry),
    ready: async () =>
      !draining &&
      (await app.store.ready().then(
        () => true,
        () => false,
      )),
  });
  if (!config.auth) app.log('warn', 'open mode: everybody who reaches this address may read and change everything', { url });
  const stop = async (): Promise<void> => {
    draining = true;
    clearInterval(timer);
    // Who is being answered is told to come back on another connection, and does not hold this one open.
    for (const response of underWay) response.shouldKeepAlive = false;
    const patience = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    while (underWay.size > 0) await new Promise(resolve => setTimeout(resolve, 20));
    await new Promise<void>(resolve => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
    clearTimeout(patience);
    await flush(true);
    await app.close();
  };
  return { app, url, server, stop };
}

function refusalEvent(app: App, { address, count, since }: { address: string; count: number; since: number }): Change {
  const record = auditRecord({
    id: randomUUID(),
    at: new Date(since).toISOString(),
    code: 'unauthenticated',
    outcome: '8',
    why: 'no valid access token',
    address,
    server: `${app.url}/fhir`,
    request: 'summed up',
    touched: [],
    reasons: [],
    count,
  });
  return { op: 'event', ...auditEntry(record) };
}

function logRequest(
  log: WriteLog,
  { status, method, what, ms, problem }: { status: number; method: string; what: string; ms: number; problem?: { code: string; cause?: unknown } },
): void {
  const cause = status < 500 || problem?.cause === undefined ? {} : { cause: causeOf(problem.cause, problem.code === 'exception') };
  log(status >= 500 ? 'error' : 'debug', 'request', { status, method, what, ms, ...(problem === undefined ? {} : { problem: problem.code }), ...cause });
}
/** A fault of ours with all that is known; of what a database says only the kind: its words may hold what was stored. */
function causeOf(cause: unknown, whole: boolean): string {
  if (!(cause instanceof Error)) return String(cause);
  if (whole) return cause.stack ?? cause.message;
  const { name, code } = cause as Error & { readonly code?: unknown };
  return code === undefined ? name : `${name} ${String(code)}`;
}
