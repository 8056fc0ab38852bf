import { type KeyName, nameOf, type Resource } from '../fhir/types.ts';
import type { Grant } from '../search/grant.ts';
import type { RecordId } from '../search/indexed.ts';
import { consentKindSystem } from './canonical.ts';
import { systems } from './codes.ts';
import { conceptCodings, type Element, elements, hasModifier, referenceName } from './elements.ts';
import { rowsOf } from './provision.ts';

export type ConsentKind = 'enrolment' | 'primary-caregiver' | 'authorized-user' | 'guardian' | 'app' | 'share' | 'restriction';
const kinds: ReadonlySet<string> = new Set<ConsentKind>(['enrolment', 'primary-caregiver', 'authorized-user', 'guardian', 'app', 'share', 'restriction']);

/** The one kind that its categories name; undefined where they name none, several, or one that is not ours. */
export function kindOf(consent: Resource): ConsentKind | undefined {
  const named = new Set(conceptCodings(consent.category).flatMap(coding => (coding.system === consentKindSystem ? [coding.code ?? ''] : [])));
  const [kind] = named;
  return named.size === 1 && kinds.has(kind!) ? (kind as ConsentKind) : undefined;
}

export const isPrivacyConsent = (consent: Resource): boolean =>
  conceptCodings(consent.scope).some(coding => coding.system === systems.scope && coding.code === 'patient-privacy');

/** Every reference that it names as an actor, in nested provisions too. */
export function actorsOf(consent: Resource): readonly KeyName[] {
  const walk = (provision: Element): readonly KeyName[] => [
    ...elements(provision.actor).flatMap(actor => referenceName(actor.reference) ?? []),
    ...elements(provision.provision).flatMap(walk),
  ];
  return [...new Set(elements(consent.provision).flatMap(walk))];
}

/**
 * A Consent → the rows by which it permits and denies (ACCESS §4). Whatever in it is not understood permits nothing, and denies all that it might cover.
 * Empty unless it is an active privacy consent; one of kind `app` mirrors an authorization of an app and never permits.
 */
export function grantsOf(consent: Resource, record: RecordId): readonly Grant[] {
  const kind = kindOf(consent);
  if (consent.status !== 'active' || !isPrivacyConsent(consent) || kind === 'app') return [];
  const { provision, contained: _contained, text: _text, ...head } = consent;
  const [root] = elements(provision);
  if (root === undefined) return [];
  return rowsOf(root, { consent: nameOf({ type: consent.resourceType, id: consent.id ?? '' }), record, kind, headUnderstood: !hasModifier(head) });
}
