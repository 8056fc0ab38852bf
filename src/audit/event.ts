import { Buffer } from 'node:buffer';
import type { Caller } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { nameOf } from '../fhir/types.ts';
import type { Confidentiality, Facets, Indexed, RecordId } from '../search/indexed.ts';
import type { AuditOutcome, AuditRecord } from './record.ts';
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
  readonly touched: readonly { readonly type: string; readonly facets: Facets }[];
  readonly record?: RecordId;
  readonly reasons: readonly Reason[];
  readonly query?: string;
  readonly count?: number;
}

/** A happening → the line that is kept. Pure. */
export function auditRecord(happening: Happening): AuditRecord {
  const { caller, touched, record } = happening;
  const facets = touched.map(one => one.facets);
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
            ...(caller.kind === 'caregiver' && caller.record !== undefined ? { onBehalfOf: caller.record } : {}),
            purpose: caller.purpose,
            token: caller.token,
          },
        }),
    ...(happening.address === undefined ? {} : { address: happening.address }),
    server: happening.server,
    request: happening.request,
    ...(happening.target === undefined ? {} : { target: happening.target }),
    ...(record === undefined ? {} : { record }),
    consents: [...new Set(happening.reasons.flatMap(reason => reason.sources.filter(source => source.startsWith('Consent/'))))].sort(),
    ...(happening.query === undefined ? {} : { query: happening.query }),
    ...(happening.count === undefined ? {} : { count: happening.count }),
    labels: {
      confidentiality: Math.max(3, ...facets.map(one => one.confidentiality)) as Confidentiality,
      sensitivity: [...new Set(facets.flatMap(one => one.sensitivity))].sort(),
      types: [...new Set(touched.map(one => one.type))].sort(),
    },
  };
}

/** The line as the store keeps it: compact bytes, and the AuditEvent with the facets of what it is about, by which it is found and judged. */
export function auditEntry(record: AuditRecord): { readonly id: string; readonly indexed: Indexed; readonly body: Uint8Array } {
  return { id: record.id, indexed: { resource: renderAuditEvent(record), facets: eventFacets(record) }, body: Buffer.from(JSON.stringify(record)) };
}

function eventFacets(record: AuditRecord): Facets {
  const at = Date.parse(record.at);
  return {
    records: record.record === undefined ? [] : [record.record],
    origin: { kind: 'server', by: record.server },
    confidentiality: record.labels.confidentiality,
    sensitivity: record.labels.sensitivity,
    codes: [],
    clinicalDate: { low: at, high: at },
    authors: [],
    about: [nameOf({ type: 'AuditEvent', id: record.id })],
  };
}
