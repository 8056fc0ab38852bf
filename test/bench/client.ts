import { connect } from 'node:net';

/** One request, as bytes. */
export type Ask = (at: number) => Buffer;
export interface Answered {
  /** Milliseconds from the first byte sent to the last received, of every request. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}
const END_OF_HEAD = Buffer.from('\r\n\r\n');

/** The bytes of an HTTP/1.1 request. */
export function requestBytes(method: string, path: string, token: string | undefined, body?: string, type = 'application/fhir+json'): Buffer {
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`;
  const content = body === undefined ? '' : `Content-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n${authorization}${content}\r\n${body ?? ''}`);
}

/**
 * Sends `count` requests over kept connections, each the next as soon as the one before is answered, for `seconds` at most. Works on sockets, so that
 * it takes less of the machine than the servers do: it reads the status and as many bytes as Content-Length says. Throws for any status but 2xx.
 */
export async function ask(url: string, count: number, seconds: number, make: Ask, connections = 32): Promise<Answered> {
  const { port } = new URL(url);
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  let next = 0;
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), noDelay: true });
      let sent = 0;
      let got = Buffer.alloc(0);
      const send = (): void => {
        if (next >= count || performance.now() > until) return void socket.end();
        sent = performance.now();
        socket.write(make(next++));
      };
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('close', () => resolve());
      socket.on('data', chunk => {
        got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
        const head = got.indexOf(END_OF_HEAD);
        if (head < 0) return;
        const text = got.toString('latin1', 0, head);
        const length = /^content-length: (\d+)/im.exec(text)?.[1];
        if (!text.startsWith('HTTP/1.1 2') || length === undefined) return void socket.destroy(new Error(got.toString('utf8', 0, 600)));
        if (got.length < head + END_OF_HEAD.length + Number(length)) return;
        latencies.push(performance.now() - sent);
        got = Buffer.alloc(0);
        send();
      });
    });
  await Promise.all(Array.from({ length: connections }, connection));
  return { latencies, seconds: (performance.now() - started) / 1000 };
}
