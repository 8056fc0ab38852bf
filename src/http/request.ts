import type { IncomingMessage } from 'node:http';
import { parseJson } from '../fhir/json.ts';
import { Problem } from '../fhir/problem.ts';
import { readPath } from '../interaction/address.ts';
import type { FhirRequest, Method } from '../interaction/interaction.ts';

/** The headers that interactions look at. Of the lists among them several are one. */
const kept = ['if-match', 'if-none-exist', 'if-none-match', 'if-modified-since', 'prefer'];
const lists = ['if-none-match', 'prefer'];
const jsonTypes = /^application\/(fhir\+json|json|json\+fhir)\s*(;|$)/i;
const formType = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** The start of a request: all that is known before its body is read. Throws Problem for a path that cannot be decoded, or a format we do not write. */
export function readHead(message: IncomingMessage, base: string): FhirRequest {
  const [path = '', ...query] = (message.url ?? '').slice(base.length).split('?');
  const method = message.method === 'HEAD' ? 'GET' : message.method;
  const parameters = [...new URLSearchParams(query.join('?'))];
  checkFormat(message.headers.accept, parameters);
  return {
    method: method as Method,
    path: readPath(path),
    query: parameters,
    headers: Object.fromEntries(kept.flatMap(name => readHeader(name, message.headersDistinct[name] ?? []))),
  };
}
function readHeader(name: string, values: readonly string[]): readonly (readonly [string, string])[] {
  if (values.length > 1 && !lists.includes(name)) throw new Problem('invalid', `the header \`${name}\` is given more than once`);
  return values.length === 0 ? [] : [[name, values.join(', ')]];
}
/** JSON is what we write: `_format` wins over Accept (http://hl7.org/fhir/R4/http.html#parameters). */
function checkFormat(accept: string | undefined, query: FhirRequest['query']): void {
  const format = query.find(([name]) => name === '_format')?.[1];
  if (format !== undefined) {
    if (!/^(json|text\/json|application\/(fhir\+)?json)/i.test(format.replace(' ', '+')))
      throw new Problem('not-acceptable', `\`_format=${format.slice(0, 40)}\` is not available; json is`);
    return;
  }
  if (accept === undefined || accept.trim() === '') return;
  if (!/(\*\/\*|application\/\*|application\/(fhir\+)?json)/i.test(accept))
    throw new Problem('not-acceptable', `\`${accept.slice(0, 80)}\` is not available; application/fhir+json is`);
}

/** The body's bytes. Throws Problem 'too-long' as soon as the limit is passed, 'media-type' for a compressed body, 'structure' for one that breaks off. */
export async function readBytes(message: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = message.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Problem('media-type', `the body must be sent as it is, not as \`${encoding.slice(0, 80)}\``);
  const tooLong = (): Problem => new Problem('too-long', `the body is larger than the ${limit} bytes that are taken`);
  if (Number(message.headers['content-length'] ?? 0) > limit) throw tooLong();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroying the message would take the connection away, and the answer with it.
    for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit) throw tooLong();
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof Problem ? cause : new Problem('structure', 'the body broke off', { cause });
  }
  return Buffer.concat(chunks);
}

/** So much of a refused body is read, so that its sender comes to read the answer. */
const PATIENCE = 1_048_576;

/** Reads what is left of a body and forgets it; hangs up where that is too much. */
export function discardBody(message: IncomingMessage): void {
  let left = PATIENCE;
  message.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) message.socket.destroy();
  });
  message.resume();
}

/** Head and body → the request. A `_search` form joins the query; anything else must be JSON in UTF-8. */
export function withBody(head: FhirRequest, type: string | undefined, bytes: Buffer): FhirRequest {
  if (head.method !== 'POST' && head.method !== 'PUT') return head;
  if (head.path.at(-1) === '_search') {
    if (bytes.length > 0 && !formType.test(type ?? '')) throw new Problem('media-type', 'a POST to _search takes application/x-www-form-urlencoded');
    const query = [...head.query, ...new URLSearchParams(bytes.toString('utf8'))];
    checkFormat(undefined, query);
    return { ...head, query };
  }
  // An operation may need no parameters.
  if (bytes.length === 0 && head.path.at(-1)?.startsWith('$')) return head;
  if (bytes.length === 0) throw new Problem('required', 'the request needs a body');
  if (!jsonTypes.test(type ?? ''))
    throw new Problem('media-type', `the body must be application/fhir+json, not \`${(type ?? 'without a type').slice(0, 80)}\``);
  return { ...head, body: parseJson(textOf(bytes)) };
}
const utf8 = new TextDecoder('utf-8', { fatal: true });
function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Problem('structure', 'the body is not UTF-8');
  }
}
