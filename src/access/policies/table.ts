import type { ResourceType } from '../../fhir/types.ts';

/** Types that a permit covers only where its `class` names them. */
export const neverByDefault: readonly ResourceType[] = ['Consent', 'AuditEvent', 'Task', 'Person'];

/** Whom a provision may name: somebody by himself, or a group whose members are not known here. Of a device nobody is a user. */
export type ActorSort = 'one' | 'group' | 'device';
const actorSorts: Readonly<Record<ResourceType, ActorSort>> = {
  Patient: 'one',
  RelatedPerson: 'one',
  Practitioner: 'one',
  Organization: 'one',
  Group: 'group',
  CareTeam: 'group',
  PractitionerRole: 'group',
  Device: 'device',
};
export const actorSort = (type: ResourceType): ActorSort | undefined => (Object.hasOwn(actorSorts, type) ? actorSorts[type] : undefined);

/** What is hidden, from whoever may not read it, by hiding also the Provenance that cites it. */
export const hiddenWhenCited: readonly ResourceType[] = ['Consent'];
