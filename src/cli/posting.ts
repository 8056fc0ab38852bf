import type { Caller } from '../access/caller.ts';
import { printJson } from '../fhir/json.ts';
import { outcomeOf } from '../fhir/outcome.ts';
import { Problem, problems } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { FhirRequest } from '../interaction/interaction.ts';
import { printBody } from '../interaction/print.ts';
import { type App, CommandProblem } from './command.ts';

export interface Posted {
  /** Types of what was written, one for each resource. */
  readonly written: readonly string[];
  readonly refused: readonly { readonly what: string; readonly why: string }[];
}
/** Sends one resource or Bundle. */
export type Post = (resource: Resource) => Promise<Posted>;

/** Sends a request and gives back status and body. */
type Send = (request: FhirRequest) => Promise<{ readonly status: number; readonly body: Resource | undefined }>;

/** Takes the road in this process. */
export const runWith = (app: App, caller: Caller): Post =>
  poster(async request => {
    try {
      const { status, body } = await app.run(request, caller);
      return { status, body: body === undefined ? undefined : (JSON.parse(Buffer.from(printBody(body)).toString('utf8')) as Resource) };
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'exception') throw error;
      return { status: problems[error.code].status, body: outcomeOf(error) };
    }
  });

/** Sends it to a server. */
export const postTo = (url: string, token: string | undefined): Post =>
  poster(async ({ method, path, body }) => {
    const address = [url, ...path].join('/');
    const response = await fetch(address, {
      method,
      headers: {
        'Content-Type': 'application/fhir+json',
        Accept: 'application/fhir+json',
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      body: printJson(body),
    }).catch(error => {
      throw new CommandProblem(
        `\`${address}\` cannot be reached: ${error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)}`,
      );
    });
    return { status: response.status, body: (await response.json().catch(() => undefined)) as Resource | undefined };
  });

interface RawEntry {
  readonly resource?: Resource;
  readonly request?: { readonly method?: string; readonly url?: string };
  readonly response?: { readonly status?: string; readonly outcome?: Resource };
}
const entriesOf = (bundle: Resource | undefined): readonly RawEntry[] =>
  Array.isArray(bundle?.entry) ? bundle.entry.map((entry: RawEntry | null) => entry ?? {}) : [];
const nameOf = (resource: Resource | undefined): string => `${resource?.resourceType ?? 'no resource'}${resource?.id === undefined ? '' : `/${resource.id}`}`;

function poster(send: Send): Post {
  const post: Post = async resource => {
    if (typeof resource?.resourceType !== 'string') return { written: [], refused: [{ what: 'a line or file', why: 'it is no resource' }] };
    if (resource.resourceType !== 'Bundle') return single(resource, send);
    if (resource.type === 'transaction' || resource.type === 'batch') return whole(resource, send);
    const each = [];
    for (const entry of entriesOf(resource)) if (entry.resource !== undefined) each.push(await post(entry.resource));
    return { written: each.flatMap(one => one.written), refused: each.flatMap(one => one.refused) };
  };
  return post;
}
async function single(resource: Resource, send: Send): Promise<Posted> {
  const { resourceType: type } = resource;
  // An id of another sort is for the server to refuse.
  const id = typeof resource.id === 'string' ? resource.id : undefined;
  const { status, body } = await send({
    method: id === undefined ? 'POST' : 'PUT',
    path: id === undefined ? [type] : [type, id],
    query: [],
    headers: {},
    body: resource,
  });
  return status < 300 ? { written: [type], refused: [] } : { written: [], refused: [{ what: nameOf(resource), why: reasonOf(status, body) }] };
}
async function whole(bundle: Resource, send: Send): Promise<Posted> {
  const sent = entriesOf(bundle);
  const { status, body } = await send({ method: 'POST', path: [], query: [], headers: {}, body: bundle });
  if (status >= 300) return { written: [], refused: [{ what: `${String(bundle.type)} of ${sent.length} entries`, why: reasonOf(status, body) }] };
  const written: string[] = [];
  const refused: { what: string; why: string }[] = [];
  for (const [index, answer] of entriesOf(body).entries()) {
    const code = answer.response?.status ?? '';
    const entry = sent[index];
    if (code.startsWith('2')) {
      // 200 to a POST: a conditional create found it there.
      if (entry?.resource !== undefined && !(entry.request?.method === 'POST' && code.startsWith('200'))) written.push(entry.resource.resourceType);
    } else refused.push({ what: nameOf(entry?.resource), why: reasonOf(Number(code.slice(0, 3)), answer.response?.outcome) });
  }
  return { written, refused };
}
function reasonOf(status: number, outcome: Resource | undefined): string {
  const issues = Array.isArray(outcome?.issue) ? (outcome.issue as { diagnostics?: string; expression?: string[] }[]) : [];
  const texts = issues.map(issue => [issue.diagnostics, ...(issue.expression ?? [])].filter(Boolean).join(' at '));
  return texts.length > 0 ? texts.join('; ') : `status ${status}`;
}
