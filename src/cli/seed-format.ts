import { Ajv } from 'ajv';
import type { Account, Organization } from '../account/account.ts';
import type { Client } from '../auth/client.ts';
import { mistakesOf } from '../auth/mistakes.ts';
import { metadataProperties, mistakesInContent } from '../auth/registration.ts';
import type { KeyName, Resource } from '../fhir/types.ts';

/** A seed file: who there is, and what is stored to begin with. */
export interface Seed {
  readonly organizations?: readonly Organization[];
  readonly accounts?: readonly Account[];
  readonly clients?: readonly Client[];
  readonly records?: readonly { readonly patients: readonly KeyName[]; readonly enrolled: readonly string[] }[];
  readonly resources?: readonly {
    readonly origin: { readonly kind: 'organization' | 'patient' | 'caregiver'; readonly by: string };
    readonly resource: Resource & { readonly id: string };
  }[];
}
const id = { type: 'string', pattern: '^[A-Za-z0-9\\-.]{1,64}$' };
const text = { type: 'string', minLength: 1 };
const object = (required: Record<string, unknown>, optional: Record<string, unknown> = {}, more = false) => ({
  type: 'object',
  required: Object.keys(required),
  properties: { ...required, ...optional },
  additionalProperties: more,
});
const list = (items: unknown) => ({ type: 'array', items });
const patient = { type: 'string', pattern: '^Patient/[A-Za-z0-9\\-.]{1,64}$' };
const reference = { type: 'string', pattern: '^(Patient|RelatedPerson|Practitioner)/[A-Za-z0-9\\-.]{1,64}$' };
const hat = object({ kind: { enum: ['patient', 'caregiver', 'practitioner', 'front-desk', 'privacy-officer'] } }, { resource: reference, organization: id });

const schema = object(
  {},
  {
    organizations: list(object({ id, name: text }, { partOf: id })),
    accounts: list(
      object(
        { username: text, hats: list(hat) },
        {
          password: { type: 'string', minLength: 8 },
          totp: { type: 'string', pattern: '^[A-Z2-7]+=*$' },
          email: { type: 'string', pattern: '^[^@\\s]+@[^@\\s]+$', maxLength: 254 },
          name: { type: 'string', minLength: 1, maxLength: 200 },
        },
      ),
    ),
    clients: list(
      object(
        { client_id: text, client_name: text, kind: { enum: ['system', 'app'] }, scope: text },
        {
          ...metadataProperties,
          organization: id,
          client_secret: text,
          launch: { type: 'boolean' },
          introspect: { type: 'boolean' },
          launch_uri: { type: 'string', pattern: '^https?://[^\\s]+$' },
        },
        true,
      ),
    ),
    records: list(object({ patients: { ...list(patient), minItems: 1, maxItems: 1 }, enrolled: list(id) })),
    resources: list(
      object({
        origin: object({ kind: { enum: ['organization', 'patient', 'caregiver'] }, by: text }),
        resource: object({ resourceType: text, id }, {}, true),
      }),
    ),
  },
);
const check = new Ajv({ allErrors: true, strict: false }).compile(schema);

/** What is wrong with a seed, each with its JSON pointer; empty where nothing is. */
export function mistakesIn(value: unknown): readonly string[] {
  if (!check(value)) return mistakesOf(check.errors);
  const seed = value as Seed;
  const ofClients = (seed.clients ?? []).flatMap((one, index) => mistakesInContent(one).map(mistake => `/clients/${index}${mistake}`));
  return [...unknownNames(seed), ...ofClients];
}
/** Names that must exist, once the shape is right. */
function unknownNames(seed: Seed): readonly string[] {
  const known = new Set((seed.organizations ?? []).map(one => one.id));
  const unknown = (pointer: string, name: string | undefined): string[] =>
    name === undefined || known.has(name) ? [] : [`${pointer}: there is no organization \`${name}\` in the seed`];
  return [
    ...(seed.organizations ?? []).flatMap((one, index) => unknown(`/organizations/${index}/partOf`, one.partOf)),
    ...(seed.accounts ?? []).flatMap((one, index) =>
      one.hats.flatMap((worn, place) => unknown(`/accounts/${index}/hats/${place}/organization`, worn.organization)),
    ),
    ...(seed.clients ?? []).flatMap((one, index) => unknown(`/clients/${index}/organization`, one.organization)),
    ...(seed.clients ?? []).flatMap((one, index) =>
      one.kind === 'system' && one.organization === undefined ? [`/clients/${index}: a system client works for an organization`] : [],
    ),
    ...(seed.records ?? []).flatMap((one, index) => one.enrolled.flatMap((name, place) => unknown(`/records/${index}/enrolled/${place}`, name))),
    ...(seed.resources ?? []).flatMap((one, index) => (one.origin.kind === 'organization' ? unknown(`/resources/${index}/origin/by`, one.origin.by) : [])),
  ];
}
