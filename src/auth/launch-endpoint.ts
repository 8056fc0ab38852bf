import type { IncomingMessage, ServerResponse } from 'node:http';
import { Ajv } from 'ajv';
import type { Caller } from '../access/caller.ts';
import { parseJson } from '../fhir/json.ts';
import { Problem, problems } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import { printBody } from '../interaction/print.ts';
import type { Client } from './client.ts';
import { type Launch, type LaunchParts, makeLaunch } from './launch.ts';
import type { Verify } from './verify.ts';

const id = { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' };
const text = { type: 'string', minLength: 1, maxLength: 200 };
const check = new Ajv().compile({
  type: 'object',
  required: ['client'],
  additionalProperties: false,
  properties: { client: text, account: text, patient: id, encounter: id, intent: text, need_patient_banner: { type: 'boolean' } },
});
const MAX_BODY = 10_000;

interface LaunchEndpointParts extends LaunchParts {
  readonly verify: Verify;
  /** The one road. */
  run(request: FhirRequest, caller: Caller): Promise<Answer>;
  addressOf(message: IncomingMessage): string;
  /** Somebody was refused of whom nothing is known. */
  refused(address: string): void;
}

/**
 * `POST /auth/launch`: an EHR, whose client is registered with `launch: true`, makes a `launch` value for an app that it is about to open. JSON in and out;
 * refusals in the words of RFC 6749.
 */
export async function answerLaunch(request: IncomingMessage, response: ServerResponse, parts: LaunchEndpointParts): Promise<void> {
  const address = parts.addressOf(request);
  let client: string | undefined;
  try {
    if (request.method !== 'POST') throw new Problem('not-allowed', 'a launch is made by POST', { headers: { Allow: 'POST' } });
    const token = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Problem('login', 'an access token is needed', { headers: { 'WWW-Authenticate': 'Bearer realm="kindred"' } });
    const caller = { ...(await parts.verify(token)), address };
    client = caller.client;
    const registered = (await parts.store.document('client', caller.client)) as Client | undefined;
    if (caller.kind !== 'system' || registered?.launch !== true) throw new Problem('forbidden', 'this client does not launch apps');
    const launch = await readLaunch(request);
    const by = {
      client: caller.client,
      ...(caller.organization === undefined ? {} : { organization: caller.organization }),
      read: (type: string, id: string) => readAs(caller, type, id, parts),
    };
    send(response, 201, { launch: await makeLaunch(launch, parts, by), expires_in: 600 });
  } catch (error) {
    const problem = error instanceof Problem ? error : new Problem('exception', 'something went wrong here', { cause: error });
    for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
    const { status } = problems[problem.code];
    if (client === undefined) parts.refused(address);
    else await parts.store.commit(parts.note({ code: 'launch', outcome: status === 403 ? '8' : '4', client, address, why: problem.message }), parts.now());
    send(response, status, { error: errors[status] ?? 'invalid_request', error_description: problem.message });
  }
}
/** The resource, where the EHR may read it: what is hidden from it and what is not there are alike. */
async function readAs(caller: Caller, type: string, id: string, { run }: LaunchEndpointParts): Promise<Resource | undefined> {
  try {
    const { body } = await run({ method: 'GET', path: [type, id], query: [], headers: {} }, caller);
    return body === undefined ? undefined : (parseJson(Buffer.from(printBody(body)).toString('utf8')) as Resource);
  } catch (error) {
    if (error instanceof Problem && ['not-found', 'deleted', 'forbidden'].includes(error.code)) return undefined;
    throw error;
  }
}
const errors: Readonly<Record<number, string>> = { 401: 'invalid_token', 403: 'access_denied', 500: 'server_error', 503: 'temporarily_unavailable' };

async function readLaunch(request: IncomingMessage): Promise<Launch> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new Problem('too-long', 'the body is too large');
    chunks.push(chunk);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Problem('structure', 'the body is not JSON');
  }
  if (!check(body)) throw new Problem('value', (check.errors ?? []).map(({ instancePath, message }) => `${instancePath || '/'}: ${message}`).join('; '));
  return body as Launch;
}
function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}
