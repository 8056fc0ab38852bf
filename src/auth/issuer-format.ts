import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { JSONWebKeySet, JWK } from 'jose';
import { parseScopes } from '../access/scope.ts';
import { isOpenKey } from './keys.ts';
import { mistakesOf } from './mistakes.ts';
import { wordsOf } from './scopes.ts';
import { issuerOf } from './verify.ts';

/** Another authorization server whose access tokens are taken, and for whom it may speak. */
export interface TrustedIssuer {
  /** As it stands in `iss`. */
  readonly issuer: string;
  /** One of these two. */
  readonly jwks?: JSONWebKeySet;
  readonly jwks_uri?: string;
  /** What `aud` must name; absent: our FHIR base. */
  readonly audience?: string;
  /** The one organization whose systems and practitioners it knows. */
  readonly organization: string;
  readonly kinds: readonly (keyof typeof levels)[];
  /** The most that its tokens may do. */
  readonly scope: string;
}
/** What each kind of caller may hold of scopes. */
export const levels = { system: 'system', practitioner: 'user' } as const;

const text = { type: 'string', minLength: 1, maxLength: 2000 };
const web = { ...text, pattern: '^https?://[^\\s]+$' };
const schema = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['issuer', 'organization', 'kinds', 'scope'],
    properties: {
      issuer: web,
      jwks_uri: web,
      jwks: {
        type: 'object',
        required: ['keys'],
        properties: {
          keys: {
            type: 'array',
            minItems: 1,
            items: { type: 'object', required: ['kty', 'kid'], properties: { kty: { enum: ['RSA', 'EC'] }, kid: text } },
          },
        },
      },
      audience: text,
      organization: { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' },
      kinds: { type: 'array', minItems: 1, uniqueItems: true, items: { enum: Object.keys(levels) } },
      scope: text,
    },
  },
};
const check = new Ajv({ allErrors: true, strict: false }).compile(schema);

/**
 * The file of KINDRED_ISSUERS, or every mistake in it with its JSON pointer. `url`: public URL of this server. `privateJwks`: JWKS may be had from a private
 * network, and without TLS.
 */
export function readIssuers(
  file: string,
  own: { readonly url: string; readonly privateJwks: boolean },
): { readonly issuers: readonly TrustedIssuer[] } | { readonly mistakes: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return { mistakes: [`KINDRED_ISSUERS: \`${file}\` ${error instanceof SyntaxError ? `is not JSON: ${error.message}` : 'cannot be read'}`] };
  }
  const mistakes = check(value) ? (value as TrustedIssuer[]).flatMap((one, at, all) => mistakesIn(one, at, all, own)) : mistakesOf(check.errors);
  return mistakes.length > 0 ? { mistakes: mistakes.map(mistake => `KINDRED_ISSUERS ${mistake}`) } : { issuers: value as TrustedIssuer[] };
}

function mistakesIn(one: TrustedIssuer, at: number, all: readonly TrustedIssuer[], own: { readonly url: string; readonly privateJwks: boolean }): string[] {
  const place = `/${at}`;
  const mistakes: string[] = [];
  if (one.issuer === issuerOf(own.url)) mistakes.push(`${place}/issuer: that is this server itself`);
  if (all.findIndex(({ issuer }) => issuer === one.issuer) < at) mistakes.push(`${place}/issuer: \`${one.issuer}\` is there twice`);
  if ((one.jwks === undefined) === (one.jwks_uri === undefined)) mistakes.push(`${place}: one of jwks and jwks_uri is needed`);
  if (one.jwks_uri !== undefined && !(own.privateJwks ? /^https?:/ : /^https:/).test(one.jwks_uri)) mistakes.push(`${place}/jwks_uri: must be https`);
  (one.jwks?.keys ?? []).forEach((key: JWK, index) => {
    if (!isOpenKey(key)) mistakes.push(`${place}/jwks/keys/${index}: is a private key; its public half is needed`);
  });
  const may = one.kinds.map(kind => levels[kind]);
  const scopes = parseScopes(one.scope).scopes;
  for (const word of wordsOf(one.scope)) {
    const [scope] = parseScopes(word).scopes;
    if (scope === undefined) mistakes.push(`${place}/scope: \`${word}\` is no scope that is known here`);
    else if (!(may as readonly string[]).includes(scope.level)) mistakes.push(`${place}/scope: \`${word}\` is of none of its kinds (${one.kinds.join(', ')})`);
  }
  for (const kind of one.kinds)
    if (!scopes.some(scope => scope.level === levels[kind])) mistakes.push(`${place}/scope: has no ${levels[kind]}/ scope for its ${kind}s`);
  return mistakes;
}
