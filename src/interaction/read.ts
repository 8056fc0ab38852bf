import { Buffer } from 'node:buffer';
import { printJson } from '../fhir/json.ts';
import { Problem } from '../fhir/problem.ts';
import { nameOf, type ResourceKey } from '../fhir/types.ts';
import { readSubset, type Subset } from '../search/subset.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import type { Answer, FhirRequest, ReadInteraction, ReadPlan } from './interaction.ts';
import { subsetOf } from './summary.ts';

interface KeyPlan extends ReadPlan {
  readonly key: ResourceKey;
  readonly versionId?: string;
  /** Etags and time of what the client has already. */
  readonly has: { readonly etags: readonly string[]; readonly since: number | undefined };
  /** Absent: all of it. */
  readonly subset?: Subset;
}

function planRead({ path: [type = '', id = '', , versionId], query, headers }: FhirRequest): KeyPlan {
  const etags = (headers['if-none-match'] ?? '')
    .split(',')
    .map(etag => etag.trim().replace(/^W\//, ''))
    .filter(etag => etag !== '');
  const since = Date.parse(headers['if-modified-since'] ?? '');
  const subset = readSubset(type, query);
  return {
    action: 'read',
    types: [type],
    key: { type, id },
    alsoNeeds: [],
    alsoBrings: [],
    has: { etags, since: Number.isNaN(since) ? undefined : since },
    ...(versionId === undefined ? {} : { versionId }),
    ...(subset === undefined ? {} : { subset }),
  };
}
/** The headers that tell a version: http://hl7.org/fhir/R4/http.html#versions */
export const versionHeaders = (version: Version): Record<string, string> => ({
  ETag: `W/"${version.versionId}"`,
  'Last-Modified': new Date(version.lastUpdated).toUTCString(),
});

/** The words for what is not there and for what is not yours: they must not differ. */
export const notFound = (key: ResourceKey): Problem => new Problem('not-found', `${nameOf(key)} was not found`);

async function answerRead(plan: KeyPlan, reader: ResourceReader): Promise<Answer> {
  const version = await reader.read(plan.key, plan.versionId);
  if (version === undefined) throw notFound(plan.key);
  if (version.deleted) throw new Problem('deleted', `${nameOf(plan.key)} was deleted`, { headers: versionHeaders(version) });
  const { etags, since } = plan.has;
  const fresh =
    etags.length > 0
      ? etags.includes(`"${version.versionId}"`) || etags.includes('*')
      : since !== undefined && Math.floor(Date.parse(version.lastUpdated) / 1000) * 1000 <= since;
  if (fresh) return { status: 304, headers: versionHeaders(version), shows: [version] };
  const part = plan.subset && subsetOf(version.parsed(), plan.subset);
  return { status: 200, body: { raw: part === undefined ? version.body : Buffer.from(printJson(part)) }, headers: versionHeaders(version), shows: [version] };
}

/** http://hl7.org/fhir/R4/http.html#read */
export const read: ReadInteraction<KeyPlan> = { code: 'read', effect: 'read', plan: planRead, answer: answerRead };

/** http://hl7.org/fhir/R4/http.html#vread */
export const vread: ReadInteraction<KeyPlan> = { code: 'vread', effect: 'read', plan: planRead, answer: answerRead };
