import { caredFor } from '../account/account.ts';
import type { ResourceStore } from '../store/store.ts';
import type { Claims } from './caller.ts';
import type { OauthGrant } from './client.ts';
import { standingGrant, usableAccount, usableClient } from './grants.ts';

/** The authorization, as long as it stands and its account may act as it says: the hat is still worn, and a RelatedPerson stands for the patient. */
export async function actingGrant(id: string, store: ResourceStore, now: number): Promise<OauthGrant | undefined> {
  const grant = (await standingGrant(id, store, now))?.grant;
  if (grant?.account === undefined || grant.fhirUser === undefined) return grant;
  const { fhirUser, patient } = grant;
  const account = await usableAccount(grant.account, store);
  if (account === undefined || !account.hats.some(hat => hat.resource === fhirUser)) return undefined;
  if (!fhirUser.startsWith('RelatedPerson/') || patient === undefined) return grant;
  return (await caredFor(fhirUser, store)) === `Patient/${patient}` ? grant : undefined;
}

/** Whether the FHIR server would take the token now, as far as it rests on who is behind it. */
export async function tokenStands({ grant, client_id }: Claims, store: ResourceStore, now: number): Promise<boolean> {
  return (await actingGrant(grant, store, now)) !== undefined && (await usableClient(client_id, store)) !== undefined;
}
