import type { Origin } from '../../search/indexed.ts';
import { all } from '../../search/query.ts';
import type { Caller } from '../caller.ts';
import type { Facts, Finding, Question, Rule } from '../decision.ts';
import { policyOf } from '../policies/index.ts';
import { isUnbound } from './level.ts';

const instead = 'To have it corrected, send a request to Communication/$correction-request.';

/** Who may change an entry, by who made its first version (ACCESS §3.4). */
export const provenanceRule: Rule = {
  id: 'provenance',
  judge({ caller, action, type }: Question, facts: Facts): Finding | undefined {
    if (action === 'read' || action === 'search' || isUnbound(caller)) return undefined;
    if (caller.kind === 'caregiver' && policyOf(type).notByCaregivers) return refuse(`A caregiver does not write ${type}.`, true);
    const { before, after } = facts;
    if (before === undefined) return undefined;
    const { origin, records } = before.facets;
    if (!maintains(caller, origin)) return refuse(`This entry was recorded by ${maker(origin)} and only they change it. ${instead}`);
    if (after !== undefined && origin.kind !== 'organization' && !same(records, after.facets.records))
      return refuse('An entry stays in the record that it was made in.');
    return { effect: 'permit', only: all, because: 'whoever recorded the entry may change it', sources: [] };
  },
};

function maintains(caller: Caller, origin: Origin): boolean {
  switch (caller.kind) {
    case 'patient':
      return (origin.kind === 'patient' || origin.kind === 'caregiver') && origin.record === caller.record;
    case 'caregiver':
      return (
        (origin.kind === 'caregiver' && origin.by === caller.who && origin.record === caller.record) ||
        (origin.kind === 'patient' && origin.record === caller.record)
      );
    case 'practitioner':
    case 'system':
      return origin.kind === 'organization' && origin.by === caller.organization;
    default:
      return false;
  }
}

function maker(origin: Origin): string {
  if (origin.kind === 'organization') return 'an organization';
  return origin.kind === 'server' ? 'the server' : `the ${origin.kind}`;
}
const same = (one: readonly string[], other: readonly string[]): boolean => one.length === other.length && one.every(record => other.includes(record));
const refuse = (because: string, plain = false): Finding => ({ effect: 'deny', because, sources: [], ...(plain ? { plain } : {}) });
