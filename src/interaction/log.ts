import type { Caller } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { auditEntry, auditRecord, type Happening } from '../audit/event.ts';
import type { AuditOutcome, AuditRecord } from '../audit/record.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import type { Facets, RecordId } from '../search/indexed.ts';
import type { Change, Version } from '../store/store.ts';
import type { Parts } from './parts.ts';

/** What a request did or tried, gathered along the road. */
export interface Log {
  /** The rules' reasons, and what they were about. A refusal is told by the last of these. */
  asked(reasons: readonly Reason[], target?: AuditRecord['target'], facets?: Facets): void;
  /** A line for each record that the versions belong to, or one without a record. */
  shown(versions: readonly Version[], query: string | undefined): readonly Change[];
  /** A line for one resource that a write made or found, in whose commit it goes. */
  wrote(code: string, target: NonNullable<AuditRecord['target']>, facets: Facets, reasons: readonly Reason[]): readonly Change[];
  /** The line for a request that ended early. */
  failed(error: unknown): readonly Change[];
}

const outcomeOf = (error: unknown): AuditOutcome => {
  if (!(error instanceof Problem) || error.code === 'exception' || error.code === 'unavailable') return '12';
  return ['forbidden', 'not-found', 'login'].includes(error.code) ? '8' : '4';
};

/** Lines for one request of one caller. With the log off, none. */
export function openLog(parts: Parts, caller: Caller, code: string, request: string): Log {
  let last: { readonly reasons: readonly Reason[]; readonly target?: AuditRecord['target']; readonly facets?: Facets } = { reasons: [] };
  const line = (happening: Omit<Happening, 'id' | 'at' | 'caller' | 'server' | 'request'>): readonly Change[] => {
    if (!parts.audit) return [];
    const address = caller.address === undefined ? {} : { address: caller.address };
    return [
      { op: 'event', ...auditEntry(auditRecord({ id: parts.newId(), at: parts.now(), caller, server: parts.base(), request, ...address, ...happening })) },
    ];
  };
  return {
    asked(reasons, target, facets) {
      last = { reasons, ...(target === undefined ? {} : { target }), ...(facets === undefined ? {} : { facets }) };
    },
    shown(versions, query) {
      const groups = groupByRecord(versions, caller.record);
      const [only] = versions;
      const target = query === undefined && only !== undefined ? { target: { ...only.key, versionId: only.versionId } } : {};
      // A search's text may name what other records hold, so it is kept only where one record is all that it was about.
      const text = query !== undefined && caller.record !== undefined ? { query } : {};
      return groups.flatMap(({ record, touched }) =>
        line({ code, outcome: '0', touched, reasons: last.reasons, ...target, ...text, ...(record === undefined ? {} : { record }) }),
      );
    },
    wrote(done, target, facets, reasons) {
      const touched = [{ type: target.type, facets }];
      const records = facets.records.length === 0 ? [undefined] : facets.records;
      return records.flatMap(record => line({ code: done, outcome: '0', target, touched, reasons, ...(record === undefined ? {} : { record }) }));
    },
    failed(error) {
      const why = error instanceof Problem ? error.message : 'failed';
      const denial = last.reasons.filter(reason => reason.effect === 'deny').map(reason => `${reason.rule}: ${reason.because}`);
      const touched = last.target === undefined || last.facets === undefined ? [] : [{ type: last.target.type, facets: last.facets }];
      const record = last.facets?.records[0] ?? caller.record;
      return line({
        code,
        outcome: outcomeOf(error),
        why: denial.length > 0 ? denial.join('; ') : why,
        touched,
        reasons: last.reasons,
        ...(last.target === undefined ? {} : { target: last.target }),
        ...(record === undefined ? {} : { record }),
      });
    },
  };
}

interface Group {
  readonly record: RecordId | undefined;
  readonly touched: readonly { readonly type: ResourceType; readonly facets: Facets }[];
}
function groupByRecord(versions: readonly Version[], own: RecordId | undefined): readonly Group[] {
  const groups = new Map<RecordId | undefined, { type: ResourceType; facets: Facets }[]>();
  const put = (record: RecordId | undefined, version: Version): void => {
    const touched = groups.get(record) ?? [];
    groups.set(record, touched);
    touched.push({ type: version.key.type, facets: version.facets });
  };
  for (const version of versions) for (const record of version.facets.records.length === 0 ? [own] : version.facets.records) put(record, version);
  if (groups.size === 0) groups.set(own, []);
  return [...groups].map(([record, touched]) => ({ record, touched }));
}
