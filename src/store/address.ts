/** Where a store is: which engine, and what that engine needs to find it. */
export type StoreAddress = { readonly engine: 'sqlite'; readonly path: string } | { readonly engine: 'mongodb'; readonly url: string };

/** What `KINDRED_STORE` may be, in words. */
export const addressForms = '`sqlite:PATH`, `sqlite::memory:` or `mongodb://HOST[:PORT][,…]/DATABASE?replicaSet=NAME`';

/** Reads `sqlite:PATH`, `mongodb://…` or `mongodb+srv://…`; undefined for anything else. */
export function parseAddress(text: string): StoreAddress | undefined {
  const path = /^sqlite:(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { engine: 'sqlite', path };
  return /^mongodb(\+srv)?:\/\/[^/]/.test(text) ? { engine: 'mongodb', url: text } : undefined;
}

/** A text without the names and passwords of the addresses in it, whatever those consist of. */
export const withoutCredentials = (text: string): string => text.replaceAll(/\/\/\S*@/g, '//');
/** The address without name, password and options, for people. */
export const shownAddress = (text: string): string => withoutCredentials(text).replace(/\?.*$/, '');
