import { type Caller, purposes } from '../access/caller.ts';
import { parseScopes } from '../access/scope.ts';
import type { Choice } from '../account/accounts.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import { ownPath } from './own-path.ts';
import type { AskedBySomebody, PortalParts, Reply } from './route.ts';

/** What each may do here: what of it is permitted, the Consents say. A practitioner finds a patient, and a visit of the one that was chosen. */
const scopesOf = {
  record: parseScopes('patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs').scopes,
  practitioner: parseScopes('user/Patient.rs').scopes,
  ofPatient: parseScopes('patient/Patient.rs patient/Encounter.rs').scopes,
} as const;

/**
 * Somebody in our own pages, as the rules know callers. A practitioner's choice names a record once a patient has been chosen; until then every patient whom
 * the practitioner may see is in reach. Throws Problem 'forbidden' for anybody else's choice that names no record.
 */
export function personOf({ account, from }: Pick<AskedBySomebody, 'account' | 'from'>, { kind, hat, record }: Choice): Caller {
  const isPractitioner = kind === 'practitioner';
  if (!isPractitioner && record === undefined) throw new Problem('forbidden', 'these pages are about one record');
  const organization = isPractitioner ? account.hats.find(one => one.resource === hat)?.organization : undefined;
  return {
    kind,
    client: 'kindred',
    account: account.username,
    who: hat,
    actors: organization === undefined ? [hat] : [hat, `Organization/${organization}`],
    ...(record === undefined ? {} : { record }),
    ...(organization === undefined ? {} : { organization }),
    purpose: purposes[kind],
    scopes: isPractitioner ? scopesOf[record === undefined ? 'practitioner' : 'ofPatient'] : scopesOf.record,
    grant: 'kindred',
    token: 'page',
    grantEpoch: 0,
    address: from.address,
  };
}

/** As whom the person acts: what was chosen, while the account still has it; else the own record; else the only one there is. */
export async function actingAs({ session, account }: AskedBySomebody, { accounts }: PortalParts): Promise<Choice | undefined> {
  const choices = (await accounts.choices(account)).filter(choice => choice.record !== undefined);
  const { acting } = session;
  const chosen = choices.find(({ hat, record }) => hat === acting?.hat && record === acting.record);
  return chosen ?? choices.find(({ kind }) => kind === 'patient') ?? (choices.length === 1 ? choices[0] : undefined);
}

/** Who acts for somebody else is shown it on every page: the only choice that there is is taken as if it had been made, and the page asked for again. */
export async function taken({ kind, hat, record }: Choice, { session, request }: AskedBySomebody, { accounts }: PortalParts): Promise<Reply | undefined> {
  if (kind !== 'caregiver' || request.method === 'POST' || session.acting?.hat === hat) return undefined;
  const acting = await accounts.act(session, hat, record);
  return acting === undefined ? undefined : { redirect: ownPath(request.url) ?? '/records' };
}

/** A read along the road; `path` as in a FHIR URL below the base. */
export const getOf = (path: readonly string[], query: FhirRequest['query'] = []): FhirRequest => ({ method: 'GET', path, query, headers: {} });

/** The one resource of an answer. */
export function resourceOf({ body }: Answer): Resource {
  if (body !== undefined && 'resource' in body) return body.resource;
  if (body !== undefined && 'raw' in body) return parsed(body.raw);
  throw new Problem('exception', 'the answer is not one resource');
}
/** The matches of a Bundle answer. */
export function matchesOf({ body }: Answer): readonly Resource[] {
  const entries = body !== undefined && 'entries' in body ? body.entries : [];
  return entries.flatMap(entry =>
    entry.body === undefined || (entry.search !== undefined && entry.search.mode !== 'match') ? [] : [isBytes(entry.body) ? parsed(entry.body) : entry.body],
  );
}
const isBytes = (body: Uint8Array | Resource): body is Uint8Array => body instanceof Uint8Array;
const parsed = (bytes: Uint8Array): Resource => JSON.parse(Buffer.from(bytes).toString('utf8')) as Resource;
