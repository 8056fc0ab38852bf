import { Buffer } from 'node:buffer';
import { printJson } from '../fhir/json.ts';
import type { Body, Entry } from './interaction.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');

/** The bytes of an answer. Stored bodies are spliced in as they are: nothing stored is parsed or printed again. */
export function printBody(body: Body): Uint8Array {
  if ('raw' in body) return body.raw;
  if ('resource' in body) return bytes(printJson(body.resource));
  const head = printJson({ resourceType: 'Bundle', ...body.bundle });
  if (body.entries.length === 0) return bytes(head);
  const parts: Uint8Array[] = [bytes(`${head.slice(0, -1)},"entry":[`)];
  for (const [index, entry] of body.entries.entries()) {
    if (index > 0) parts.push(bytes(','));
    parts.push(...printEntry(entry));
  }
  parts.push(bytes(']}'));
  return Buffer.concat(parts);
}

/** `{"fullUrl":…,"resource":<bytes>,"search":…,"request":…,"response":…}`, absent members left out. */
function printEntry({ fullUrl, body, search, request, response }: Entry): Uint8Array[] {
  const rest = printJson({ search, request, response }).slice(1);
  const first = fullUrl === undefined ? '{' : `{"fullUrl":${JSON.stringify(fullUrl)}`;
  const comma = (text: string): string => (text === '{' || rest === '}' ? '' : ',');
  if (body === undefined) return [bytes(`${first}${comma(first)}${rest}`)];
  const resource = body instanceof Uint8Array ? body : bytes(printJson(body));
  return [bytes(`${first}${first === '{' ? '' : ','}"resource":`), resource, bytes(`${rest === '}' ? '' : ','}${rest}`)];
}
