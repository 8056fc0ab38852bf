import { type Caller, purposes } from '../access/caller.ts';
import { parseScopes } from '../access/scope.ts';
import type { Account, Hat } from '../account/account.ts';
import { Problem } from '../fhir/problem.ts';
import type { KeyName } from '../fhir/types.ts';
import type { Client } from './client.ts';

/** The claims of one of our access tokens. */
export interface Claims {
  readonly jti: string;
  readonly client_id: string;
  readonly scope: string;
  readonly grant: string;
  /** The account, where a person is behind it. */
  readonly account?: string;
  /** Id of the one Patient that a `patient/` token is about. */
  readonly patient?: string;
  /** As whom it acts. */
  readonly fhirUser?: string;
  /** The key that whoever uses it must have (RFC 9449). */
  readonly cnf?: { readonly jkt?: string };
}

/**
 * Verified claims and what is kept about client and account now → Caller. Pure.
 * Throws Problem 'login' where the account no longer has the hat that the token acts under.
 */
export function callerOf(claims: Claims, client: Client, account: Account | undefined, grantEpoch: number): Caller {
  const shared = { client: client.client_id, scopes: parseScopes(claims.scope).scopes, grant: claims.grant, token: claims.jti, grantEpoch };
  if (claims.account === undefined) {
    if (client.kind !== 'system' || client.organization === undefined)
      throw new Problem('login', 'the token names no account and its client is not a system client');
    const who: KeyName = `Organization/${client.organization}`;
    return { ...shared, kind: 'system', who, actors: [who], organization: client.organization, purpose: purposes.system };
  }
  const hat = account?.hats.find(one => one.resource !== undefined && one.resource === claims.fhirUser);
  if (account === undefined || hat?.resource === undefined) throw new Problem('login', 'the account may no longer act as the token says');
  return { ...shared, account: account.username, ...asHat(hat, hat.resource, claims) };
}

function asHat(hat: Hat, who: KeyName, claims: Claims): Pick<Caller, 'kind' | 'who' | 'actors' | 'record' | 'organization' | 'purpose'> {
  const record = claims.patient === undefined ? {} : { record: `Patient/${claims.patient}` as const };
  switch (hat.kind) {
    case 'patient':
      if (claims.patient !== undefined && who !== `Patient/${claims.patient}`) throw new Problem('login', 'the token is about another record than its patient');
      return { kind: 'patient', who, actors: [who], ...record, purpose: purposes.patient };
    case 'caregiver':
      return { kind: 'caregiver', who, actors: [who], ...record, purpose: purposes.caregiver };
    case 'practitioner': {
      const employer = hat.organization === undefined ? {} : { organization: hat.organization };
      return {
        kind: 'practitioner',
        who,
        actors: hat.organization === undefined ? [who] : [who, `Organization/${hat.organization}`],
        ...record,
        ...employer,
        purpose: purposes.practitioner,
      };
    }
    default:
      throw new Problem('login', `an account acts as ${hat.kind} in our own pages only`);
  }
}
