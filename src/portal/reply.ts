import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Account } from '../account/account.ts';
import type { Session } from '../account/session.ts';
import type { Problem } from '../fhir/problem.ts';
import { type Jar, writeCookie } from './cookie.ts';
import type { Html } from './html.ts';
import { page } from './page.ts';
import type { PortalParts, Reply } from './route.ts';

/** What is known of a request when its answer is sent; filled as it is read. */
export interface Sender {
  readonly what: string;
  readonly request: IncomingMessage & { readonly originalUrl: string };
  readonly response: ServerResponse;
  readonly parts: PortalParts;
  readonly jar: Jar;
  /** Of performance.now(). */
  readonly started: number;
  somebody?: { readonly session: Session; readonly account: Account };
  /** The value of the cookie that forms are bound to. */
  bound?: string | undefined;
  /** A new one of somebody who has not signed in. */
  visitor?: string;
  csrf?: Html | undefined;
}

/** Nothing is loaded, sent or framed but by ourselves. Chromium holds redirects after a form to form-action too, so that who leads on to an app names it. */
const policyWith = (formTargets: readonly string[]): string =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
/** A source of CSP is a scheme or an origin, and nothing that could end the directive. */
const isSource = (text: string): boolean => /^[a-z][a-z0-9+.-]*:(\/\/[a-z0-9.:[\]-]+)?$/i.test(text);

/** The referrer stays here, and is sent within: `no-referrer` would make browsers send forms with `Origin: null`. */
const fixed = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Pages that an app's window leads through: cut off from it, an app that opened it could not hear of the end. */
const ledThrough: readonly string[] = ['/sign-in', '/sign-in/second', '/sign-in/passkey', '/sign-up', '/confirm', '/auth/interaction/:uid'];

/** What every page has, whoever sends it. */
export const pageHeaders: Readonly<Record<string, string>> = { ...fixed, 'Content-Security-Policy': policyWith([]) };

/** Reply → HTTP, and a line for the operator. */
export async function sendReply(reply: Reply, sender: Sender, problem?: Problem): Promise<void> {
  const { request, response, parts, what, started } = sender;
  if (reply !== 'sent' && !response.headersSent && !response.destroyed) {
    const [status, type, text] = await printed(reply, sender);
    if ('cookie' in reply && reply.cookie !== undefined) writeCookie(response, sender.jar, sender.jar.session, reply.cookie);
    if ('redirect' in reply) response.setHeader('Location', reply.redirect);
    const formTargets = 'title' in reply ? (reply.formTargets ?? []).filter(isSource) : [];
    response.writeHead(status, {
      ...fixed,
      ...(ledThrough.includes(what) ? { 'Cross-Origin-Opener-Policy': 'unsafe-none' } : {}),
      'Content-Security-Policy': policyWith(formTargets),
      'Content-Type': type,
      'Content-Length': String(Buffer.byteLength(text)),
    });
    response.end(request.method === 'HEAD' ? undefined : text);
  }
  parts.log({
    status: response.statusCode,
    method: request.method ?? '',
    what,
    ms: Math.round(performance.now() - started),
    ...(problem === undefined ? {} : { problem }),
  });
}

async function printed(reply: Exclude<Reply, 'sent'>, sender: Sender): Promise<readonly [status: number, type: string, text: string]> {
  if ('redirect' in reply) return [303, 'text/plain; charset=utf-8', 'See the other page.'];
  if ('json' in reply) return [reply.status ?? 200, 'application/json', JSON.stringify(reply.json)];
  const { request, response, somebody, visitor, jar, csrf } = sender;
  if (visitor !== undefined) writeCookie(response, jar, jar.visitor, visitor);
  const text = page({
    title: reply.title,
    body: reply.body,
    path: request.originalUrl.split('?')[0]!,
    account: somebody?.account,
    actingFor: await actingFor(sender),
    csrf,
  });
  return [reply.status ?? 200, 'text/html; charset=utf-8', text];
}

/** The patient for whom the person acts under a RelatedPerson's hat. */
async function actingFor({ somebody, parts }: Sender): Promise<string | undefined> {
  const acting = somebody?.session.acting;
  if (somebody === undefined || acting === undefined || !acting.hat.startsWith('RelatedPerson/')) return undefined;
  const choices = await parts.accounts.choices(somebody.account);
  return choices.find(({ hat, record }) => hat === acting.hat && record === acting.record)?.name ?? 'somebody else';
}
