import { Problem } from '../../fhir/problem.ts';
import { type KeyName, nameOf, type Resource } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import { all, and, none, not, or, type Predicate } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import { consentKindSystem } from '../canonical.ts';
import { grantsOf, kindOf } from '../consent.ts';
import type { Facts, Finding, Found, Question, Rule } from '../decision.ts';
import { referenceName } from '../elements.ts';
import { coded, contributedBy, refersTo, token } from '../rules/demands.ts';
import { isUnbound } from '../rules/level.ts';
import { designationNeeds, recordOf, refuseDesignation, stands, treats } from './caregiver-consent.ts';
import { checkConsent, proposable, saysTheSame } from './consent-content.ts';
import type { Policy } from './policy.ts';

const type = 'Consent';
const isNamed = (registry: Registry, code: string, build: (param: NonNullable<ReturnType<Registry['param']>>) => Predicate): Predicate => {
  const param = registry.param(type, code);
  return param === undefined ? none : build(param);
};
const restrictions = (registry: Registry): Predicate => isNamed(registry, 'category', param => coded(param, consentKindSystem, 'restriction'));

/** The only permissions over somebody else's record, and who may make, change and see them (ACCESS §4). */
export const consentPolicy: Policy = {
  type,
  wildcard: ['r', 's'],
  notAllowed: ['delete'],
  silent: ['provenance'],
  notByCaregivers: true,
  judgesWrites: true,
  noChosenIds: true,

  /** Who is named at the root of a Consent reads it, once it was in force; and who let an app in, that app's. */
  base: ({ caller }, registry) =>
    and(
      or(
        isNamed(registry, 'actor', param => refersTo(param, caller.actors)),
        and(
          isNamed(registry, 'category', param => coded(param, consentKindSystem, 'app')),
          isNamed(registry, 'consentor', param => refersTo(param, caller.actors)),
        ),
      ),
      isNamed(registry, 'status', param => token(param, 'active', 'inactive')),
    ),

  needs: (question, before, after) => (after === undefined || before !== undefined ? {} : designationNeeds(question, after)),
  prepare,
  rules: registry => [reading(registry), writing],

  /** One primary caregiver at a time; a designation that has lapsed is none. */
  conditions({ at }, { after, known }) {
    const record = after === undefined ? undefined : recordOf(after);
    const standing = known.searches.get('standing');
    if (after === undefined || record === undefined || standing === undefined) return [];
    if (after.resource.status !== 'active' || kindOf(after.resource) !== 'primary-caregiver') return [];
    if (standing.some(({ resource }) => kindOf(resource) === 'primary-caregiver' && stands(resource, record, at))) {
      throw new Problem('duplicate', 'the patient has a primary caregiver; that designation must end before another one begins');
    }
    const source = referenceName(after.resource.sourceReference);
    const agreement = source === undefined ? undefined : known.resources.get(source);
    return [
      { op: 'when', query: standingQuery(after), matches: standing.map(({ resource }) => ({ type, id: resource.id! })) },
      // The agreement is still there, and as it was pinned; one that comes in the same commit need not be.
      ...(agreement?.updated === undefined || agreement.resource.id === undefined
        ? []
        : [{ op: 'expect' as const, key: { type: agreement.resource.resourceType, id: agreement.resource.id }, expect: { versionId: agreement.versionId } }]),
    ];
  },

  grants(after) {
    const record = after === undefined ? undefined : recordOf(after);
    if (after === undefined || record === undefined) return [];
    return [{ op: 'grants', consent: nameOf({ type, id: after.resource.id! }), record, rows: grantsOf(after.resource, record) }];
  },
};

const standingQuery = (after: Indexed) => designationNeeds({ caller: {} } as Question, after).searches!.standing!;

/** A restriction is invisible to whom it restricts, and so to everybody but the patient and whoever contributed it. */
const reading = (registry: Registry): Rule => ({
  id: 'consent-reading',
  judge({ caller, action }): Finding | undefined {
    if ((action !== 'read' && action !== 'search') || isUnbound(caller)) return undefined;
    if (caller.kind === 'patient') return permit(all, 'a person sees all consents about the own record');
    const own = caller.organization === undefined ? none : contributedBy(caller.organization);
    return permit(or(own, not(restrictions(registry))), 'it is no restriction');
  },
});

/** What is stored is what was sent, but a grant that a person has not activated yet is a proposal; and an ended one is the standing one, ended. */
function prepare({ caller, action }: Question, { before, after, known }: Facts & { readonly after: Indexed }): Resource {
  const consent = after.resource;
  if (caller.kind === 'server') return consent;
  if (action === 'update' && before !== undefined && before.resource.status !== 'proposed') {
    return saysTheSame(before.resource, consent) ? { ...before.resource, status: consent.status } : consent;
  }
  const kind = checkConsent(consent);
  if (action === 'create' && kind === 'primary-caregiver' && consent.status !== 'active') {
    throw new Problem('business-rule', 'a designation is sent with status `active`: it is in force as soon as it is lodged', { expression: 'Consent.status' });
  }
  if (action !== 'create') return consent;
  return proposable.includes(kind) ? { ...consent, status: 'proposed' } : { ...consent, ...pinnedSource(consent, known) };
}

/** The signed agreement as it was signed: a later version of the document is not what was agreed. */
function pinnedSource(consent: Resource, known: Facts['known']): object {
  const name = referenceName(consent.sourceReference);
  const found = name === undefined ? undefined : known.resources.get(name);
  return found === undefined ? {} : { sourceReference: { ...(consent.sourceReference as object), reference: `${name}/_history/${found.versionId}` } };
}

const writing: Rule = {
  id: 'consent',
  judge(question: Question, facts: Facts): Finding | undefined {
    const { caller, action } = question;
    const { before, after } = facts;
    if (action === 'read' || action === 'search' || caller.kind === 'server') return undefined;
    if (caller.kind === 'caregiver') return refuse('A caregiver grants nothing and ends nothing that the patient granted.', true);
    if (action === 'delete' || after === undefined) return refuse('A Consent is ended by its status and kept.', true);
    const why = before === undefined ? refuseNew(question, facts, after) : refuseChange(question, facts, before, after);
    return why === undefined ? permit(all, 'the change is one that this caller may make to a Consent of this kind') : refuse(why);
  },
};

function refuseNew(question: Question, facts: Facts, after: Indexed): string | undefined {
  const { caller } = question;
  const kind = kindOf(after.resource);
  const record = recordOf(after);
  // In the same words where there is no such patient, so that nobody learns of one from a refusal.
  if (record === undefined || (caller.kind !== 'patient' && !treats(question, record, facts)))
    return 'A Consent is lodged by the patient, or by an organization that contributed or enrolled the patient.';
  if (kind === 'primary-caregiver') {
    if (caller.kind === 'patient') return 'A primary caregiver is designated at the practice, with the patient present.';
    return refuseDesignation(question, facts, after);
  }
  if (kind === undefined || !proposable.includes(kind)) return `A Consent of kind \`${kind}\` comes into being by its own procedure only, not by the API.`;
  return undefined;
}

const ended = 'inactive';
const untilActive: readonly unknown[] = ['proposed', 'inactive', 'rejected'];

function refuseChange({ caller }: Question, _facts: Facts, before: Indexed, after: Indexed): string | undefined {
  const from = before.resource.status;
  const to = after.resource.status;
  const kind = kindOf(before.resource);
  if (from === 'proposed') {
    if (!untilActive.includes(to)) return 'A proposal becomes active when the person activates it in our own pages with a second factor.';
    if (kindOf(after.resource) !== kind || !sameRecords(before, after)) return 'A proposal keeps its kind and its patient.';
    if (maker(caller, before) || (caller.kind === 'patient' && to !== 'proposed' && saysTheSame(before.resource, after.resource))) return undefined;
    return 'A proposal is changed by whoever made it; the patient may reject it.';
  }
  if (from !== 'active') return 'A Consent that has ended stays as it is; a new grant is a new Consent.';
  if (caller.kind !== 'patient') return 'A consent in force is ended by the patient.';
  if (to !== ended || !saysTheSame(before.resource, after.resource))
    return 'A consent in force can only be ended: `status` becomes `inactive` and all else stays. A new grant is a new Consent.';
  if (kind === 'restriction' || kind === 'guardian')
    return `A Consent of kind \`${kind}\` does not end by the API; the person ends it in our own pages, or its own procedure does.`;
  return undefined;
}

function maker(caller: Question['caller'], { facets: { origin } }: Indexed): boolean {
  if (origin.kind === 'organization') return origin.by === caller.organization;
  return caller.kind === 'patient' && origin.kind === 'patient' && origin.record === caller.record;
}
const sameRecords = (one: Indexed, other: Indexed): boolean => recordOf(one) !== undefined && recordOf(one) === recordOf(other);

/**
 * What a person does in our own pages with a second factor: the proposal that they saw comes into force.
 * @param versionSeen what the person was shown; @param grantor the person's own record.
 * Throws Problem 'version-changed' where that is no longer what is stored, 'business-rule' where it cannot be activated.
 */
export function activate(found: Found, versionSeen: string, grantor: KeyName): Resource {
  const { resource, versionId, facets } = found;
  if (resource.resourceType !== type || recordOf(found) === undefined || facets.records[0] !== grantor || referenceName(resource.patient) === undefined) {
    throw new Problem('forbidden', 'a person activates consents about the own record only');
  }
  if (versionId !== versionSeen) throw new Problem('version-changed', `the Consent is at version ${versionId}; version ${versionSeen} was seen`);
  const kind = checkConsent(resource);
  if (!proposable.includes(kind)) throw new Problem('business-rule', `a Consent of kind \`${kind}\` is not activated by hand`);
  if (resource.status !== 'proposed') throw new Problem('business-rule', 'only a proposed Consent can be activated');
  return { ...resource, status: 'active' };
}

const permit = (only: Predicate, because: string): Finding => ({ effect: 'permit', only, because, sources: [] });
const refuse = (because: string, plain = false): Finding => ({ effect: 'deny', because, sources: [], ...(plain ? { plain } : {}) });
