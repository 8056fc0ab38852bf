import { randomBytes } from 'node:crypto';
import {
  type AuthenticationResponseJSON,
  type AuthenticatorTransport,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { isElement } from '../access/elements.ts';
import type { Account, Passkey } from './account.ts';
import type { AccountParts } from './parts.ts';

/** WebAuthn, Level 3: the only import of its library. User verification is required, so a passkey is two factors by itself. */

/** Whose a credential is, and the user handle that it was made with. */
export interface Owner {
  readonly account: string;
  readonly user: string;
}

/** Passkeys are of the host of the public URL, and used on its pages only. */
const site = ({ url }: Pick<AccountParts, 'url'>): { readonly rpID: string; readonly origin: string } => {
  const { hostname, origin } = new URL(url());
  return { rpID: hostname, origin };
};
const allowed = ({ passkeys = [] }: Account) =>
  passkeys.map(({ id, transports }) => ({ id, ...(transports === undefined ? {} : { transports: [...transports] as AuthenticatorTransport[] }) }));

/** JSON for `navigator.credentials.get`. `account` absent: whichever discoverable passkey of ours the person chooses. */
export const askForPasskey = (account: Account | undefined, parts: AccountParts) =>
  generateAuthenticationOptions({
    rpID: site(parts).rpID,
    userVerification: 'required',
    timeout: parts.settings.ticket,
    ...(account === undefined ? {} : { allowCredentials: allowed(account) }),
  });

/** JSON for `navigator.credentials.create`. `user`: the handle of the person's other passkeys, where she has some. */
export const askForNewPasskey = (account: Account, user: string | undefined, parts: AccountParts) =>
  generateRegistrationOptions({
    rpName: 'Kindred',
    rpID: site(parts).rpID,
    userName: account.username,
    userDisplayName: account.name ?? account.username,
    // Random, so that it tells nothing about the person (WebAuthn §14.6.1).
    userID: user === undefined ? new Uint8Array(randomBytes(32)) : new Uint8Array(Buffer.from(user, 'base64url')),
    timeout: parts.settings.ticket,
    excludeCredentials: allowed(account),
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  });

/** Id of the credential that a browser's answer names; undefined where it is no such answer. */
export const credentialOf = (response: unknown): string | undefined =>
  isElement(response) && typeof response.id === 'string' && /^[A-Za-z0-9_-]{1,1400}$/.test(response.id) && isElement(response.response)
    ? response.id
    : undefined;

/** The passkey with its new counter, and whether it is bound to one device; undefined where the answer does not hold. */
export async function checkPasskey(
  account: Account,
  owner: Owner | undefined,
  response: unknown,
  challenge: string,
  parts: AccountParts,
): Promise<{ readonly passkey: Passkey; readonly oneDevice: boolean } | undefined> {
  const id = credentialOf(response);
  const passkey = account.passkeys?.find(one => one.id === id);
  if (passkey === undefined || owner?.account !== account.username) return undefined;
  const handle = (response as AuthenticationResponseJSON).response.userHandle;
  if (handle !== undefined && handle !== null && handle !== owner.user) return undefined;
  const { rpID, origin } = site(parts);
  const verified = await verifyAuthenticationResponse({
    response: response as AuthenticationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
    // It throws where the counter has not risen: somebody may have a copy.
    credential: { id: passkey.id, publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')), counter: passkey.counter },
  }).catch(() => undefined);
  if (verified?.verified !== true) return undefined;
  const { newCounter, credentialDeviceType } = verified.authenticationInfo;
  return { passkey: { ...passkey, counter: newCounter }, oneDevice: credentialDeviceType === 'singleDevice' };
}

/** A passkey that was just made; undefined where the answer does not hold. */
export async function readNewPasskey(response: unknown, challenge: string, name: string, parts: AccountParts): Promise<Passkey | undefined> {
  if (credentialOf(response) === undefined) return undefined;
  const { rpID, origin } = site(parts);
  const verified = await verifyRegistrationResponse({
    response: response as RegistrationResponseJSON,
    expectedChallenge: challenge,
    expectedOrigin: origin,
    expectedRPID: rpID,
    requireUserVerification: true,
  }).catch(() => undefined);
  if (verified?.verified !== true) return undefined;
  const { id, publicKey, counter, transports } = verified.registrationInfo.credential;
  return {
    id,
    publicKey: Buffer.from(publicKey).toString('base64url'),
    counter,
    ...(transports === undefined ? {} : { transports: transports.filter(one => typeof one === 'string').slice(0, 10) }),
    name,
    created: parts.now(),
  };
}
