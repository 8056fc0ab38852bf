import type { Finding, Question, Rule } from '../decision.ts';
import { isRecordBound, isUnbound } from '../rules/level.ts';
import type { Policy } from './policy.ts';

const refuse = (because: string): Finding => ({ effect: 'deny', because, sources: [], plain: true });

/** A patient's own entry is made at sign-up and ended by closing the account; in between the app may keep it. */
const patientItself: Rule = {
  id: 'patient',
  judge({ caller, action }: Question): Finding | undefined {
    if (caller.kind !== 'patient' || (action !== 'create' && action !== 'delete')) return undefined;
    return refuse(action === 'create' ? "A person's own Patient is made at sign-up." : "A person's own Patient ends when the account is closed.");
  },
};
export const patientPolicy: Policy = { type: 'Patient', notByCaregivers: true, rules: () => [patientItself] };

/** Who a caregiver is says the practice or the patient; that somebody is one in an account follows from designation only. */
export const relatedPersonPolicy: Policy = { type: 'RelatedPerson', notByCaregivers: true };

/** It would show one patient whom else a relative looks after. */
const neverToPatients: Rule = {
  id: 'person',
  judge({ caller }: Question): Finding | undefined {
    return !isUnbound(caller) && isRecordBound(caller) ? refuse('A Person is not served under patient/ scopes.') : undefined;
  },
};
export const personPolicy: Policy = { type: 'Person', rules: () => [neverToPatients] };

/** An Organization is entered by whoever runs the server, and keeps itself up to date. */
const organizationItself: Rule = {
  id: 'organization',
  judge({ caller, action }: Question, { before }): Finding | undefined {
    if (action === 'read' || action === 'search' || isUnbound(caller)) return undefined;
    if (action !== 'update') return refuse('Organizations are entered and removed by whoever runs the server.');
    if (before === undefined || before.resource.id === caller.organization) return undefined;
    return { effect: 'deny', because: 'An organization writes its own Organization only.', sources: [] };
  },
};
export const organizationPolicy: Policy = { type: 'Organization', rules: () => [organizationItself] };
