/** The parts of a MongoDB URL. It may name several hosts, which `URL` does not read. */
const form =
  /^(mongodb(?:\+srv)?:\/\/)(?:([^/?@]*)@)?((?:[\w.%-]+|\[[\da-f:.]+\])(?::\d+)?(?:,(?:[\w.%-]+|\[[\da-f:.]+\])(?::\d+)?)*)(?:\/([^?@]*))?(?:\?([^@]*))?$/i;

/** The hosts alone: what may be printed. */
export const hostsOf = (url: string): string => form.exec(url)?.[3] ?? 'not a mongodb:// URL';

/** The URL with another database. Its own one goes on being where its user is looked up, which a driver takes from the path otherwise. */
export function withDatabase(url: string, database: string): string {
  const [, scheme, user, hosts, own, query] = form.exec(url) ?? [];
  if (hosts === undefined) throw new Error('not a mongodb:// URL');
  const options = query ? query.split('&') : [];
  const authSource = user === undefined || options.some(option => /^auth(Source|Mechanism=(MONGODB-X509|GSSAPI|MONGODB-AWS|MONGODB-OIDC))/i.test(option));
  if (!authSource) options.push(`authSource=${own || 'admin'}`);
  return `${scheme}${user === undefined ? '' : `${user}@`}${hosts}/${database}${options.length === 0 ? '' : `?${options.join('&')}`}`;
}

/** A text without the credentials of the URLs in it. */
export const withoutCredentials = (text: string): string =>
  text.replace(/(mongodb(?:\+srv)?:\/\/)\S*@/gi, '$1').replace(/(mongodb(?:\+srv)?:\/\/[^\s?]*)\?\S*/gi, '$1');
