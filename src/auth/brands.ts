import type { Organization } from '../account/account.ts';
import type { Instant } from '../fhir/types.ts';
import type { ResourceStore } from '../store/store.ts';
import { audienceOf } from './verify.ts';

const extension = (name: string) => `http://hl7.org/fhir/StructureDefinition/${name}`;

/**
 * Who can be reached here, for apps that let people choose (SMART App Launch 2.2, User-access brands): the organizations that are configured, each with this
 * portal, and the one FHIR endpoint. `since`: when this server began.
 */
export async function brandBundle(store: ResourceStore, url: string, since: Instant): Promise<object> {
  const organizations = (await store.documents('organization')).map(({ value }) => value as Organization);
  const endpoint = {
    resourceType: 'Endpoint',
    id: 'fhir',
    extension: [{ url: extension('endpoint-fhir-version'), valueCode: '4.0.1' }],
    status: 'active',
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
    name: 'Kindred FHIR R4',
    contact: [{ system: 'url', value: url }],
    payloadType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] }],
    address: audienceOf(url),
  };
  // The identifier that smart-configuration names is that of the first organization that belongs to no other.
  const first = organizations.find(one => one.partOf === undefined);
  const resources = [endpoint, ...organizations.map(one => brand(one, url, one === first))];
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: since,
    entry: resources.map(resource => ({ fullUrl: `${audienceOf(url)}/${resource.resourceType}/${resource.id}`, resource })),
  };
}

const brand = ({ id, name, partOf }: Organization, url: string, first: boolean) => ({
  resourceType: 'Organization',
  id,
  extension: [
    {
      url: extension('organization-portal'),
      extension: [
        { url: 'portalName', valueString: `${name} on Kindred` },
        { url: 'portalUrl', valueUrl: url },
        { url: 'portalEndpoint', valueReference: { reference: 'Endpoint/fhir' } },
      ],
    },
  ],
  ...(first ? { identifier: [brandIdentifier(url)] } : {}),
  active: true,
  name,
  telecom: [{ system: 'url', value: url }],
  ...(partOf === undefined ? {} : { partOf: { reference: `Organization/${partOf}` } }),
  endpoint: [{ reference: 'Endpoint/fhir' }],
});

/** By which apps find the brand of this server in the bundle. */
export const brandIdentifier = (url: string) => ({ system: 'urn:ietf:rfc:3986', value: url });
