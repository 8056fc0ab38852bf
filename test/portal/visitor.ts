import type { Server } from 'node:http';
import type { Express } from 'express';
import request from 'supertest';

/** A browser without a screen: it keeps its cookies, says where it comes from, and fills in forms that it was given. */
export interface Visitor {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<request.Response>;
  /** The form of the page at `from` that leads to `action`, with its hidden fields and these; sent as this page's own. */
  send(
    from: string | request.Response,
    action: string,
    fields?: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<request.Response>;
  /** A POST as it is. */
  post(path: string, fields: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<request.Response>;
  readonly cookies: Map<string, string>;
}

export function visitorOf(app: Express | Server, cookie?: string, origin = 'http://localhost:8080'): Visitor {
  const cookies = new Map(cookie === undefined ? [] : [['kindred', cookie]]);
  const exchange = async (test: request.Test, headers: Readonly<Record<string, string>>): Promise<request.Response> => {
    const response = await test
      .redirects(0)
      .set({ Accept: 'text/html,*/*;q=0.8', Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), ...headers });
    for (const line of setCookies(response)) {
      const [pair = ''] = line.split(';');
      const [name = '', value = ''] = pair.split('=');
      if (line.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  const visitor: Visitor = {
    cookies,
    get: (path, headers = {}) => exchange(request(app).get(path), headers),
    post: (path, fields, headers = {}) =>
      exchange(request(app).post(path).type('form').send(fields), { Origin: origin, 'Sec-Fetch-Site': 'same-origin', ...headers }),
    async send(from, action, fields = {}, headers = {}) {
      const page = typeof from === 'string' ? await visitor.get(from) : from;
      const form = [...page.text.matchAll(/<form method="post" action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].find(([, to]) => to === action);
      if (form === undefined) throw new Error(`the page has no form for ${action}:\n${page.text}`);
      const carried = [...form[2]!.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name, value]) => [name, plainOf(value!)]);
      return visitor.post(action, { ...Object.fromEntries(carried), ...fields }, headers);
    },
  };
  return visitor;
}
export const setCookies = ({ headers }: request.Response): readonly string[] => (headers['set-cookie'] as unknown as readonly string[] | undefined) ?? [];
export const tokenIn = ({ text }: request.Response): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
const plainOf = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!);
