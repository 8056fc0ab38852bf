import { nameOf } from '../../fhir/types.ts';
import * as facets from '../../search/facets.ts';
import { queryOf } from '../../search/query.ts';
import type { Finding, Rule } from '../decision.ts';
import { referenceName } from '../elements.ts';
import { refersTo } from '../rules/demands.ts';
import type { Policy } from './policy.ts';

const type = 'DocumentReference';

/** A signed agreement is kept as long as a consent rests on it. */
const pinned: Rule = {
  id: 'agreement',
  judge({ action }, { before, known }): Finding | undefined {
    if (action !== 'delete' || before === undefined) return undefined;
    const key = nameOf({ type, id: before.resource.id ?? '' });
    const resting = (known.searches.get('resting') ?? []).filter(
      ({ resource }) => resource.status === 'active' && referenceName(resource.sourceReference) === key,
    );
    if (resting.length === 0) return undefined;
    return { effect: 'deny', because: 'A consent in force rests on this agreement, so it cannot be deleted.', sources: [] };
  },
};

export const documentReferencePolicy: Policy = {
  type,
  needs: ({ action }, before) =>
    action === 'delete' && before?.resource.id !== undefined
      ? { searches: { resting: queryOf('Consent', refersTo(facets.ref, [`${type}/${before.resource.id}`]), 100) } }
      : {},
  rules: () => [pinned],
};
