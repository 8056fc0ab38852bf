import { canonical } from '../access/canonical.ts';
import { policyOf } from '../access/policies/index.ts';
import { compartments, resourceTypes } from '../fhir/definitions/definitions.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import type { Registry } from '../search/registry.ts';
import type { Answer } from './interaction.ts';
import { operationsOf, table } from './table.ts';

const typeLevel = new Set(['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type']);

/**
 * http://hl7.org/fhir/R4/http.html#capabilities – made from the tables that the server runs on, so that it cannot disagree with them.
 * `since`: when this process began.
 */
export function capabilities(registry: Registry, base: string, since: string, authority: string | undefined): Answer {
  const referring = referringTo(registry);
  const resource: Resource = {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: since,
    kind: 'instance',
    software: { name: 'Kindred' },
    implementation: { description: 'Kindred, a FHIR server in which every permission over somebody else’s record is a Consent', url: base },
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'json'],
    rest: [
      {
        mode: 'server',
        ...(authority !== undefined
          ? {
              security: {
                extension: [oauthUris(authority)],
                cors: true,
                service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
                description: 'A bearer token with SMART scopes; what it shows and changes is decided by the Consents of each record.',
              },
            }
          : {}),
        resource: [...resourceTypes].sort().map(type => describe(type, registry, referring)),
        interaction: [{ code: 'transaction' }, { code: 'batch' }, { code: 'search-system' }],
        searchParam: general,
        compartment: [...compartments.keys()].sort().map(kind => `http://hl7.org/fhir/CompartmentDefinition/${kind.toLowerCase()}`),
      },
    ],
  };
  return { status: 200, body: { resource }, shows: [] };
}

function describe(type: ResourceType, registry: Registry, referring: ReadonlyMap<ResourceType, readonly string[]>): object {
  const refused: readonly string[] = policyOf(type).notAllowed ?? [];
  const codes = [...new Set(table.map(row => row.code))].filter(code => typeLevel.has(code) && !refused.includes(code));
  const includes = registry.includesOf(type).map(param => `${type}:${param.code}`);
  const revIncludes = referring.get(type) ?? [];
  const operations = operationsOf(type);
  return {
    type,
    interaction: codes.map(code => ({ code })),
    versioning: 'versioned',
    readHistory: true,
    updateCreate: !refused.includes('update') && policyOf(type).noChosenIds !== true,
    conditionalCreate: !refused.includes('create'),
    conditionalRead: 'full-support',
    referencePolicy: ['literal', 'logical'],
    ...(includes.length === 0 ? {} : { searchInclude: ['*', ...includes] }),
    ...(revIncludes.length === 0 ? {} : { searchRevInclude: ['*', ...revIncludes] }),
    ...(operations.length === 0 ? {} : { operation: operations.map(name => ({ name, definition: `${canonical}/OperationDefinition/${name}` })) }),
    searchParam: [...registry.codesOf(type).map(name => ({ name, type: kindOf(type, name, registry) })), ...everywhere],
  };
}
/** As http://hl7.org/fhir/R4/search.html#all has them; for these there are no definitions. */
const everywhere = [
  { name: '_has', type: 'string' },
  { name: '_list', type: 'string' },
];
/** Of a search of the whole server. */
const general = [{ name: '_type', type: 'string' }, ...everywhere];
const predicates: Readonly<Record<string, string>> = { _id: 'token', _lastUpdated: 'date' };
const kindOf = (type: ResourceType, name: string, registry: Registry): string => predicates[name] ?? registry.definitionOf(registry.param(type, name)!)!.type;

/** Type → the parameters, of whatever types, that may refer to it. */
function referringTo(registry: Registry): ReadonlyMap<ResourceType, readonly string[]> {
  const referring = new Map([...resourceTypes].map((type): [ResourceType, string[]] => [type, []]));
  for (const from of [...resourceTypes].sort())
    for (const param of registry.includesOf(from)) {
      const targets = registry.targetsOf(from, param);
      for (const type of targets.length === 0 ? resourceTypes : targets) referring.get(type)?.push(`${from}:${param.code}`);
    }
  return referring;
}

/** http://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#declaring-support-for-oauth2-endpoints; apps look into smart-configuration first. */
const oauthUris = (authority: string): object => ({
  url: 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris',
  extension: ['authorize', 'token', 'register', 'introspect', 'revoke'].map(name => ({ url: name, valueUri: `${authority}/${name}` })),
});
