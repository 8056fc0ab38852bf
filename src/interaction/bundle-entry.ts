import { Problem } from '../fhir/problem.ts';
import { nameOf, type Resource } from '../fhir/types.ts';
import type { Version } from '../store/store.ts';
import { readPath } from './address.ts';
import { isId, readBody, readIfMatch } from './body.ts';
import type { Draft, Entry, FhirRequest, Method } from './interaction.ts';
import { versionHeaders } from './read.ts';

/** An entry of a batch or transaction, freed of FHIR's shape. */
export interface BundleEntry extends FhirRequest {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly ifMatch?: string;
}
interface RawEntry {
  readonly fullUrl?: string;
  readonly resource?: Resource;
  readonly request?: {
    readonly method?: string;
    readonly url?: string;
    readonly ifMatch?: string;
    readonly ifNoneExist?: string;
    readonly ifNoneMatch?: string;
    readonly ifModifiedSince?: string;
  };
}
const methods: readonly string[] = ['GET', 'POST', 'PUT', 'DELETE'] satisfies Method[];

/** A Problem that says in which entry it is; any other error as it is. */
export function inEntry(index: number, error: unknown): unknown {
  if (!(error instanceof Problem)) return error;
  const at = `Bundle.entry[${index}]`;
  const issues = error.issues.map(issue => ({
    ...issue,
    text: `entry ${index}: ${issue.text}`,
    expression: issue.expression === undefined ? at : `${at}.resource${issue.expression.replace(/^[^.[]+/, '')}`,
  }));
  return new Problem(error.code, `entry ${index}: ${error.message}`, { issues, headers: error.headers, cause: error });
}

/** Runs it, and says of any Problem in which entry it is. */
export function locate<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw inEntry(index, error);
  }
}

/** `Patient/1?x=y`, or the same under the base → path and query. */
export function readUrl(url: string, base: string): Pick<FhirRequest, 'path' | 'query'> {
  const local = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : url.replace(/^\//, '');
  const [path = '', ...query] = local.split('?');
  if (/^[a-z]+:/i.test(path)) throw new Problem('value', `\`${url.slice(0, 120)}\` is not under this server's base ${base}`);
  return { path: readPath(path), query: [...new URLSearchParams(query.join('?'))] };
}

/** What is sent may be of any shape: these are read as texts. */
function checkTexts({ request = {}, fullUrl }: RawEntry): void {
  for (const [name, value] of Object.entries({ ...request, fullUrl }))
    if (value !== undefined && typeof value !== 'string') throw new Problem('structure', `\`${name.slice(0, 80)}\` must be a text`);
}

/** Throws for what is not possible at all, whoever asks: no such type, 405. */
export type Check = (request: FhirRequest) => unknown;

/**
 * One raw entry → what it asks for. Of a transaction (it comes with a `check`) only what can be in one commit is allowed, and its body is checked once the
 * interaction is. Throws Problem.
 */
export function readEntry(raw: RawEntry, base: string, check?: Check): BundleEntry {
  const { request, resource } = raw;
  checkTexts(raw);
  if (request?.method === undefined || request.url === undefined)
    throw new Problem('required', 'a batch or transaction entry needs request.method and request.url');
  if (!methods.includes(request.method)) throw new Problem('unsupported', `\`${request.method}\` is not supported in a Bundle; ${methods.join(', ')} are`);
  const method = request.method as Method;
  const { path, query } = readUrl(request.url, base);
  // A GET of the base is a search of the whole server.
  if (path.length === 0 && method !== 'GET')
    throw new Problem('unsupported', `\`${request.url.slice(0, 120)}\` names no resource: a Bundle holds no other batch or transaction`);
  const headers = Object.fromEntries(
    [
      ['if-match', request.ifMatch],
      ['if-none-exist', request.ifNoneExist],
      ['if-none-match', request.ifNoneMatch],
      ['if-modified-since', request.ifModifiedSince],
    ].filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const ifMatch = readIfMatch(request.ifMatch);
  const entry = { method, path, query, headers, ...(raw.fullUrl === undefined ? {} : { fullUrl: raw.fullUrl }), ...(ifMatch === undefined ? {} : { ifMatch }) };
  if (check !== undefined && method !== 'GET') {
    if (path.length !== (method === 'POST' ? 1 : 2) || query.length > 0)
      throw new Problem('unsupported', `${method} \`${request.url.slice(0, 120)}\` is not supported in a transaction`);
    if (method !== 'POST' && !isId(path[1]!)) throw new Problem('value', `\`${path[1]!.slice(0, 80)}\` is no id`);
  }
  check?.(entry);
  if (method === 'GET' || method === 'DELETE') return entry;
  if (resource === undefined) throw new Problem('required', `a ${method} entry needs a resource`);
  if (check === undefined) return { ...entry, body: resource };
  const checked = readBody(resource, path[0]!);
  if (method === 'PUT' && checked.id !== path[1]) throw new Problem('invalid', `the id in the resource must be \`${path[1]}\`, as in request.url`);
  return { ...entry, resource: checked };
}

/** The response entry of a write: http://hl7.org/fhir/R4/http.html#transaction-response */
export function entryOutcome(version: Version, draft: Draft, readable: boolean, base: string): Entry {
  const created = draft.op === 'put' && draft.action === 'create';
  const status = draft.op === 'delete' ? '204 No Content' : created ? '201 Created' : '200 OK';
  const name = nameOf(version.key);
  return {
    ...(readable && !version.deleted ? { fullUrl: `${base}/${name}`, body: version.body } : {}),
    response: { status, location: `${base}/${name}/_history/${version.versionId}`, etag: versionHeaders(version).ETag!, lastModified: version.lastUpdated },
  };
}
