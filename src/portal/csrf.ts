import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** The name of the field that carries the token. */
export const CSRF = 'csrf';

/**
 * The token of a form: made from the value of the cookie that only this browser has (of the session, or of a visitor), so that it is good in no other
 * browser, ends with the session and needs no store. It tells nothing of the cookie.
 */
export const csrfToken = (cookie: string): string => createHmac('sha256', cookie).update('kindred form').digest('base64url');

/** Whether a form comes from a page of ours in the browser that the page was made for. `origin`: ours. Both must hold: who sends it, and what it carries. */
export const isOurForm = (request: IncomingMessage, origin: string, cookie: string | undefined, token: string | null): boolean =>
  sentByUs(request, origin) && cookie !== undefined && same(csrfToken(cookie), token ?? '');

/** Browsers say where a POST comes from, and no page can make them say otherwise (Fetch §3.2, Fetch Metadata). Who says nothing is told apart by the token. */
function sentByUs(request: IncomingMessage, origin: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return request.headers.origin === undefined || request.headers.origin === origin;
}

function same(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
