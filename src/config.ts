import { delimiter } from 'node:path';
import { addressForms, parseAddress, type StoreAddress, shownAddress } from './store/address.ts';

/** The whole configuration, read once from the environment. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Public URL without a slash at the end; undefined: `http://localhost:PORT` of the port that is listened on. */
  readonly url: string | undefined;
  readonly store: StoreAddress;
  /** Within how many milliseconds a store on another machine must answer. */
  readonly storePatience: number;
  /** Milliseconds that one search may take. */
  readonly queryTime: number;
  /** Questions to the store that take as many milliseconds are logged. */
  readonly slow: number;
  /** FHIR packages whose search parameters are taken: files (.tgz) or folders. */
  readonly packages: readonly string[];
  /** Off: every caller is one system caller with all rights. Loopback only. */
  readonly auth: boolean;
  readonly audit: boolean;
  readonly log: LogLevel;
  /** A file that holds the time, for tests; loopback only. */
  readonly clock: string | undefined;
  /** Where post to people goes: `dir:PATH`, `smtp://…`; and from whom it is. */
  readonly mail: string;
  readonly mailFrom: string;
  /** Whether people may sign up by themselves. */
  readonly signUp: boolean;
  /** What becomes of an app that registers itself. */
  readonly registration: (typeof registrations)[number];
  /** JWKS URLs of clients may lead to addresses of a private network. */
  readonly privateJwks: boolean;
  /** A file that lists further issuers of access tokens. */
  readonly issuers: string | undefined;
  /** How many proxies stand before the server, each of which adds to X-Forwarded-For. */
  readonly proxies: number;
  /** Largest request body, bytes. */
  readonly maxBody: number;
}
const levels = ['error', 'warn', 'info', 'debug', 'silent'] as const;
export type LogLevel = (typeof levels)[number];
const registrations = ['held', 'open', 'off'] as const;
type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting, for `--help` and the README: name, default, meaning. */
export const settings: readonly (readonly [string, string, string])[] = [
  ['PORT', '8080', 'port to listen on; 0 takes any'],
  ['HOST', '127.0.0.1', 'address to listen on'],
  ['KINDRED_URL', 'http://localhost:PORT', 'public URL: issuer and links come from it, never from the Host header'],
  ['KINDRED_STORE', 'sqlite:./data/kindred.db', addressForms],
  ['KINDRED_STORE_TIMEOUT', '10', 'within how many seconds MongoDB must answer; after that, requests are answered 503'],
  ['KINDRED_QUERY_TIME', '5', 'how many seconds one search may take; a longer one is refused as too costly'],
  ['KINDRED_SLOW', '1000', 'from how many milliseconds on a question to the store is logged (without its values)'],
  ['KINDRED_PACKAGES', '', 'FHIR packages (.tgz, or the folders they unpack to) whose search parameters are added, with commas between'],
  ['KINDRED_AUTH', 'on', '`off`: every caller may do everything; refused unless HOST is loopback'],
  ['KINDRED_AUDIT', 'on', '`off` only together with KINDRED_AUTH=off'],
  ['KINDRED_LOG', 'info', levels.join(', ')],
  ['KINDRED_MAX_BODY', '64mb', 'largest request body: a number of bytes, or with kb or mb'],
  ['KINDRED_MAIL', 'dir:./data/mail', 'where post to people goes: `dir:PATH` (a file for each message), `smtp://…` or `smtps://…`'],
  ['KINDRED_MAIL_FROM', 'Kindred <no-reply@localhost>', 'the sender of that post'],
  ['KINDRED_SIGN_UP', 'on', '`off`: accounts are made by `kindred account add` and by seeds only'],
  ['KINDRED_REGISTRATION', 'held', 'apps that register themselves: `held` until `kindred client approve`, `open` at once (never systems), or `off`'],
  ['KINDRED_PRIVATE_JWKS', 'off', '`on`: the JWKS URLs of clients may lead to addresses of a private network'],
  ['KINDRED_ISSUERS', '', 'a JSON file of further issuers whose access tokens are taken'],
  ['KINDRED_PROXIES', '0', 'how many proxies stand before the server; the address of who asks is taken from X-Forwarded-For accordingly'],
  ['KINDRED_CLOCK', '', '`file:PATH` holding an instant, reread for each request; loopback only, for tests'],
];

/** The paths of KINDRED_PACKAGES, with commas between or what is between those of PATH. */
export const packagesIn = ({ KINDRED_PACKAGES = '' }: Environment): readonly string[] =>
  KINDRED_PACKAGES.split(new RegExp(`[,${delimiter}]`))
    .map(path => path.trim())
    .filter(path => path !== '');

/** True for addresses that only this machine reaches. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

/**
 * Environment → Config, or every mistake as a sentence, all at once. Pure.
 */
export function readConfig(environment: Environment): { readonly config: Config } | { readonly mistakes: readonly string[] } {
  const mistakes: string[] = [];
  const get = (name: string): string => environment[name] || (settings.find(([setting]) => setting === name)?.[1] ?? '');
  const oneOf = (name: string, allowed: readonly string[]): string => {
    const value = get(name);
    if (!allowed.includes(value)) mistakes.push(`${name} is \`${value}\`; it may be ${allowed.join(', ')}`);
    return value;
  };
  const port = Number(get('PORT'));
  if (!Number.isInteger(port) || port < 0 || port > 65535) mistakes.push(`PORT is \`${get('PORT')}\`; it must be a number from 0 to 65535`);
  const host = get('HOST');
  const auth = oneOf('KINDRED_AUTH', ['on', 'off']) === 'on';
  const audit = oneOf('KINDRED_AUDIT', ['on', 'off']) === 'on';
  if (!auth && !isLoopback(host)) mistakes.push(`KINDRED_AUTH=off lets everybody do everything, so HOST must be loopback, not \`${host}\``);
  if (auth && !audit) mistakes.push('KINDRED_AUDIT=off is for open mode only (KINDRED_AUTH=off)');
  const clock = environment.KINDRED_CLOCK || undefined;
  if (clock !== undefined && !clock.startsWith('file:')) mistakes.push(`KINDRED_CLOCK is \`${clock}\`; it must be file:PATH`);
  if (clock !== undefined && !isLoopback(host)) mistakes.push('KINDRED_CLOCK is for tests, so HOST must be loopback');
  const url = environment.KINDRED_URL || undefined;
  if (url !== undefined && !/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(url))
    mistakes.push(`KINDRED_URL is \`${url}\`; it must be an http or https URL without query`);
  const store = parseAddress(get('KINDRED_STORE'));
  if (store === undefined) mistakes.push(`KINDRED_STORE is \`${shownAddress(get('KINDRED_STORE'))}\`; it must be ${addressForms}`);
  const numberFrom = (name: string, least: number, most: number): number => {
    const value = Number(get(name));
    if (!(value >= least && value <= most)) mistakes.push(`${name} is \`${get(name)}\`; it must be a number from ${least} to ${most}`);
    return value;
  };
  const storePatience = numberFrom('KINDRED_STORE_TIMEOUT', 1, 600) * 1000;
  const queryTime = numberFrom('KINDRED_QUERY_TIME', 0.1, 600) * 1000;
  const slow = numberFrom('KINDRED_SLOW', 0, 600_000);
  const proxies = numberFrom('KINDRED_PROXIES', 0, 10);
  const mail = get('KINDRED_MAIL');
  if (!/^(dir:.+|smtps?:\/\/[^\s]+)$/.test(mail)) mistakes.push('KINDRED_MAIL must be dir:PATH, smtp://… or smtps://…');
  const registration = oneOf('KINDRED_REGISTRATION', registrations) as Config['registration'];
  const signUp = oneOf('KINDRED_SIGN_UP', ['on', 'off']) === 'on';
  const privateJwks = oneOf('KINDRED_PRIVATE_JWKS', ['on', 'off']) === 'on';
  const size = /^(\d{1,9})(kb|mb)?$/.exec(get('KINDRED_MAX_BODY').toLowerCase());
  if (size === null) mistakes.push(`KINDRED_MAX_BODY is \`${get('KINDRED_MAX_BODY')}\`; it must be a number of bytes such as 5mb`);
  const log = oneOf('KINDRED_LOG', levels) as LogLevel;
  if (mistakes.length > 0 || store === undefined) return { mistakes };
  const scale = { kb: 1024, mb: 1024 * 1024 }[size?.[2] ?? ''] ?? 1;
  const config: Config = {
    port,
    host,
    url: url?.replace(/\/+$/, ''),
    store,
    storePatience,
    queryTime,
    slow,
    packages: packagesIn(environment),
    auth,
    audit,
    log,
    clock: clock?.slice('file:'.length),
    mail,
    mailFrom: get('KINDRED_MAIL_FROM'),
    signUp,
    registration,
    privateJwks,
    issuers: environment.KINDRED_ISSUERS || undefined,
    proxies,
    maxBody: Number(size?.[1]) * scale,
  };
  return { config: Object.freeze(config) };
}
