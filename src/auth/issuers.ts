import { hash } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Caller } from '../access/caller.ts';
import { policyOf } from '../access/policies/index.ts';
import { parseScopes, type Scope, type ScopeLetter } from '../access/scope.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName } from '../fhir/types.ts';
import { levels, type TrustedIssuer } from './issuer-format.ts';
import { type IssuerKeyParts, KEYS_MS, keysOf } from './issuer-keys.ts';
import { isMixed, wordsOf } from './scopes.ts';
import { audienceOf, type Outsiders, refuse, type Verified, type VerifierParts } from './verify.ts';

type Known = TrustedIssuer & { readonly key: JWTVerifyGetKey };
type Parts = Pick<VerifierParts, 'store' | 'url' | 'now'>;

/** Never `none`, and nothing symmetric: what is public would sign. */
const algorithms = ['RS256', 'RS384', 'ES256', 'ES384'];
const types = ['at+jwt', 'jwt'];
/** Seconds: the longest that a token may still be good for, and how far clocks may differ. */
const LONGEST_S = 3600;
const TOLERANCE_S = 5;
const MAX_ID = 200;

/** Access tokens of other authorization servers that are configured, each speaking for one organization: for its systems and practitioners, never for patients. */
export function makeOutsiders(issuers: readonly TrustedIssuer[], parts: Parts & Pick<IssuerKeyParts, 'privateJwks'>): Outsiders {
  const known = new Map<unknown, Known>(issuers.map(one => [one.issuer, { ...one, key: keysOf(one, parts) }]));
  return token => {
    const issuer = known.size === 0 ? undefined : known.get(claimedIssuer(token));
    return issuer === undefined ? undefined : verify(token, issuer, parts);
  };
}
/** Not verified: it only says whose keys to try. */
function claimedIssuer(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}

async function verify(token: string, issuer: Known, parts: Parts): Promise<Verified> {
  const claims = await readClaims(token, issuer, parts);
  const restsOn = [`organization:${issuer.organization}`] as const;
  const epochs = await parts.store.epochs(restsOn);
  if ((await parts.store.document('organization', issuer.organization)) === undefined) throw refuse("the organization of the token's issuer is not known here");
  const caller = callerOf(token, claims, issuer, parts);
  const { cnf } = claims as { readonly cnf?: { readonly jkt?: string } };
  return {
    caller,
    restsOn,
    epochs,
    // Not for as long as it is good: the issuer may withdraw its key.
    until: Math.min(claims.exp! * 1000, parts.now() + KEYS_MS),
    ...(cnf === undefined ? {} : { cnf }),
    stands: () => stillContributed(caller, issuer, parts),
  };
}

async function readClaims(token: string, issuer: Known, { url, now }: Parts): Promise<JWTPayload> {
  const invalid = (cause?: unknown): Problem => refuse('the access token is not valid here', cause);
  const currentDate = new Date(now());
  const { payload, protectedHeader } = await jwtVerify(token, issuer.key, {
    algorithms,
    issuer: issuer.issuer,
    audience: issuer.audience ?? audienceOf(url()),
    currentDate,
    clockTolerance: TOLERANCE_S,
    requiredClaims: ['exp', 'sub', 'scope'],
  }).catch(error => {
    if (error instanceof errors.JWTExpired) throw refuse('the access token has expired');
    throw error instanceof Problem ? error : invalid(error);
  });
  const { kid, typ } = protectedHeader;
  const type = String(typ ?? '')
    .toLowerCase()
    .replace(/^application\//, '');
  if (typeof kid !== 'string' || !types.includes(type) || typeof payload.scope !== 'string') throw invalid();
  if (payload.exp! > currentDate.getTime() / 1000 + LONGEST_S + TOLERANCE_S) throw refuse('the access token is good for longer than an hour');
  return payload;
}

/** As whom it may speak: the organization that is configured, or a practitioner whom that has contributed. */
function callerOf(token: string, claims: JWTPayload, issuer: Known, { url }: Parts): Caller {
  const { sub, client_id = sub, fhirUser, jti, scope } = claims as Readonly<Record<string, unknown>>;
  const ids = [sub, client_id, jti ?? ''];
  if (ids.some(id => typeof id !== 'string' || id.length > MAX_ID)) throw refuse('the access token is not valid here');
  if (isMixed(wordsOf(scope as string))) throw refuse('the token mixes patient, user and system scopes');
  const kind = fhirUser === undefined ? 'system' : 'practitioner';
  if (!issuer.kinds.includes(kind)) throw refuse(`the token's issuer may not speak for a ${kind}`);
  // Somebody's token through an app, without saying whose, would become the organization's own.
  if (kind === 'system' && client_id !== sub) throw refuse('the token is about somebody and does not say who (fhirUser)');
  const organization: KeyName = `Organization/${issuer.organization}`;
  const name = hash('sha256', token, 'base64url');
  const shared = {
    client: `${issuer.issuer}|${client_id}`,
    organization: issuer.organization,
    purpose: 'TREAT',
    scopes: within(parseScopes(scope as string).scopes, parseScopes(issuer.scope).scopes).filter(one => one.level === levels[kind]),
    grant: `${issuer.issuer}|${name}`,
    token: typeof jti === 'string' ? jti : name,
    grantEpoch: 0,
  };
  if (kind === 'system') return { ...shared, kind, who: organization, actors: [organization] };
  const base = `${audienceOf(url())}/`;
  const who = String(fhirUser).startsWith(base) ? String(fhirUser).slice(base.length) : String(fhirUser);
  if (!/^Practitioner\/[A-Za-z0-9\-.]{1,64}$/.test(who)) throw refuse('fhirUser must be a Practitioner of this server');
  return { ...shared, kind, account: `${issuer.issuer}|${sub}`, who: who as KeyName, actors: [who as KeyName, organization] };
}

/** A practitioner is known by what the organization has contributed, and by nobody else's word. */
async function stillContributed({ kind, who }: Caller, issuer: Known, { store }: Parts): Promise<void> {
  if (kind !== 'practitioner') return;
  const version = await store.read({ type: 'Practitioner', id: who.slice('Practitioner/'.length) });
  const origin = version?.facets.origin;
  const its = origin?.kind === 'organization' && origin.by === issuer.organization;
  if (version === undefined || version.deleted || !its || version.parsed().active === false)
    throw refuse("fhirUser must be a Practitioner of the issuer's organization");
}

/** What both permit. */
const within = (ones: readonly Scope[], others: readonly Scope[]): readonly Scope[] => ones.flatMap(one => others.flatMap(other => common(one, other)));
function common(one: Scope, other: Scope): readonly Scope[] {
  if (one.level !== other.level || (one.type !== other.type && one.type !== '*' && other.type !== '*')) return [];
  const type = one.type === '*' ? other.type : one.type;
  const may = new Set([...lettersFor(one, type)].filter(letter => lettersFor(other, type).has(letter)));
  return may.size === 0 ? [] : [{ level: one.level, type, may, where: [...one.where, ...other.where] }];
}
/** A wildcard leaves out what wants to be asked for by name: it must not come in by the other's naming it. */
function lettersFor(scope: Scope, type: string): ReadonlySet<ScopeLetter> {
  const covered = scope.type === '*' && type !== '*' && scope.level !== 'system' ? policyOf(type).wildcard : undefined;
  return covered === undefined ? scope.may : new Set([...scope.may].filter(letter => covered.includes(letter)));
}
