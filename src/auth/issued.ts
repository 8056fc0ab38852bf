import { errors } from 'oidc-provider';
import type { Occurrence } from '../audit/occurrence.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import type { Client, OauthGrant } from './client.ts';
import type { ProviderParts } from './provider.ts';

interface IssuedParts {
  readonly store: ResourceStore;
  now(): string;
  note(occurrence: Occurrence): readonly Change[];
  addressOf(message: import('node:http').IncomingMessage): string;
}
/** The record of a backend token's authorization outlives it by so many milliseconds, for clocks that differ. */
const LATE_MS = 60_000;

/** A token is in the log before it is signed; a backend service's comes with an authorization of its own, by which it can be ended. */
export const issuedBy =
  ({ store, now, note, addressOf }: IssuedParts): ProviderParts['issued'] =>
  async (context, claims) => {
    const { grant: id, client_id: client, scope, jti, account } = claims;
    const refreshed = context.oidc.params?.grant_type === 'refresh_token';
    const shared = { code: refreshed ? 'refresh' : 'token', client, token: jti, text: scope, address: addressOf(context.req) } as const;
    const at = now();
    if (account !== undefined) {
      const { patient, fhirUser, consent } = (await store.document('grant', id)) as OauthGrant;
      const behalf = fhirUser?.startsWith('RelatedPerson/') && patient !== undefined ? ({ onBehalfOf: `Patient/${patient}` } as const) : {};
      await store.commit(
        note({
          ...shared,
          account,
          ...(fhirUser === undefined ? {} : { who: fhirUser }),
          ...behalf,
          ...(patient === undefined ? {} : { record: `Patient/${patient}` as const }),
          ...(consent === undefined ? {} : { consents: [consent] }),
        }),
        at,
      );
      return;
    }
    const { organization } = ((await store.document('client', client)) as Client | undefined) ?? {};
    const grant: OauthGrant = { id, client, scope, active: true, created: at };
    const made = await store.commit(
      [
        { op: 'document', kind: 'grant', id, value: grant, expect: 'absent', expires: claims.exp * 1000 + LATE_MS },
        ...note({ ...shared, ...(organization === undefined ? {} : { who: `Organization/${organization}` as const }) }),
      ],
      at,
    );
    if (!made.ok) throw new errors.InvalidGrant('the authorization could not be stored');
  };
