import { resourceTypes } from '../../fhir/definitions/definitions.ts';
import type { KeyName, Resource, ResourceType } from '../../fhir/types.ts';
import * as facets from '../../search/facets.ts';
import type { Indexed } from '../../search/indexed.ts';
import { all, and, none, not, or, type Predicate } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import type { Caller } from '../caller.ts';
import type { Facts, Finding, Question, Rule } from '../decision.ts';
import { elements, follow, referenceName, referenceNames } from '../elements.ts';
import { contributedBy, refersTo, token } from '../rules/demands.ts';
import { isUnbound } from '../rules/level.ts';
import { isInWildcard } from './index.ts';
import type { Policy } from './policy.ts';
import { hiddenWhenCited } from './table.ts';

const targetsOf = ({ resource }: Indexed): readonly KeyName[] => [...new Set(referenceNames(resource.target))];

/**
 * It carries its targets' facets, so it is readable where they are: under the token's scopes too. What cites a Consent, or is about one (which may be a
 * restriction, and no facet tells), is read by the patient, by whoever wrote in its name (it is named there), and by the organization that wrote it.
 */
const reading = (registry: Registry): Rule => ({
  id: 'provenance-reading',
  judge({ caller, action }: Question): Finding | undefined {
    if ((action !== 'read' && action !== 'search') || isUnbound(caller)) return undefined;
    const beyond = beyondScopes(caller);
    const uncited: Predicate = not({ op: 'has', param: facets.cites });
    const unrelated = and(uncited, not(token(facets.targetType, ...hiddenWhenCited)));
    const scoped = and(not(token(facets.targetType, ...beyond)), hiddenWhenCited.some(type => beyond.includes(type)) ? uncited : all);
    if (caller.kind === 'patient') return permit(scoped, 'a person sees whence everything in the own record is');
    const own = caller.organization === undefined ? none : contributedBy(caller.organization);
    const agent = registry.param('Provenance', 'agent');
    const named = agent === undefined ? none : refersTo(agent, caller.actors);
    return permit(and(scoped, or(own, named, unrelated)), 'it has to do with no Consent of others');
  },
});

/** The types that the token may not read, or reads in part only: a target of one of them might be hidden. */
const beyondScopes = ({ scopes }: Caller): readonly ResourceType[] =>
  [...resourceTypes].filter(
    type => !scopes.some(({ type: named, may, where }) => where.length === 0 && may.has('r') && (named === type || (named === '*' && isInWildcard(type, 'r')))),
  );

const strangeTarget = 'Every target of a Provenance is a resource here that its sender may change.';

/** Where it names who did something. */
const participants = ['agent', 'entity.agent', 'signature'];

/** Whether it names nobody but the caller, and as whom that acts. */
function inOwnName(provenance: Resource, { kind, actors, record }: Caller): boolean {
  const represented = kind === 'caregiver' && record !== undefined ? [...actors, record] : actors;
  const isOne = (of: readonly KeyName[], reference: unknown): boolean => of.some(name => name === referenceName(reference));
  return participants
    .flatMap(path => elements(follow(provenance, path)))
    .every(({ who, onBehalfOf }) => isOne(actors, who) && (onBehalfOf === undefined || isOne(represented, onBehalfOf)));
}

/** A client vouches for what it may change itself, in its own name. */
const writing: Rule = {
  id: 'provenance-writing',
  judge({ caller, action }: Question, { after, known }: Facts): Finding | undefined {
    if (action !== 'create' || after === undefined || isUnbound(caller)) return undefined;
    const targets = targetsOf(after);
    if (targets.length === 0 || targets.length !== elements(after.resource.target).length || !targets.every(target => known.resources.has(target))) {
      return refuse(strangeTarget);
    }
    if (elements(after.resource.agent).length === 0 || !inOwnName(after.resource, caller))
      return refuse('Whoever a Provenance names as agent or signer is its sender, and for whom the sender acts.');
    return permit(all, 'it is about what its sender may change');
  },
};

export const provenancePolicy: Policy = {
  type: 'Provenance',
  wildcard: ['r', 's'],
  notAllowed: ['update', 'delete'],
  unattributed: true,
  needs: (_question, _before, after) => (after === undefined ? {} : { keys: targetsOf(after) }),
  also: after => ({ writes: targetsOf(after).map(key => ({ action: 'update', key })), refusal: strangeTarget }),
  rules: registry => [reading(registry), writing],
};

const permit = (only: Predicate, because: string): Finding => ({ effect: 'permit', only, because, sources: [] });
const refuse = (because: string): Finding => ({ effect: 'deny', because, sources: [] });
