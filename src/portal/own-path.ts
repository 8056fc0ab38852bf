/** No address of ours is longer. */
const LONGEST = 4000;

/**
 * Where a page leads on to: a path of our own, with its query, as a browser would read it; undefined for whatever leads elsewhere. Browsers read `\` as `/`,
 * drop tabs and line ends, and resolve dots, so that a text is ours only when what becomes of it is.
 */
export function ownPath(text: string | null | undefined): string | undefined {
  if (typeof text !== 'string' || text.length > LONGEST || !text.startsWith('/') || /^\/[/\\]|[\\\p{Cc}]/u.test(text)) return undefined;
  const base = 'http://ours.invalid';
  if (!URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  const path = `${url.pathname}${url.search}`;
  return url.origin === base && !path.startsWith('//') ? path : undefined;
}
/** `path?name=value` with the names that have a value. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}
