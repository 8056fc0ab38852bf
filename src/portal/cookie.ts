import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Where cookies are written: the public URL decides whether they may be kept to https, and so to this very host. */
export interface Jar {
  readonly session: string;
  /** Of somebody who has not signed in: forms are bound to it. */
  readonly visitor: string;
  readonly secure: boolean;
}
export const jarOf = (url: string): Jar => {
  const secure = url.startsWith('https:');
  const name = secure ? '__Host-kindred' : 'kindred';
  return { session: name, visitor: `${name}-visitor`, secure };
};

/** What a cookie of ours may look like; anything else was not written here. */
const ours = /^[A-Za-z0-9._~-]{16,512}$/;

/** The value of a cookie; undefined where it is not there, cannot be ours, or stands there twice with two values. */
export function readCookie(request: IncomingMessage, name: string): string | undefined {
  const values = new Set(
    (request.headers.cookie ?? '')
      .split(';')
      .map(pair => pair.trim())
      .filter(pair => pair.startsWith(`${name}=`))
      .map(pair => pair.slice(name.length + 1)),
  );
  const [value] = values;
  return values.size === 1 && value !== undefined && ours.test(value) ? value : undefined;
}

/** RFC 6265bis. Without an age: it ends with the browser, if the session has not ended before. `value` null takes it away. */
export function writeCookie(response: ServerResponse, jar: Jar, name: string, value: string | null): void {
  const age = value === null ? '; Max-Age=0' : '';
  response.appendHeader('Set-Cookie', `${name}=${value ?? ''}; Path=/; HttpOnly; SameSite=Lax${jar.secure ? '; Secure' : ''}${age}`);
}

export const newVisitor = (): string => randomBytes(24).toString('base64url');
