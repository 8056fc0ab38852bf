/** A form on a page: where it goes, and what it would send as it stands. */
export interface Form {
  readonly action: string;
  readonly method: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Checkboxes and radio buttons, checked or not. */
  readonly boxes: readonly { readonly name: string; readonly value: string; readonly checked: boolean }[];
  readonly buttons: readonly (readonly [name: string, value: string, text: string])[];
  readonly html: string;
}
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly forms: readonly Form[];
}

const entities: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" };
export const unescaped = (text: string): string => text.replace(/&(?:amp|lt|gt|quot|#39);/g, sign => entities[sign]!);
const attribute = (tag: string, name: string): string | undefined => {
  const found = new RegExp(`\\s${name}(?:="([^"]*)")?(?=[\\s>/])`).exec(tag);
  return found === null ? undefined : unescaped(found[1] ?? '');
};

export function formsOf(html: string, url: string): readonly Form[] {
  return [...html.matchAll(/<form\b[^>]*>[\s\S]*?<\/form>/g)].map(([whole]) => {
    const head = /<form\b[^>]*>/.exec(whole)![0];
    const inputs = [...whole.matchAll(/<(?:input|textarea|select)\b[^>]*>/g)].map(([tag]) => ({
      name: attribute(tag, 'name') ?? '',
      value: attribute(tag, 'value') ?? '',
      type: attribute(tag, 'type') ?? 'text',
      checked: attribute(tag, 'checked') !== undefined,
    }));
    const isBox = ({ type }: { type: string }): boolean => type === 'checkbox' || type === 'radio';
    return {
      action: new URL(attribute(head, 'action') ?? '', url).href,
      method: (attribute(head, 'method') ?? 'get').toUpperCase(),
      fields: inputs.filter(one => one.name !== '' && (!isBox(one) || one.checked)).map(({ name, value }) => [name, value] as const),
      boxes: inputs.filter(isBox).map(({ name, value, checked }) => ({ name, value, checked })),
      buttons: [...whole.matchAll(/<button\b[^>]*>([\s\S]*?)<\/button>/g)].map(
        ([tag, text]) => [attribute(tag, 'name') ?? '', attribute(tag, 'value') ?? '', unescaped(text!.replace(/<[^>]*>/g, '').trim())] as const,
      ),
      html: whole,
    };
  });
}

interface Cookie {
  readonly value: string;
  readonly path: string;
}
/** Somebody's browser without a window: cookies by path, redirects followed as far as they stay on the server. */
export function openBrowser(origin: string) {
  const jar = new Map<string, Cookie & { readonly name: string }>();
  async function send(url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(url);
    const cookie = [...jar.values()]
      .filter(one => pathname.startsWith(one.path))
      .map(one => `${one.name}=${one.value}`)
      .join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...(init.headers as object), ...(cookie === '' ? {} : { cookie }) } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/;\s*/);
      const name = pair.slice(0, pair.indexOf('='));
      const path = attributes.find(one => /^path=/i.test(one))?.slice(5) ?? '/';
      const gone = attributes.some(one => /^(expires=Thu, 01 Jan 1970|max-age=0)/i.test(one));
      if (gone) jar.delete(`${name} ${path}`);
      else jar.set(`${name} ${path}`, { name, value: pair.slice(pair.indexOf('=') + 1), path });
    }
    return response;
  }
  /** Follows redirects until a page, or until it would leave the server: then `left` is where to. */
  async function go(url: string, init: RequestInit = {}): Promise<Page & { readonly left?: URL }> {
    let at = new URL(url, origin).href;
    let response = await send(at, init);
    for (let hops = 0; hops < 20; hops++) {
      const location = response.headers.get('location');
      if (location === null || response.status < 300 || response.status > 399) break;
      at = new URL(location, at).href;
      if (new URL(at).origin !== origin) return { url: at, status: response.status, headers: response.headers, html: '', forms: [], left: new URL(at) };
      response = await send(at);
    }
    const html = await response.text();
    return { url: at, status: response.status, headers: response.headers, html, forms: formsOf(html, at) };
  }
  return {
    jar,
    send,
    go,
    /** Sends a form as it stands, but for what is given; `without` takes away checked boxes by their values. */
    submit(
      form: Form,
      given: Readonly<Record<string, string>> = {},
      options: { readonly without?: readonly string[]; readonly button?: readonly [string, string] } = {},
    ) {
      const body = new URLSearchParams();
      for (const [name, value] of form.fields) if (!(name in given) && !options.without?.includes(value)) body.append(name, value);
      for (const [name, value] of Object.entries(given)) body.append(name, value);
      if (options.button !== undefined) body.append(...options.button);
      return go(form.action, { method: 'POST', body, headers: { Origin: origin } });
    },
  };
}
export type Browser = ReturnType<typeof openBrowser>;
