import { Buffer } from 'node:buffer';
import { type Caller, isHandOfCaregiver } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { parseJson } from '../fhir/json.ts';
import { type Coding, type KeyName, nameOf, type Resource, type ResourceKey, type ResourceType } from '../fhir/types.ts';
import type { Confidentiality, Facets, Indexed, RecordId } from '../search/indexed.ts';
import type { AuditLabels, AuditOutcome, AuditRecord } from './record.ts';
import { renderAuditEvent } from './render.ts';

/** What happened, as the road knows it. */
export interface Happening {
  readonly id: string;
  readonly at: string;
  readonly code: string;
  readonly outcome: AuditOutcome;
  readonly why?: string;
  readonly caller?: Caller;
  readonly address?: string;
  readonly server: string;
  readonly request: string;
  readonly target?: AuditRecord['target'];
  /** What it touched. Of one record, or of none. */
  readonly touched: readonly { readonly type: ResourceType; readonly facets: Facets }[];
  /** What it asked for, whether anything of it was touched or not. */
  readonly types?: readonly ResourceType[];
  readonly record?: RecordId;
  readonly reasons: readonly Reason[];
  /** Consents besides those of the reasons. */
  readonly relied?: readonly string[];
  /** Its reasons may tell what is hidden: for the patient alone. */
  readonly inFull?: true;
  readonly query?: string;
  readonly count?: number;
}

/** A happening → the line that is kept. Pure. */
export function auditRecord(happening: Happening): AuditRecord {
  const { caller, record } = happening;
  return {
    id: happening.id,
    at: happening.at,
    code: happening.code,
    outcome: happening.outcome,
    ...(happening.why === undefined ? {} : { why: happening.why }),
    ...(caller === undefined
      ? {}
      : {
          caller: {
            kind: caller.kind,
            client: caller.client,
            ...(caller.account === undefined ? {} : { account: caller.account }),
            who: caller.who,
            ...((caller.kind === 'caregiver' || isHandOfCaregiver(caller)) && caller.record !== undefined ? { onBehalfOf: caller.record } : {}),
            purpose: caller.purpose,
            token: caller.token,
          },
        }),
    ...(happening.address === undefined ? {} : { address: happening.address }),
    server: happening.server,
    request: happening.request,
    ...(happening.target === undefined ? {} : { target: happening.target }),
    ...(record === undefined ? {} : { record }),
    consents: [...new Set([...happening.reasons.flatMap(reason => reason.sources), ...(happening.relied ?? [])])]
      .filter(source => source.startsWith('Consent/'))
      .sort(),
    ...(happening.query === undefined ? {} : { query: happening.query }),
    ...(happening.count === undefined ? {} : { count: happening.count }),
    labels: labelsOf(happening),
  };
}

function labelsOf({ id, touched, types = [], record, inFull }: Happening): AuditLabels {
  const facets = touched.map(one => one.facets);
  const [only] = facets;
  const codes = new Map(facets.flatMap(one => one.codes).map((coding): [string, Coding] => [`${coding.system ?? ''}|${coding.code}`, coding]));
  const authors = [...new Set(facets.flatMap(one => one.authors))];
  // Of several nothing is told one by one. Two names: what a permit picks by might fit none of them, so it then permits nothing (search/granted.ts).
  const several: readonly KeyName[] = [nameOf({ type: 'AuditEvent', id }), ...(record === undefined ? [] : [record])];
  return {
    confidentiality: Math.max(inFull ? 5 : 3, ...facets.map(one => one.confidentiality)) as Confidentiality,
    sensitivity: [...new Set(facets.flatMap(one => one.sensitivity))].sort(),
    types: [...new Set([...types, ...touched.flatMap(one => [one.type, ...(one.facets.targetTypes ?? [])])])].sort(),
    ...(codes.size === 0 ? {} : { codes: [...codes.values()] }),
    ...(only === undefined
      ? {}
      : {
          dates: { low: finite(Math.min(...facets.map(one => one.clinicalDate.low))), high: finite(Math.max(...facets.map(one => one.clinicalDate.high))) },
          about: facets.length === 1 ? only.about : several,
        }),
    ...(authors.length === 0 ? {} : { authors }),
  };
}
const finite = (moment: number): number | null => (Number.isFinite(moment) ? moment : null);

/**
 * The line as the store keeps it: compact bytes, and the AuditEvent with the facets of what it is about, by which it is found and judged. All of it follows
 * from the record, so that it can be checked against the bytes that are in the chain (chain.ts).
 */
export function auditEntry(record: AuditRecord): { readonly id: string; readonly indexed: Indexed; readonly body: Uint8Array } {
  return { id: record.id, indexed: { resource: renderAuditEvent(record), facets: eventFacets(record) }, body: Buffer.from(JSON.stringify(record)) };
}

/** What stored bytes are indexed as. What was put into the log by other ways may be a whole AuditEvent, or nothing that can be read. */
export function storedResource({ type, id }: ResourceKey, body: Uint8Array): Resource {
  const value = parseJson(Buffer.from(body).toString('utf8')) as Resource;
  if (type !== 'AuditEvent' || value.resourceType !== undefined) return value;
  try {
    return auditEntry(value as unknown as AuditRecord).indexed.resource;
  } catch {
    return { resourceType: type, id };
  }
}

function eventFacets(record: AuditRecord): Facets {
  const at = Date.parse(record.at);
  const { confidentiality, sensitivity, types, codes = [], dates, authors = [], about = [nameOf({ type: 'AuditEvent', id: record.id })] } = record.labels;
  return {
    records: record.record === undefined ? [] : [record.record],
    origin: { kind: 'server', by: record.server },
    confidentiality,
    sensitivity,
    codes,
    clinicalDate: dates === undefined ? { low: at, high: at } : { low: dates.low ?? -Infinity, high: dates.high ?? Infinity },
    authors,
    about,
    // A permit must cover the log and all that the line is about; a denial of any of it hides the line.
    targetTypes: [...new Set(['AuditEvent', ...types])],
  };
}
