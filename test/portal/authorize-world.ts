import type express from 'express';
import request from 'supertest';
import type { Allowed, Asking, Authorizations } from '../../src/auth/authorization.ts';
import type { OauthGrant } from '../../src/auth/client.ts';
import { Problem } from '../../src/fhir/problem.ts';
import type { Visitor } from './visitor.ts';

/** What somebody does with a form besides pressing a button of it. */
export interface Filling {
  readonly press?: readonly [name: string, value: string];
  readonly fields?: Readonly<Record<string, string>>;
  /** Values of boxes that are no longer ticked; 'all': of every one. */
  readonly untick?: readonly string[] | 'all';
}
/** The form of a page that leads to `action`, as a browser would send it. */
export function filledIn(page: string, action: string, { press, fields = {}, untick = [] }: Filling = {}): string {
  const form = [...page.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].find(([, to]) => plainOf(to!) === action);
  if (form === undefined) throw new Error(`the page has no form for ${action}:\n${page}`);
  const body = new URLSearchParams();
  for (const [input] of form[2]!.matchAll(/<input [^>]*>/g)) {
    const [type, name, value] = ['type', 'name', 'value'].map(one => plainOf(new RegExp(` ${one}="([^"]*)"`).exec(input)?.[1] ?? ''));
    if (Object.hasOwn(fields, name!) || (['checkbox', 'radio'].includes(type!) && !/ checked/.test(input))) continue;
    if (type === 'checkbox' && (untick === 'all' || untick.includes(value!))) continue;
    body.append(name!, value!);
  }
  for (const [name, value] of [...Object.entries(fields), ...(press === undefined ? [] : [press])]) body.append(name, value);
  return body.toString();
}
const plainOf = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!);

/** Sends the form of a page that the visitor was shown. */
export async function sendForm(
  app: express.Express,
  visitor: Visitor,
  from: string | request.Response,
  action: string,
  filling: Filling = {},
): Promise<request.Response> {
  const page = typeof from === 'string' ? await visitor.get(from) : from;
  return request(app)
    .post(action)
    .redirects(0)
    .set({
      Cookie: [...visitor.cookies].map(pair => pair.join('=')).join('; '),
      Origin: 'http://localhost:8080',
      'Sec-Fetch-Site': 'same-origin',
      Accept: 'text/html',
    })
    .type('form')
    .send(filledIn(page.text, action, filling));
}
/** The text of a page as it is read: no tags, single spaces. */
export const textOf = (html: string): string =>
  html
    .replace(/<(style|script)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\s+/g, ' ');
/** The values of all boxes of a page that are ticked. */
export const tickedIn = (html: string): readonly string[] =>
  [...html.matchAll(/<input type="checkbox"[^>]*name="allow" value="([^"]*)" checked/g)].map(([, value]) => plainOf(value!));

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
