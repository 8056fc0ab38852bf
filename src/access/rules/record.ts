import type { Indexed, RecordId } from '../../search/indexed.ts';
import { matches } from '../../search/match.ts';
import { all, and, none, or, type Predicate } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import type { Facts, Finding, Question, Rule } from '../decision.ts';
import { policyOf } from '../policies/index.ts';
import { isDirectory, isRecord, isShared, recordKindOf } from '../record.ts';
import { askOf, contributedBy, inForce, ofNoRecord, ofOneRecord, ofRecord, permitted, shared, sourcesOf, undenied } from './demands.ts';
import { isRecordBound, isUnbound } from './level.ts';

/** Whose records the caller may read and write: own ∪ ((directory ∪ base ∪ permits) ∖ denies) (ACCESS §3.2). */
export const recordRule = (registry: Registry): Rule => ({
  id: 'record',
  judge(question: Question, facts: Facts): Finding {
    const { caller, type } = question;
    if (isUnbound(caller)) return permit(all, 'the caller is the server itself');
    if (isDirectory(type)) return judgeDirectory(question);
    if (isRecordBound(caller) && caller.record === undefined) return refuse('the token names no record');
    // What refers to what is hidden is refused in the words for what is not in the caller's reach, as what refers to nothing is.
    const bound = facts.strays === true ? none : isRecordBound(caller) ? boundTo(caller.record!, question) : all;
    switch (caller.kind) {
      case 'patient':
        return permit(bound, "it is in the person's own record");
      case 'caregiver':
        return judgeCaregiver(question, facts, bound, registry);
      case 'practitioner':
      case 'system':
        return judgeOrganization(question, facts, bound, registry);
      default: {
        const base = policyOf(type).base?.(question, registry);
        return base === undefined ? refuse(`a ${caller.kind} sees no clinical content`) : permit(base, 'the log of the organization');
      }
    }
  },
});

const reads = ({ action }: Question): boolean => action === 'read' || action === 'search';

/** Readable by everybody; what describes an organization and its people is written by whoever put it there. */
function judgeDirectory(question: Question): Finding {
  const { caller, type } = question;
  if (reads(question)) return permit(all, `everybody may read a ${type}`);
  if ((caller.kind !== 'practitioner' && caller.kind !== 'system') || caller.organization === undefined)
    return refuse(`a ${caller.kind} does not write a ${type}`);
  return permit(contributedBy(caller.organization), 'its organization contributed it');
}

/** What several records share is seen from each of them, and by all while no record cites it; but it is nobody's to write from there. */
function boundTo(record: RecordId, question: Question): Predicate {
  if (!isShared(question.type)) return ofOneRecord(record);
  return reads(question) ? or(ofRecord(record), ofNoRecord) : none;
}

function judgeCaregiver(question: Question, facts: Facts, bound: Predicate, registry: Registry): Finding {
  const ask = askOf(question);
  const standing = inForce(facts.grants, ask).filter(grant => grant.record === question.caller.record);
  if (standing.length === 0) return refuse(`no consent in force lets the caregiver ${ask.action === 'access' ? 'see' : 'change'} this record`);
  const base = reads(question) ? (policyOf(question.type).base?.(question, registry) ?? none) : none;
  const open = isShared(question.type) && reads(question) ? ofNoRecord : none;
  const only = or(open, isShared(question.type) ? shared(ask) : and(or(base, permitted(ask)), undenied(ask)));
  return permit(and(bound, only), 'a consent in force permits it', sourcesOf(facts.grants, ask, facts.after ?? facts.before));
}

function judgeOrganization(question: Question, facts: Facts, bound: Predicate, registry: Registry): Finding {
  const { caller, action, type } = question;
  if (caller.organization === undefined) return refuse('the token names no organization');
  const ask = askOf(question);
  const policy = policyOf(type);
  const own = contributedBy(caller.organization);
  const sources = sourcesOf(facts.grants, ask, facts.after ?? facts.before);
  if (!reads(question) && policy.judgesWrites) return permit(bound, `who writes a ${type} its own rules say`);
  if (action === 'create' || (action === 'update' && facts.after !== undefined)) {
    const nowhere = facts.strays === true || (caller.kind !== 'system' && facts.after?.facets.records.length === 0 && recordKindOf(type).kind === 'subject');
    if (nowhere || strangeRecords(question, facts).length > 0)
      return { effect: 'deny', because: 'neither a contributed Patient nor a consent lets the organization write in that record', sources: [] };
  }
  if (action === 'create') return permit(and(bound, own), 'the organization may write in this record', sources);
  const base = reads(question) ? (policy.base?.(question, registry) ?? none) : none;
  const open = isShared(type) && reads(question) ? ofNoRecord : none;
  return permit(
    and(bound, or(own, open, isShared(type) ? shared(ask) : and(or(base, permitted(ask)), undenied(ask)))),
    'the organization contributed it, or a consent in force permits it',
    sources,
  );
}

/**
 * The records that a new or moved resource would come into without a right to write there: neither did the organization contribute their Patient, nor does a
 * consent let it correct there. A Patient that is being created begins its own.
 */
function strangeRecords(question: Question, { before, after, grants, known }: Facts): readonly RecordId[] {
  if (after === undefined) return [];
  const ask = askOf(question);
  const stood: readonly RecordId[] = before?.facets.records ?? [];
  return after.facets.records.filter(record => {
    if (stood.includes(record) || known.contributed.has(record)) return false;
    if (before === undefined && isRecord(question.type)) return false;
    const there: Indexed = { ...after, facets: { ...after.facets, records: [record] } };
    return !matches(and(permitted(ask), undenied(ask)), there, grants);
  });
}

const permit = (only: Predicate, because: string, sources: readonly string[] = []): Finding => ({ effect: 'permit', only, because, sources });
const refuse = (because: string): Finding => ({ effect: 'deny', because, sources: [], plain: true });
