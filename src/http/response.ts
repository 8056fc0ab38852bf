import { Buffer } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { outcomeOf } from '../fhir/outcome.ts';
import { Problem, problems } from '../fhir/problem.ts';
import type { Answer } from '../interaction/interaction.ts';
import { printBody } from '../interaction/print.ts';

const TYPE = 'application/fhir+json; charset=utf-8';
const fixed = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', Vary: 'Accept, Authorization, Prefer' };

/** What the client prefers to be told of a write: http://hl7.org/fhir/R4/http.html#ops */
type Return = 'minimal' | 'representation' | 'OperationOutcome';
const returnOf = (prefer: string | undefined): Return | undefined =>
  /return=(minimal|representation|OperationOutcome)/.exec(prefer ?? '')?.[1] as Return | undefined;

/** Answer → HTTP. */
export function sendAnswer(
  response: ServerResponse,
  answer: Answer,
  options: { readonly head: boolean; readonly prefer?: string | undefined; readonly wrote: boolean },
): void {
  const preferred = options.wrote ? returnOf(options.prefer) : undefined;
  const body =
    preferred === 'minimal'
      ? undefined
      : preferred === 'OperationOutcome'
        ? { resource: { resourceType: 'OperationOutcome', issue: [{ severity: 'information', code: 'informational', diagnostics: 'done' }] } }
        : answer.body;
  // 204 is an answer without a body.
  const status = answer.status === 204 && body !== undefined ? 200 : answer.status;
  send(response, status, answer.headers ?? {}, answer.status === 304 || body === undefined ? undefined : printBody(body), options.head);
}

/** A Problem as an OperationOutcome; anything else is ours, and says nothing of itself. Gives back what it became, for the log. */
export function sendProblem(response: ServerResponse, error: unknown, head: boolean): Problem {
  const problem = error instanceof Problem ? error : new Problem('exception', 'something went wrong here; it has been noted', { cause: error });
  send(response, problems[problem.code].status, problem.headers, Buffer.from(JSON.stringify(outcomeOf(problem))), head);
  return problem;
}

const broken: Readonly<Record<string, readonly [status: string, code: 'too-long' | 'structure', text: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'too-long', 'the address and headers are too long: send a long search as POST to _search'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'structure', 'the request took too long to arrive'],
};
/** An answer to what is not even HTTP, for which Node makes no request. */
export function sendBroken(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, code, text] = broken[error.code ?? ''] ?? ['400 Bad Request', 'structure', 'this is not a well-formed HTTP/1.1 request'];
  const body = JSON.stringify(outcomeOf(new Problem(code, text)));
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: ${TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: Uint8Array | undefined, head: boolean): void {
  if (response.headersSent || response.destroyed) return;
  const content = body === undefined ? {} : { 'Content-Type': TYPE, 'Content-Length': String(body.length) };
  response.writeHead(status, { ...fixed, ...content, ...headers });
  response.end(head ? undefined : body);
}
