import type { Caller } from '../access/caller.ts';
import { parseScopes } from '../access/scope.ts';
import type { Choice } from '../account/accounts.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { Answer, FhirRequest } from '../interaction/interaction.ts';
import { ownPath } from './own-path.ts';
import type { AskedBySomebody, PortalParts, Reply } from './route.ts';

/** Everything that such a person may do: what of it is permitted, the Consents say. */
const { scopes } = parseScopes('patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs');
const purposes = { patient: 'PATRQT', caregiver: 'FAMRQT' } as const;

/**
 * Somebody in our own pages, acting for a record, as the rules know callers. Throws Problem 'forbidden' for a choice that names no record: a practitioner
 * does nothing in these pages.
 */
export function personOf({ account, from }: Pick<AskedBySomebody, 'account' | 'from'>, { kind, hat, record }: Choice): Caller {
  if (kind === 'practitioner' || record === undefined) throw new Problem('forbidden', 'these pages are about one record');
  return {
    kind,
    client: 'kindred',
    account: account.username,
    who: hat,
    actors: [hat],
    record,
    purpose: purposes[kind],
    scopes,
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
