import type { Caller } from '../access/caller.ts';
import type { Reason } from '../access/decision.ts';
import { isRecordBound } from '../access/rules/level.ts';
import { auditEntry, auditRecord, type Happening } from '../audit/event.ts';
import type { AuditOutcome, AuditRecord } from '../audit/record.ts';
import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceKey, ResourceType } from '../fhir/types.ts';
import type { Facets, RecordId } from '../search/indexed.ts';
import type { Change, Version } from '../store/store.ts';
import { isId } from './body.ts';
import type { ReadPlan } from './interaction.ts';
import type { Parts } from './parts.ts';

/** What a request did or tried, gathered along the road. */
export interface Log {
  /** The rules' reasons, and what they were about. A refusal is told by the last of these. */
  asked(reasons: readonly Reason[], target?: AuditRecord['target'], facets?: Facets): void;
  /** A line for each record that the versions belong to, or one without a record. `relied`: the Consents that a search rested on there. */
  shown(versions: readonly Version[], plan: ReadPlan, relied: (record: RecordId | undefined) => readonly string[]): readonly Change[];
  /** A line for one resource that a write made or found, in whose commit it goes. */
  wrote(code: string, target: NonNullable<AuditRecord['target']>, facets: Facets, reasons: readonly Reason[]): readonly Change[];
  /**
   * The lines for a request that ended early. In the caller's own record it is told as the caller was, the same whether there is anything or not; in the
   * records of what it was about, with all reasons.
   */
  failed(error: unknown): readonly Change[];
}

const outcomeOf = (error: unknown): AuditOutcome => {
  if (!(error instanceof Problem) || error.code === 'exception' || error.code === 'unavailable') return '12';
  return ['forbidden', 'not-found', 'login'].includes(error.code) ? '8' : '4';
};

/** Lines for one request of one caller; `id` is the request's, `path` where it was sent. With the log off, none. */
export function openLog(parts: Parts, caller: Caller, code: string, id: string, path: readonly string[]): Log {
  let last: { readonly reasons: readonly Reason[]; readonly target?: AuditRecord['target']; readonly facets?: Facets } = { reasons: [] };
  const line = (happening: Omit<Happening, 'id' | 'at' | 'caller' | 'server' | 'request' | 'code'> & { readonly code?: string }): readonly Change[] => {
    if (!parts.audit) return [];
    const address = caller.address === undefined ? {} : { address: caller.address };
    return [
      {
        op: 'event',
        ...auditEntry(auditRecord({ id: parts.newId(), at: parts.now(), caller, server: parts.base(), request: id, ...address, code, ...happening })),
      },
    ];
  };
  return {
    asked(reasons, target, facets) {
      last = { reasons, ...(target === undefined ? {} : { target }), ...(facets === undefined ? {} : { facets }) };
    },
    shown(versions, { text, types: about, alsoNeeds, alsoBrings }, relied) {
      const groups = groupByRecord(versions, caller.record);
      const [only] = versions;
      const target = text === undefined && only !== undefined ? { target: { ...only.key, versionId: only.versionId } } : {};
      // A search's text may name what other records hold, so it is kept only where one record is all that it can be and was about.
      const query = text !== undefined && groups.length === 1 && isRecordBound(caller) ? { query: text } : {};
      // Where it showed nothing, only counted, or went through what it did not show, nothing says how careful one must be with its words: they are the patient's alone.
      const inFull = 'query' in query && (versions.length === 0 || alsoNeeds.length > 0) ? ({ inFull: true } as const) : {};
      const types = [...about, ...alsoNeeds, ...alsoBrings];
      return groups.flatMap(({ record, touched }) =>
        line({
          outcome: '0',
          touched,
          types,
          reasons: last.reasons,
          relied: relied(record),
          ...target,
          ...query,
          ...inFull,
          ...(record === undefined ? {} : { record }),
        }),
      );
    },
    wrote(done, target, facets, reasons) {
      const touched = [{ type: target.type, facets }];
      const records = facets.records.length === 0 ? [undefined] : facets.records;
      return records.flatMap(record => line({ code: done, outcome: '0', target, touched, reasons, ...(record === undefined ? {} : { record }) }));
    },
    failed(error) {
      const why = error instanceof Problem ? error.message : 'failed';
      const outcome = outcomeOf(error);
      const { target, facets, reasons } = last;
      const asTold = { outcome, why, touched: [], reasons: [], ...asked(path), ...(caller.record === undefined ? {} : { record: caller.record }) };
      if (target === undefined || facets === undefined) return line(asTold);
      const denial = reasons.filter(reason => reason.effect === 'deny').map(reason => `${reason.rule}: ${reason.because}`);
      const touched = [{ type: target.type, facets }];
      const inFull = { outcome, why: denial.length > 0 ? denial.join('; ') : why, touched, reasons, target, inFull: true as const };
      // A person has one line in the own log, whatever else the request was about: more of them would tell that there was something.
      const own = caller.kind === 'patient' || caller.kind === 'server' ? caller.record : undefined;
      const records = facets.records.length === 0 ? [undefined] : facets.records.filter(record => record !== own);
      return [
        ...(caller.record === undefined && records.length > 0 ? [] : line(asTold)),
        ...records.flatMap(record => line({ ...inFull, ...(record === undefined ? {} : { record }) })),
      ];
    },
  };
}

/**
 * What the address names. A Bundle, and a search of everything, may be about anything, so what is said of it as a whole is about more than any permit names.
 */
function asked([type = '', id = '', within = '']: readonly string[]): { readonly target?: ResourceKey; readonly types: readonly ResourceType[] } {
  if (anything.includes(type)) return { types: ['Bundle'] };
  if (!resourceTypes.has(type)) return { types: [] };
  const more = resourceTypes.has(within) ? [within] : anything.includes(within) && within !== '' ? ['Bundle'] : [];
  return { types: [type, ...more], ...(isId(id) ? { target: { type, id } } : {}) };
}
const anything: readonly string[] = ['', '*', '_search'];

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
