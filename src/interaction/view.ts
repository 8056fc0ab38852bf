import { Buffer } from 'node:buffer';
import { renderSecurity } from '../access/labels.ts';
import type { AuditRecord } from '../audit/record.ts';
import { renderAuditEvent } from '../audit/render.ts';
import { printJson } from '../fhir/json.ts';
import type { Resource } from '../fhir/types.ts';
import type { Version } from '../store/store.ts';

const as = (version: Version, resource: Resource): Version => ({ ...version, body: Buffer.from(printJson(resource)), parsed: () => resource });

/**
 * A version as it is read. An AuditEvent's compact record becomes the BALP AuditEvent, and a resource that is labelled carries its computed labels in
 * `meta.security`; every other body leaves as the bytes that are stored.
 */
export function viewOf(version: Version): Version {
  if (version.deleted) return version;
  if (version.key.type === 'AuditEvent') return as(version, renderAuditEvent(version.parsed() as unknown as AuditRecord));
  const { confidentiality, sensitivity } = version.facets;
  if (confidentiality === 3 && sensitivity.length === 0) return version;
  const resource = version.parsed();
  const labelled = renderSecurity(resource, version.facets);
  return labelled === resource ? version : as(version, labelled);
}
