import { keepLexemes, withMembers } from '../fhir/json.ts';
import type { Instant, Meta, Resource, ResourceKey } from '../fhir/types.ts';

/** The resource as it is stored: type, id and meta first, so that whoever reads bytes finds them there. */
export function stamped(resource: Resource, key: ResourceKey, versionId: string, lastUpdated: Instant): Resource {
  const meta: Meta = withMembers(resource.meta ?? {}, { versionId, lastUpdated });
  const head = { resourceType: key.type, id: key.id, meta };
  return keepLexemes(resource, { ...head, ...resource, ...head });
}
