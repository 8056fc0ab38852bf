import { parseScopes } from '../access/scope.ts';
import type { Account } from '../account/account.ts';
import type { Choice } from '../account/accounts.ts';
import type { Session } from '../account/session.ts';
import type { Asking } from '../auth/authorization.ts';
import type { Resource } from '../fhir/types.ts';

/** What is needed next before a person can decide. */
export type Step =
  | { readonly step: 'sign-in'; readonly again: boolean }
  /** The launch began under another account. */
  | { readonly step: 'other-account' }
  /** Nothing that this account has fits what is asked for. */
  | { readonly step: 'nothing-fits' }
  | { readonly step: 'choose'; readonly candidates: readonly Choice[] }
  /** A practitioner says about whom it is. `missing`: the one that was named is not there, or hidden. */
  | { readonly step: 'patient'; readonly choice: Choice; readonly others: boolean; readonly missing?: true }
  | { readonly step: 'encounter'; readonly choice: Choice; readonly patient?: Resource }
  | { readonly step: 'decide'; readonly choice: Choice; readonly encounter?: string; readonly others: boolean; readonly patient?: Resource };

export interface Given {
  readonly session?: Session | undefined;
  readonly account?: Account | undefined;
  readonly choices: readonly Choice[];
  /** The id of the Patient that a practitioner chose. Nothing is proved by it: whoever reads the step reads the Patient. */
  readonly patient?: string | undefined;
  /** The id of the Encounter that was chosen, '' for none; undefined where nobody was asked yet. */
  readonly encounter?: string | undefined;
  /** The person wants to choose anew. */
  readonly choose?: boolean;
}

/** The order of things: who it is, for which record, during which visit; then what. A practitioner's choice comes with the patient's record. Pure. */
export function nextStep(asking: Asking, { session, account, choices, patient, encounter, choose }: Given): Step {
  if (session === undefined || account === undefined || session.signedInAt < asking.signedInSince) return { step: 'sign-in', again: account !== undefined };
  const { launch } = asking;
  if (launch?.account !== undefined && launch.account !== account.username) return { step: 'other-account' };
  // Whoever may see nothing in a record lets no app into it.
  const candidates = candidatesOf(asking, choices).filter(({ kind, standing }) => kind !== 'caregiver' || standing);
  const chosen = choose === true && candidates.length > 1 ? undefined : chosenOf(candidates, session);
  if (chosen === undefined) return candidates.length === 0 ? { step: 'nothing-fits' } : { step: 'choose', candidates };
  const others = candidates.length > 1;
  const choice = chosen.kind === 'practitioner' ? aboutPatient(chosen, asking, patient) : chosen;
  if (choice.record === undefined && asking.needsRecord) return { step: 'patient', choice, others };
  if (asking.needsEncounter && launch?.encounter === undefined && choice.record !== undefined) {
    if (encounter === undefined) return { step: 'encounter', choice };
    return { step: 'decide', choice, others, ...(encounter === '' ? {} : { encounter }) };
  }
  return { step: 'decide', choice, others };
}

/** The patient of the chart that was open, else the one that was chosen, where it is about one. */
function aboutPatient(choice: Choice, { launch, needsRecord }: Asking, chosen: string | undefined): Choice {
  const patient = launch?.patient ?? (needsRecord ? chosen : undefined);
  return patient === undefined || patient === '' ? choice : { ...choice, record: `Patient/${patient}` };
}

/** As whom, and for which record, the person can answer. */
function candidatesOf({ scopes, launch }: Asking, choices: readonly Choice[]): readonly Choice[] {
  const practitioner = choices.filter(({ kind }) => kind === 'practitioner');
  if (parseScopes(scopes.join(' ')).scopes.some(({ level }) => level === 'user')) return practitioner;
  if (launch?.patient !== undefined) {
    const own = choices.filter(({ record }) => record === `Patient/${launch.patient}`);
    return own.length > 0 ? own : practitioner;
  }
  return choices;
}
const chosenOf = (candidates: readonly Choice[], { acting }: Session): Choice | undefined =>
  candidates.find(({ hat, record }) => hat === acting?.hat && record === acting.record) ?? (candidates.length === 1 ? candidates[0] : undefined);
