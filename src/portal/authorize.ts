import { elements } from '../access/elements.ts';
import { parseScopes } from '../access/scope.ts';
import type { Choice } from '../account/accounts.ts';
import type { Allowed, Asking } from '../auth/authorization.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import { decisionPage } from './authorize-decision.ts';
import { type Looking, patientPage, readSought } from './authorize-patient.ts';
import { nextStep, type Step } from './authorize-steps.ts';
import { addressOf, choicePage, encounterPage, nothingFitsPage, nowherePage, otherAccountPage } from './authorize-view.ts';
import { choiceKey } from './choice.ts';
import { withQuery } from './own-path.ts';
import { findPatients, patientOf } from './patients.ts';
import { getOf, matchesOf, personOf } from './person.ts';
import type { Asked, AskedBySomebody, PortalParts, Reply, Route } from './route.ts';
import { grantedScopes } from './scopes.ts';

const path = '/auth/interaction/:uid';
/** Enough to find a visit in; who needs an older one starts the app from there. */
const ENCOUNTERS = '20';

/**
 * An app asks, a person answers (SMART App Launch 2.2): one address, at which the next step that is needed is shown, and each is a form of its own.
 */
export const authorizeRoutes = (parts: PortalParts): readonly Route[] => [
  {
    method: 'GET',
    path,
    who: 'anybody',
    async answer(asked) {
      const asking = await askingOf(asked, parts);
      return asking === undefined ? nowherePage : show(await stepOf(asking, asked, parts), asking, asked, parts);
    },
  },
  {
    method: 'POST',
    path,
    who: 'anybody',
    async answer(asked) {
      const { form, request, response, from, session } = asked;
      const asking = await askingOf(asked, parts);
      if (asking === undefined) return nowherePage;
      const pressed = form.get('step') ?? '';
      if (pressed === 'deny') {
        await parts.authorizations.deny(request, response, { ...from, ...(session === undefined ? {} : { session }) });
        return 'sent';
      }
      const step = await stepOf(asking, asked, parts);
      if (step.step === 'sign-in' || step.step === 'other-account' || step.step === 'nothing-fits') return { redirect: addressOf(asking) };
      if (step.step === 'patient' && step.missing) return show(step, asking, asked, parts);
      if (!Object.hasOwn(forms, pressed)) throw new Problem('invalid', 'the form names no step');
      return forms[pressed]!({ asking, step, asked: asked as AskedBySomebody, parts });
    },
  },
];

async function askingOf({ request, response }: Asked, { authorizations }: PortalParts): Promise<Asking | undefined> {
  try {
    return await authorizations.asking(request, response);
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return undefined;
    throw error;
  }
}

interface Answering {
  readonly asking: Asking;
  readonly step: Step;
  readonly asked: AskedBySomebody;
  readonly parts: PortalParts;
}
/** What each form does, by its hidden `step`. */
const forms: Readonly<Record<string, (of: Answering) => Promise<Reply>>> = {
  async choose({ asking, asked: { form, session, account }, parts }) {
    const choices = await parts.accounts.choices(account);
    const choice = choices.find(one => choiceKey(one) === form.get('choice'));
    if (choice !== undefined) await parts.accounts.act(session, choice.hat, choice.record);
    return { redirect: addressOf(asking) };
  },
  /** It answers at once: what was looked for stands in no address. */
  async find({ asking, step, asked, parts }) {
    if (step.step !== 'patient') return { redirect: addressOf(asking) };
    const { sought, mistakes } = readSought(asked.form);
    const looking: Looking = { sought, ...(mistakes.length > 0 ? { mistakes } : { found: await findPatients(sought, step.choice, asked, parts) }) };
    return patientPage(asking, step, asked, looking);
  },
  async patient({ asking, asked: { form } }) {
    return { redirect: addressOf(asking, { patient: form.get('patient') ?? undefined }) };
  },
  async encounter({ asking, asked: { form } }) {
    return { redirect: addressOf(asking, { patient: form.get('patient') ?? undefined, encounter: form.get('encounter') ?? '' }) };
  },
  allow,
};

async function allow({ asking, step, asked, parts }: Answering): Promise<Reply> {
  const { form, session, account, request, response, from } = asked;
  // What was decided about another record in another window is not what was seen here.
  if (step.step !== 'decide' || form.get('choice') !== choiceKey(step.choice)) return { redirect: addressOf(asking) };
  const chosen = new Set(form.getAll('allow'));
  const scopes = grantedScopes(asking.scopes, chosen);
  // Staying connected, or knowing for whom, is nothing by itself.
  if (!scopes.some(scope => scope === 'openid' || parseScopes(scope).scopes.length > 0)) return decisionPage(asking, step, asked, { chosen, nothing: true });
  const encounter = step.encounter === undefined ? undefined : await encounterOf(step.encounter, step.choice, asked, parts);
  const allowed: Allowed = { session, account, choice: step.choice, scopes, ...(encounter === undefined ? {} : { encounter }) };
  await parts.authorizations.allow(request, response, allowed, from);
  return 'sent';
}

/** The next step; with the patient whom a practitioner chose, if the practitioner may see that one now. */
async function stepOf(asking: Asking, asked: Asked, parts: PortalParts): Promise<Step> {
  const { session, account, query, form } = asked;
  const choices = account === undefined ? [] : await parts.accounts.choices(account);
  const given = (name: string): string | undefined => form.get(name) ?? query.get(name) ?? undefined;
  const step = nextStep(asking, { session, account, choices, patient: given('patient'), encounter: given('encounter'), choose: query.has('choose') });
  if ((step.step !== 'encounter' && step.step !== 'decide') || step.choice.kind !== 'practitioner' || step.choice.record === undefined) return step;
  const { record, ...choice } = step.choice;
  const patient = await patientOf(record.slice('Patient/'.length), choice, asked as AskedBySomebody, parts);
  if (patient !== undefined) return { ...step, patient };
  // Whose chart the EHR had open is the EHR's word: who may see nothing of it gets nothing by it.
  return asking.launch?.patient === undefined ? { step: 'patient', choice, others: step.step === 'decide' && step.others, missing: true } : step;
}

async function show(step: Step, asking: Asking, asked: Asked, parts: PortalParts): Promise<Reply> {
  const to = addressOf(asking);
  switch (step.step) {
    case 'sign-in':
      return { redirect: withQuery('/sign-in', { to, again: step.again ? '1' : undefined, username: asking.loginHint }) };
    case 'other-account':
      return otherAccountPage(asking, asked, withQuery('/sign-in', { to, again: '1' }));
    case 'nothing-fits':
      return nothingFitsPage(asking, asked, withQuery('/sign-in', { to, again: '1' }));
    case 'choose':
      return choicePage(asking, step.candidates, asked);
    case 'patient':
      return patientPage(asking, step, asked);
    case 'encounter':
      return encounterPage(asking, step, await encountersOf(step.choice, asked as AskedBySomebody, parts), asked);
    case 'decide':
      return decisionPage(asking, step, asked, {});
  }
}

/** The visits of the record, newest first: those that the person may see. */
async function encountersOf(choice: Choice, asked: AskedBySomebody, { run }: PortalParts): Promise<readonly Resource[]> {
  const query = [['patient', choice.record!] as const, ['_sort', '-date'] as const, ['_count', ENCOUNTERS] as const];
  // Whom no consent lets see anything there chooses none.
  if (!choice.standing) return [];
  const found = matchesOf(await run(getOf(['Encounter'], query), personOf(asked, choice)));
  // A visit without an end is sorted by that by the search; people go by when it began.
  return found.toSorted((one, other) => startOf(other).localeCompare(startOf(one)));
}
const startOf = ({ period }: Resource): string => String(elements(period)[0]?.start ?? '');

/** The id, of an Encounter that the person may see. Throws Problem 'not-found'. */
async function encounterOf(id: string, choice: Choice, asked: AskedBySomebody, { run }: PortalParts): Promise<string> {
  await run(getOf(['Encounter', id]), personOf(asked, choice));
  return id;
}
