import type { IncomingMessage } from 'node:http';

/**
 * Who asks, by address. Behind so many proxies, each of which adds to X-Forwarded-For whom it was asked by, it is the one that the outermost of them saw: what
 * stands before that anybody may have written.
 */
export function addressOf(message: IncomingMessage, proxies: number): string {
  const peer = message.socket.remoteAddress ?? 'unknown';
  if (proxies === 0) return peer;
  const forwarded = String(message.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '');
  const seen = forwarded[Math.max(0, forwarded.length - proxies)];
  return seen === undefined || !/^[0-9A-Fa-f.:[\]]{2,60}$/.test(seen) ? peer : seen;
}
