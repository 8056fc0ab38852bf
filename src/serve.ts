import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openApp, openCaller } from './app.ts';
import { auditEntry, auditRecord } from './audit/event.ts';
import type { App, Running } from './cli/command.ts';
import type { Config } from './config.ts';
import { makeEntrance } from './entrance.ts';
import { addressOf } from './http/address.ts';
import { countRefusals } from './http/refusals.ts';
import { sendBroken } from './http/response.ts';
import { makeServer } from './http/server.ts';
import { note, routeFor } from './interaction/run.ts';
import type { WriteLog } from './log.ts';
import type { Change } from './store/store.ts';

/** What is not answered so long after a stop was asked for is cut off. */
const DRAIN_MS = 20_000;

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
    if (draining && !/^\/(readyz|healthz)/.test(request.url ?? '')) response.writeHead(503, { 'Retry-After': '1' }).end();
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
  const timer = setInterval(() => {
    flush(false).catch(error => app.log('error', 'refusals were not logged', { error: String(error) }));
    sweep(app).catch(error => app.log('error', 'what has expired was not swept away', { error: String(error) }));
  }, 10_000).unref();
  const refused = (address: string): void => refusals.note(address, Date.parse(app.now()));
  listener = makeServer({
    verify: config.auth ? app.verify : undefined,
    open: openCaller,
    maxBody: config.maxBody,
    route: routeFor,
    run: (routed, request, caller) => app.run(request, caller, routed),
    note: (error, request, caller) => note(error, request, caller, app.parts),
    addressOf: message => addressOf(message, config.proxies),
    ...(config.auth ? { entrance: await makeEntrance(app, refused, entry => logRequest(app.log, entry)) } : {}),
    refused,
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

/** Takes away what has expired, a part at a time. */
const SWEPT = 1000;
async function sweep(app: App): Promise<void> {
  while ((await app.store.sweep(Date.parse(app.now()), SWEPT)) === SWEPT) await new Promise(resolve => setTimeout(resolve, 50));
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
