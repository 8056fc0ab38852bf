import type express from 'express';
import request from 'supertest';
import type { Allowed, Asking, Authorizations } from '../../src/auth/authorization.ts';
import type { OauthGrant } from '../../src/auth/client.ts';
import { Problem } from '../../src/fhir/problem.ts';

/** Somebody's browser, in which they have signed in: it keeps nothing but the cookie, and sends forms as they stand on the page. */
export interface Visitor {
  get(path: string): Promise<request.Response>;
  /** The form of the page at `from` that leads to `path`, with these fields as they are filled in. */
  submit(from: string, path: string, fields: Readonly<Record<string, string | readonly string[]>>): Promise<request.Response>;
}
export function visitor(app: express.Express, cookie?: string): Visitor {
  const cookies = cookie === undefined ? '' : `kindred=${cookie}`;
  return {
    get: async path => request(app).get(path).set('Cookie', cookies),
    async submit(from, path, fields) {
      const shown = await request(app).get(from).set('Cookie', cookies);
      const csrf = /name="csrf" value="([^"]+)"/.exec(shown.text)?.[1] ?? '';
      const kept = (shown.get('Set-Cookie') ?? []).map(one => one.split(';')[0]!).join('; ');
      const body = new URLSearchParams({ csrf });
      for (const [name, values] of Object.entries(fields)) for (const value of [values].flat()) body.append(name, value as string);
      return request(app)
        .post(path)
        .set('Cookie', [cookies, kept].filter(one => one !== '').join('; '))
        .type('form')
        .send(body.toString());
    },
  };
}
/** The text of a page as it is read: no tags, single spaces. */
export const textOf = (html: string): string =>
  html
    .replace(/<(style|script)[^]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
/** The values of all boxes that are ticked on a page. */
export const tickedIn = (html: string): readonly string[] =>
  [...html.matchAll(/<input type="checkbox"[^>]*name="allow" value="([^"]*)" checked/g)].map(([, value]) => value!.replaceAll('&amp;', '&'));

export const asking = (of: Partial<Asking> & { readonly scopes: readonly string[] }): Asking => ({
  uid: 'u1',
  client: {
    client_id: 'med-app',
    client_name: 'Medication list',
    kind: 'app',
    scope: 'patient/*.cruds',
    redirect_uris: ['https://app.example/callback', 'org.example.app:/done'],
  },
  dropped: [],
  needsRecord: true,
  needsEncounter: false,
  signedInSince: 0,
  ...of,
});

type Granted = OauthGrant & { readonly clientName: string };
export interface FakeAuthorizations extends Authorizations {
  asks: Asking | undefined;
  readonly allowed: Allowed[];
  denied: number;
  kept: Granted[];
  readonly ended: string[];
}
/** An authorization server that notes what it is told. */
export function fakeAuthorizations(kept: Granted[] = []): FakeAuthorizations {
  const fake: FakeAuthorizations = {
    asks: undefined,
    allowed: [],
    denied: 0,
    kept,
    ended: [],
    async asking() {
      if (fake.asks === undefined) throw new Problem('not-found', 'no such request');
      return fake.asks;
    },
    async allow(_request, response, allowed) {
      fake.allowed.push(allowed);
      response.writeHead(303, { Location: 'https://app.example/callback?code=1' }).end();
    },
    async deny(_request, response) {
      fake.denied += 1;
      response.writeHead(303, { Location: 'https://app.example/callback?error=access_denied' }).end();
    },
    granted: async account => fake.kept.filter(one => one.account === account.username),
    async end(id, account) {
      const found = fake.kept.find(one => one.id === id && one.account === account.username);
      if (found === undefined) throw new Problem('not-found', 'no such authorization');
      fake.kept = fake.kept.filter(one => one !== found);
      fake.ended.push(id);
    },
  };
  return fake;
}
