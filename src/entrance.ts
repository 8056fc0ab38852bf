import { tellOfApp } from './account/mail.ts';
import { makeAuthorizationServer } from './auth/authorization-server.ts';
import { makeAuthorizations } from './auth/authorizations.ts';
import { brandBundle } from './auth/brands.ts';
import { sharedSecret } from './auth/keys.ts';
import { answerLaunch } from './auth/launch-endpoint.ts';
import { smartConfiguration, smartStyle } from './auth/smart-configuration.ts';
import type { App } from './cli/command.ts';
import { addressOf } from './http/address.ts';
import type { Entrance } from './http/server.ts';
import { errorPage, pageHeaders } from './portal/error-page.ts';
import { makePortal } from './portal/portal.ts';
import type { PortalParts } from './portal/route.ts';

/** The authorization server and the pages, put together. `refused`: counts those who are refused and of whom nothing is known; `tell`: a line for the operator. */
export async function makeEntrance(app: App, refused: (address: string) => void, tell: PortalParts['log']): Promise<Entrance> {
  const { store, keys, url, now, note, config, accounts, log } = app;
  const since = now();
  const from = (message: Parameters<typeof addressOf>[0]): string => addressOf(message, config.proxies);
  const server = makeAuthorizationServer({
    store,
    keys,
    cookieKeys: [(await sharedSecret(store, 'cookies', now())).toString('base64url')],
    url,
    privateJwks: config.privateJwks,
    registration: config.registration,
    now,
    note,
    endGrant: id => app.end(id),
    addressOf: from,
    refused,
    verify: app.verify,
    log,
    errorPage,
    pageHeaders,
  });
  const authorizations = makeAuthorizations({
    store,
    registry: app.parts.registry,
    server,
    url,
    now,
    note,
    tell: account => tellOfApp(app.mail, account),
    run: app.walk,
  });
  return {
    published: {
      '/fhir/.well-known/smart-configuration': () => smartConfiguration(url, config.registration !== 'off'),
      '/fhir/.well-known/user-access-brands.json': () => brandBundle(store, url, since),
      '/smart-style.json': () => smartStyle,
    },
    authorize: async (request, response) =>
      request.url?.split('?')[0] === '/launch'
        ? answerLaunch(request, response, { store, now, note, verify: app.verify, run: app.run, addressOf: from, refused })
        : server.handle(request, response),
    pages: makePortal({
      url,
      accounts,
      authorizations,
      now: () => Date.parse(now()),
      run: app.run,
      activate: app.activate,
      addressOf: from,
      log: tell,
      signUp: config.signUp,
    }),
  };
}
