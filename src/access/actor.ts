import { resourceTypes } from '../fhir/definitions/definitions.ts';
import type { KeyName } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import { type Caller, purposes } from './caller.ts';
import type { ScopeLevel } from './scope.ts';

/**
 * Whom a Consent names as an actor, as the caller that it would be in this record with a token for everything; undefined for whom no token is given (a group,
 * a Patient of another record). Of a practitioner it is not known for which organization: none.
 */
export function actorCaller(name: KeyName, record: RecordId): Caller | undefined {
  const slash = name.indexOf('/');
  const [type, id] = [name.slice(0, slash), name.slice(slash + 1)];
  switch (type) {
    case 'RelatedPerson':
      return { ...shared(name, 'patient'), kind: 'caregiver', record, purpose: purposes.caregiver };
    case 'Practitioner':
      return { ...shared(name, 'user'), kind: 'practitioner', organization: '', purpose: purposes.practitioner };
    case 'Organization':
      return { ...shared(name, 'system'), kind: 'system', organization: id, purpose: purposes.system };
    default:
      return undefined;
  }
}

const shared = (who: KeyName, level: ScopeLevel): Pick<Caller, 'client' | 'who' | 'actors' | 'scopes' | 'grant' | 'token' | 'grantEpoch'> => ({
  client: 'preview',
  who,
  actors: [who],
  scopes: [...resourceTypes].map(type => ({ level, type, may: new Set(['r', 's'] as const), where: [] })),
  grant: 'preview',
  token: 'preview',
  grantEpoch: 0,
});
