import { contributedBy } from '../rules/demands.ts';
import type { Policy } from './policy.ts';

/** The log: written by the server alone, read by the patient whose record an event is about and by whom a consent that names the class permits. */
export const auditEventPolicy: Policy = {
  type: 'AuditEvent',
  wildcard: [],
  notAllowed: ['create', 'update', 'delete'],
  unattributed: true,
  /** Events that the log attributes to an organization are its privacy officers' to read. */
  base: ({ caller }) => (caller.kind === 'privacy-officer' && caller.organization !== undefined ? contributedBy(caller.organization) : undefined),
};
