import type { IncomingMessage } from 'node:http';
import { Problem } from '../fhir/problem.ts';

/** The largest form: the answer of a passkey is a few kilobytes. */
export const LARGEST_FORM = 65_536;
const formType = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** A form's fields. Throws Problem 'media-type', 'too-long' as soon as the limit is passed, 'structure' where it breaks off or is not UTF-8. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (!formType.test(request.headers['content-type'] ?? '') || (request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new Problem('media-type', 'a form is application/x-www-form-urlencoded');
  const tooLong = (): Problem => new Problem('too-long', `a form is at most ${LARGEST_FORM} bytes long`);
  if (Number(request.headers['content-length'] ?? 0) > LARGEST_FORM) throw tooLong();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Destroying the message would take the connection away, and the answer with it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST_FORM) throw tooLong();
      chunks.push(chunk);
    }
  } catch (cause) {
    throw cause instanceof Problem ? cause : new Problem('structure', 'the form broke off', { cause });
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}

/** So much of a refused body is read, so that its sender comes to read the answer. */
const PATIENCE = 1_048_576;
/** Reads what is left of a body and forgets it; hangs up where that is too much. */
export function discardForm(request: IncomingMessage): void {
  let left = PATIENCE;
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.socket.destroy();
  });
  request.resume();
}
