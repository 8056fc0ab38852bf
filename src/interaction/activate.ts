import { activate } from '../access/policies/consent.ts';
import type { KeyName, ResourceKey } from '../fhir/types.ts';
import type { Version } from '../store/store.ts';
import { writeAnswer } from './create.ts';
import type { WriteInteraction, WritePlan } from './interaction.ts';
import { indexedOf } from './narrow.ts';
import { notFound } from './read.ts';

interface ActivatePlan extends WritePlan {
  readonly key: ResourceKey;
}

/**
 * A person brings a proposed Consent into force (ACCESS §4): the version that was seen, about the own record. No request of a client leads here.
 */
export const activateConsent = (id: string, versionSeen: string, grantor: KeyName, base: () => string): WriteInteraction<ActivatePlan> => ({
  code: 'consent-activate',
  effect: 'write',
  plan: () => ({ keys: [{ type: 'Consent', id }], criteria: new Map(), key: { type: 'Consent', id } }),
  drafts({ key }, current) {
    const version: Version | undefined = current(key);
    if (version === undefined) throw notFound(key);
    const resource = activate({ ...indexedOf(version), versionId: version.versionId }, versionSeen, grantor);
    return [{ op: 'put', action: 'update', key, resource, ifMatch: versionSeen }];
  },
  answer: (_plan, [made]) => writeAnswer(made!, 200, true, base()),
});
