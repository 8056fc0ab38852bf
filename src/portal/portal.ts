import express from 'express';
import { Problem } from '../fhir/problem.ts';
import { accountRoutes } from './account.ts';
import { appRoutes } from './apps.ts';
import { authorizeRoutes } from './authorize.ts';
import { confirmRoutes } from './confirm.ts';
import { consentRoutes } from './consents.ts';
import { jarOf, newVisitor, readCookie } from './cookie.ts';
import { CSRF, csrfToken, isOurForm } from './csrf.ts';
import { discardForm, readForm } from './form-body.ts';
import { ownPath, withQuery } from './own-path.ts';
import { passkeyRoutes } from './passkeys.ts';
import { hidden } from './pieces.ts';
import { recordRoutes } from './records.ts';
import { refusal, staleForm } from './refusals.ts';
import { type Sender, sendReply } from './reply.ts';
import type { Asked, AskedBySomebody, PortalParts, Reply, Route } from './route.ts';
import { signInRoutes } from './sign-in.ts';
import { signUpRoutes } from './sign-up.ts';
import { startRoutes } from './start.ts';
import { serveFiles } from './static.ts';

/** Every page there is. */
const tables: readonly ((parts: PortalParts) => readonly Route[])[] = [
  startRoutes,
  signInRoutes,
  signUpRoutes,
  passkeyRoutes,
  confirmRoutes,
  accountRoutes,
  authorizeRoutes,
  recordRoutes,
  appRoutes,
  consentRoutes,
];

/** The pages for people, as a router for the root of the server. What it has no page for it leaves to the next, unless a browser asks. */
export function makePortal(parts: PortalParts): express.Router {
  const router = express.Router({ caseSensitive: true });
  serveFiles(router);
  const routes = tables.flatMap(table => table(parts));
  for (const route of routes) {
    const serve = (request: express.Request, response: express.Response): Promise<void> => answer(route, routes, request, response, parts);
    if (route.method === 'GET') router.get(route.path, serve);
    else router.post(route.path, serve);
  }
  for (const path of new Set(routes.map(route => route.path))) {
    const allowed = routes.filter(route => route.path === path).flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    router.all(path, (request, response) =>
      refuse(new Problem('not-allowed', 'not in this way', { headers: { Allow: allowed.join(', ') } }), request, response, parts),
    );
  }
  router.use((request, response, next) =>
    request.accepts(['json', 'html']) === 'html' ? refuse(new Problem('not-found', 'there is no such page'), request, response, parts) : next(),
  );
  // Express hands over four things, or does not take it for what handles errors: such as a path that cannot be decoded.
  router.use((error: unknown, request: express.Request, response: express.Response, _next: express.NextFunction) =>
    refuse(
      (error as { status?: unknown }).status === 400 ? new Problem('invalid', 'the address cannot be read', { cause: error }) : error,
      request,
      response,
      parts,
    ),
  );
  return router;
}

/** One request for a page, from its first byte to its last: the only place that answers, and the only catch that does. */
async function answer(route: Route, routes: readonly Route[], request: express.Request, response: express.Response, parts: PortalParts): Promise<void> {
  const sender = senderOf(route.path, request, response, parts);
  try {
    const reply = await replyTo(route, routes, request, response, sender);
    await sendReply(reply, sender);
  } catch (error) {
    await sendProblem(error, sender);
  }
  if (!request.complete) discardForm(request);
}

async function replyTo(route: Route, routes: readonly Route[], request: express.Request, response: express.Response, sender: Sender): Promise<Reply> {
  const { parts } = sender;
  const asked = await readAsked(request, response, sender);
  if (route.who === 'somebody' && asked.account === undefined) return { redirect: withQuery('/sign-in', { to: backTo(route, routes, request) }) };
  if (route.method === 'POST') {
    const form = await readForm(request);
    if (!isOurForm(request, new URL(parts.url).origin, sender.bound, form.get(CSRF))) return staleForm;
    return route.answer({ ...asked, form } as AskedBySomebody);
  }
  return route.answer(asked as AskedBySomebody);
}

/** Where somebody goes on after having signed in: here; for a form that is lost, to the page of the same path, where there is one. */
function backTo(route: Route, routes: readonly Route[], request: express.Request): string | undefined {
  const shown = route.method === 'GET' || routes.some(one => one.method === 'GET' && one.path === route.path);
  return shown ? ownPath(request.originalUrl) : undefined;
}

async function readAsked(request: express.Request, response: express.Response, sender: Sender): Promise<Asked> {
  const { accounts } = sender.parts;
  const cookie = readCookie(request, sender.jar.session);
  const session = await accounts.session(cookie);
  const account = session === undefined ? undefined : await accounts.find(session.account);
  if (session !== undefined && account !== undefined && cookie !== undefined) {
    sender.bound = cookie;
    sender.somebody = { session, account };
  } else {
    sender.bound = readCookie(request, sender.jar.visitor);
    if (sender.bound === undefined && request.method !== 'POST') sender.bound = sender.visitor = newVisitor();
  }
  sender.csrf = sender.bound === undefined ? undefined : hidden(CSRF, csrfToken(sender.bound));
  return {
    request,
    response,
    from: { address: sender.parts.addressOf(request) },
    params: request.params as Readonly<Record<string, string>>,
    query: new URLSearchParams(request.originalUrl.split('?').slice(1).join('?')),
    form: new URLSearchParams(),
    ...sender.somebody,
    csrf: sender.csrf ?? { html: '' },
  };
}

const senderOf = (what: string, request: express.Request, response: express.Response, parts: PortalParts): Sender => ({
  what,
  request,
  response,
  parts,
  jar: jarOf(parts.url),
  started: performance.now(),
});

async function sendProblem(error: unknown, sender: Sender): Promise<void> {
  const { response } = sender;
  const problem = error instanceof Problem ? error : new Problem('exception', 'something went wrong here', { cause: error });
  for (const [name, value] of Object.entries(problem.headers)) if (!response.headersSent) response.setHeader(name, value);
  try {
    await sendReply(refusal(problem), sender, problem);
  } catch {
    // Not even who is signed in can be looked up for the page any more.
    delete sender.somebody;
    await sendReply(refusal(problem), sender, problem);
  }
}

/** What has no route is refused in the same frame: whoever has signed in sees so. */
async function refuse(error: unknown, request: express.Request, response: express.Response, parts: PortalParts): Promise<void> {
  const sender = senderOf('unrouted', request, response, parts);
  await readAsked(request, response, sender).catch(() => undefined);
  await sendProblem(error, sender);
  if (!request.complete) discardForm(request);
}
