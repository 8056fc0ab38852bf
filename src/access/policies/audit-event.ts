import * as facets from '../../search/facets.ts';
import { all, not, type Predicate } from '../../search/query.ts';
import type { Finding, Question, Rule } from '../decision.ts';
import { contributedBy, token } from '../rules/demands.ts';
import { isUnbound } from '../rules/level.ts';
import type { Policy } from './policy.ts';
import { hiddenWhenCited } from './table.ts';

/**
 * An event carries the facets of what it is about, so consents judge it by those. A restriction is invisible to whom it restricts, so what was done with
 * Consents is in nobody's log but the patient's.
 */
const reading: Rule = {
  id: 'audit-event-reading',
  judge({ caller, action }: Question): Finding | undefined {
    if ((action !== 'read' && action !== 'search') || isUnbound(caller)) return undefined;
    if (caller.kind === 'patient') return permit(all, 'a person sees all that happened in the own record');
    return permit(not(token(facets.targetType, ...hiddenWhenCited)), 'it is about no Consent');
  },
};

/** The log: written by the server alone, read by the patient whose record an event is about and by whom a consent that names the class permits. */
export const auditEventPolicy: Policy = {
  type: 'AuditEvent',
  wildcard: [],
  notAllowed: ['create', 'update', 'delete'],
  unattributed: true,
  /** Events that the log attributes to an organization are its privacy officers' to read. */
  base: ({ caller }) => (caller.kind === 'privacy-officer' && caller.organization !== undefined ? contributedBy(caller.organization) : undefined),
  rules: () => [reading],
};

const permit = (only: Predicate, because: string): Finding => ({ effect: 'permit', only, because, sources: [] });
