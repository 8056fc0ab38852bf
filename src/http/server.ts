import type { IncomingMessage, ServerResponse } from 'node:http';
import express from 'express';
import type { Caller } from '../access/caller.ts';
import { Problem } from '../fhir/problem.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import type { Routed } from '../interaction/table.ts';
import { authenticate, type VerifyToken } from './authenticate.ts';
import { allowAnyOrigin } from './cors.ts';
import { limitByAddress } from './limit.ts';
import { publish } from './published.ts';
import { discardBody, readBytes, readHead, withBody } from './request.ts';
import { sendAnswer, sendProblem } from './response.ts';

/** What the server needs of the rest. */
export interface Doors {
  /** Undefined: open mode, everybody is this caller. */
  readonly verify: VerifyToken | undefined;
  readonly open: Caller;
  readonly maxBody: number;
  /** The interaction of a head, before its body is read; throws Problem 405 for what nobody may do. */
  route(head: FhirRequest): Routed;
  run(routed: Routed, request: FhirRequest, caller: Caller): Promise<Answer>;
  /** Puts into the log what ended a request of this caller, unless it is there. */
  note(error: unknown, request: FhirRequest, caller: Caller): Promise<void>;
  /** Who asks. */
  addressOf(message: IncomingMessage): string;
  /** Everything about getting in; absent in open mode. */
  readonly entrance?: Entrance;
  /** Somebody came without a valid token. */
  refused(address: string): void;
  /** A line for the operator; never content, never a token. */
  log(entry: { readonly status: number; readonly method: string; readonly what: string; readonly ms: number; readonly problem?: Problem }): void;
  ready(): Promise<boolean>;
}

/** The way in: what is known of it, the authorization server under `/auth`, and the pages for people. */
export interface Entrance {
  /** JSON documents that anybody may read, by their paths. */
  readonly published: Readonly<Record<string, () => object | Promise<object>>>;
  authorize(message: IncomingMessage, response: ServerResponse): Promise<void>;
  readonly pages: express.Router;
}

/** The whole server as an Express application. */
export function makeServer(doors: Doors): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    const ready = await doors.ready();
    response.status(ready ? 200 : 503).json({ ready });
  });
  app.use('/fhir', allowAnyOrigin);
  if (doors.entrance !== undefined) enter(app, doors.entrance, doors);
  app.use('/fhir', (message: IncomingMessage, response: ServerResponse) => void answer(message, response, doors));
  app.use((message: IncomingMessage, response: ServerResponse) => {
    sendProblem(response, new Problem('not-found', 'there is nothing here; FHIR is at /fhir'), message.method === 'HEAD');
  });
  return app;
}

/** What writes something down for anybody who comes. */
const limited = ['/auth/authorize', '/auth/register', '/auth/launch', '/sign-in', '/sign-in/passkey', '/sign-in/second', '/sign-up', '/passkeys/challenge'];

function enter(app: express.Express, { published, authorize, pages }: Entrance, { addressOf }: Doors): void {
  app.all(limited, limitByAddress(addressOf));
  for (const [path, document] of Object.entries(published)) app.get(path, allowAnyOrigin, publish(document));
  // RFC 8414 §3.1: the metadata of an issuer with a path.
  app.get('/.well-known/oauth-authorization-server/auth', (request, response) => {
    request.url = '/.well-known/oauth-authorization-server';
    request.originalUrl = `/auth${request.url}`;
    return authorize(request, response);
  });
  app.use((request, response, next) => (request.path.startsWith('/fhir') || !isPage(request.path) ? next() : pages(request, response, next)));
  app.use('/auth', (request: IncomingMessage, response: ServerResponse) => authorize(request, response));
}
/** Of the authorization server's addresses only its questions to a person are pages. */
const isPage = (path: string): boolean => !path.startsWith('/auth/') || path.startsWith('/auth/interaction/');

/** What a POST may be that writes nothing itself. */
const unwritten: readonly Routed['code'][] = ['search-type', 'search-system', 'batch'];

/** One FHIR request from its first byte to its last: the only place that answers, and the only catch that does. */
async function answer(message: IncomingMessage, response: ServerResponse, doors: Doors): Promise<void> {
  const started = performance.now();
  const head = message.method === 'HEAD';
  let what = 'unrouted';
  let noting: ((error: unknown) => Promise<void>) | undefined;
  const done = (status: number, problem?: Problem): void =>
    doors.log({ status, method: message.method ?? '', what, ms: Math.round(performance.now() - started), ...(problem === undefined ? {} : { problem }) });
  try {
    // Express has cut the mount path off `url` already.
    const request = readHead(message, '');
    const open = request.path.length === 1 && request.path[0] === 'metadata';
    const caller = open || doors.verify === undefined ? doors.open : await authenticate(message, doors.verify, doors.addressOf(message));
    if (!open) noting = error => doors.note(error, request, caller);
    const routed = doors.route(request);
    what = routed.type === undefined ? routed.code : `${routed.code} ${routed.type}`;
    const bytes = request.method === 'POST' || request.method === 'PUT' ? await readBytes(message, doors.maxBody) : Buffer.alloc(0);
    const result = await doors.run(routed, withBody(request, message.headers['content-type'], bytes), caller);
    sendAnswer(response, result, {
      head,
      prefer: request.headers.prefer,
      wrote: request.method !== 'GET' && !unwritten.includes(routed.code),
    });
    done(result.status);
  } catch (caught) {
    const error = await noted(caught, noting);
    const problem = sendProblem(response, error, head);
    if (problem.code === 'login') doors.refused(doors.addressOf(message));
    if (!message.complete) discardBody(message);
    done(response.statusCode, problem);
  }
}

/** What ends a request of somebody known is in the log before it is answered; where it cannot be, that is the answer. */
async function noted(error: unknown, note: ((error: unknown) => Promise<void>) | undefined): Promise<unknown> {
  try {
    await note?.(error);
    return error;
  } catch (failure) {
    return failure;
  }
}
