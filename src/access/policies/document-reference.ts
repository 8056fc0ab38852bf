import type { KeyName } from '../../fhir/types.ts';
import type { Indexed } from '../../search/indexed.ts';
import { and, none, queryOf, type SearchQuery } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import type { Finding, Question, Rule } from '../decision.ts';
import { refersTo, token } from '../rules/demands.ts';
import type { Policy } from './policy.ts';

const type = 'DocumentReference';

/** Whether the write takes the document from where it is: a deletion, or a move to another patient. */
function removes({ action }: Question, before: Indexed | undefined, after: Indexed | undefined): before is Indexed {
  if (before === undefined || action === 'create') return false;
  return after === undefined || !sameRecords(before, after);
}
const sameRecords = (one: Indexed, other: Indexed): boolean =>
  one.facets.records.length === other.facets.records.length && one.facets.records.every(record => other.facets.records.includes(record));

/** Consents in force of which the document is the signed agreement: one is enough to keep it. */
function restingOn({ resource: { id } }: Indexed, registry: Registry): SearchQuery {
  const [source, status] = ['source-reference', 'status'].map(code => registry.param('Consent', code));
  const name: KeyName = `${type}/${id}`;
  const where = source === undefined || status === undefined ? none : and(refersTo(source, [name]), token(status, 'active'));
  return queryOf('Consent', where, 1);
}

/** A signed agreement is kept, and kept with its patient, as long as a consent rests on it. */
const pinned: Rule = {
  id: 'agreement',
  judge(question, { before, after, known }): Finding | undefined {
    if (!removes(question, before, after) || (known.searches.get('resting') ?? []).length === 0) return undefined;
    return { effect: 'deny', because: 'A consent in force rests on this agreement, so it can neither be deleted nor moved to another patient.', sources: [] };
  },
};

export const documentReferencePolicy: Policy = {
  type,
  needs: (question, before, after, registry) => (removes(question, before, after) ? { searches: { resting: restingOn(before, registry) } } : {}),
  conditions: (question, { before, after }, registry) =>
    removes(question, before, after) ? [{ op: 'when', query: restingOn(before, registry), matches: [] }] : [],
  rules: () => [pinned],
};
