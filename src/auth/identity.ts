import type { Account } from '../account/account.ts';
import type { OauthGrant } from './client.ts';
import { audienceOf } from './verify.ts';

/** What an id_token says of somebody: `fhirUser` is as whom this authorization acts (SMART App Launch 2.2 §Scopes for requesting identity data). */
export const accountClaims = ({ username, name }: Account, grant: OauthGrant | undefined, url: string): Readonly<Record<string, unknown>> => ({
  preferred_username: username,
  ...(name === undefined ? {} : { name }),
  ...(grant?.fhirUser === undefined ? {} : { fhirUser: `${audienceOf(url)}/${grant.fhirUser}` }),
});
