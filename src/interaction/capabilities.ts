import { policyOf } from '../access/policies/index.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import type { Resource, ResourceType } from '../fhir/types.ts';
import type { Registry } from '../search/registry.ts';
import type { Answer } from './interaction.ts';
import { table } from './table.ts';

const typeLevel = new Set(['read', 'vread', 'update', 'delete', 'history-instance', 'create', 'search-type']);

/**
 * http://hl7.org/fhir/R4/http.html#capabilities – made from the tables that the server runs on, so that it cannot disagree with them.
 * `since`: when this process began.
 */
export function capabilities(registry: Registry, base: string, since: string, secured: boolean): Answer {
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
        ...(secured
          ? {
              security: {
                cors: false,
                service: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }] }],
                description: 'A bearer token with SMART scopes; what it shows and changes is decided by the Consents of each record.',
              },
            }
          : {}),
        resource: [...resourceTypes].sort().map(type => describe(type, registry)),
        interaction: [{ code: 'transaction' }, { code: 'batch' }],
      },
    ],
  };
  return { status: 200, body: { resource }, shows: [] };
}

function describe(type: ResourceType, registry: Registry): object {
  const refused: readonly string[] = policyOf(type).notAllowed ?? [];
  const codes = [...new Set(table.map(row => row.code))].filter(code => typeLevel.has(code) && !refused.includes(code));
  const includes = registry.includesOf(type).map(param => `${type}:${param.code}`);
  return {
    type,
    interaction: codes.map(code => ({ code })),
    versioning: 'versioned',
    readHistory: true,
    updateCreate: !refused.includes('update') && policyOf(type).noChosenIds !== true,
    conditionalCreate: !refused.includes('create'),
    conditionalRead: 'full-support',
    referencePolicy: ['literal', 'logical'],
    ...(includes.length === 0 ? {} : { searchInclude: includes }),
    searchParam: registry.codesOf(type).map(name => ({ name, type: kindOf(type, name, registry) })),
  };
}
const kindOf = (type: ResourceType, name: string, registry: Registry): string =>
  name === '_id' ? 'token' : name === '_lastUpdated' ? 'date' : (registry.param(type, name)?.kind ?? 'special');
