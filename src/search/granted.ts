import { localReferences } from '../fhir/reference.ts';
import type { KeyName } from '../fhir/types.ts';
import type { Criteria, LoadedGrant } from './grant.ts';
import type { Indexed } from './indexed.ts';
import { canonicalForms } from './kinds/uri.ts';
import type { Ask, GrantedEffect } from './query.ts';

/**
 * What the Consents in force say to the ask about this resource (see GrantedEffect). A resource in no record is permitted by none. Whoever asks combines
 * permit and deny: permitted and not denied, so that over several Consents a denial wins.
 */
export function granted(effect: GrantedEffect, ask: Ask, indexed: Indexed, grants: readonly LoadedGrant[]): boolean {
  const { records } = indexed.facets;
  const says = (record: KeyName, sought: 'permit' | 'deny'): boolean => {
    const covering = grants.filter(grant => grant.record === record && applies(grant, ask) && covers(grant, indexed));
    return [...Map.groupBy(covering, grant => grant.consent).values()].some(nodes => verdict(nodes) === sought);
  };
  switch (effect) {
    case 'permit':
      return records.length > 0 && records.every(record => says(record, 'permit'));
    case 'deny':
      return records.some(record => says(record, 'deny'));
    case 'share':
      return records.some(record => says(record, 'permit') && !says(record, 'deny'));
  }
}

/** What one Consent says: its deepest node that covers, and of several such a denial. */
function verdict(nodes: readonly LoadedGrant[]): 'permit' | 'deny' {
  const deepest = Math.max(...nodes.map(node => node.depth));
  return nodes.some(node => node.depth === deepest && node.effect === 'deny') ? 'deny' : 'permit';
}

function applies(grant: LoadedGrant, ask: Ask): boolean {
  const at = Date.parse(ask.at);
  return (
    (grant.actors === 'anyone' || meet(grant.actors, ask.actors)) &&
    (grant.purposes === undefined || grant.purposes.includes(ask.purpose)) &&
    grant.actions.includes(ask.action) &&
    grant.during.low <= at &&
    at <= grant.during.high
  );
}

/** Whether the node's criteria take the resource in: all that are given must. */
export function covers(grant: LoadedGrant, indexed: Indexed): boolean {
  const { what, effect } = grant;
  const { confidentiality, sensitivity, clinicalDate, about } = indexed.facets;
  const narrow = what.codes !== undefined || what.profiles !== undefined || what.dates !== undefined || what.data !== undefined;
  // The facets of several targets are put together: what fits the whole might fit none of them, so a permit that picks among them picks nothing.
  if (effect === 'permit' && narrow && about.length > 1) return false;
  return (
    coversKind(what, effect, indexed) &&
    (what.codes === undefined || coversCodes(what.codes, indexed)) &&
    (what.upTo === undefined || confidentiality <= what.upTo) &&
    (what.onlySensitivities === undefined || sensitivity.every(code => what.onlySensitivities!.includes(code))) &&
    (what.notSensitivities === undefined || !meet(what.notSensitivities, sensitivity)) &&
    (what.labelled === undefined ||
      (what.labelled.atLeast !== undefined && confidentiality >= what.labelled.atLeast) ||
      meet(what.labelled.anyOf, sensitivity)) &&
    (what.dates === undefined || (clinicalDate.low <= what.dates.high && what.dates.low <= clinicalDate.high)) &&
    (what.data === undefined || coversData(what.data, grant, indexed))
  );
}

/** By type or by profile; a Provenance by the types of its targets. */
function coversKind({ classes, profiles, notClasses }: Criteria, effect: 'permit' | 'deny', { resource, facets }: Indexed): boolean {
  const standsIn = (facets.targetTypes?.length ?? 0) > 0;
  const types = standsIn ? facets.targetTypes! : [resource.resourceType];
  if (notClasses !== undefined && meet(notClasses, types)) return false;
  if (classes === undefined && profiles === undefined) return true;
  const named = classes !== undefined && (effect === 'permit' ? types.every(type => classes.includes(type)) : meet(classes, types));
  // What stands for its targets claims its own profiles, which say nothing of theirs: that permits nothing.
  return named || ((effect === 'deny' || !standsIn) && profiles !== undefined && meet(profiles, profilesOf(resource.meta?.profile)));
}

/** The profiles that a resource claims, with and without the version they are claimed in. */
export const profilesOf = (claimed: unknown): readonly string[] =>
  Array.isArray(claimed) ? claimed.filter(profile => typeof profile === 'string').flatMap(canonicalForms) : [];

const coversCodes = (codes: NonNullable<Criteria['codes']>, { facets }: Indexed): boolean =>
  codes.some(
    wanted =>
      wanted.code !== undefined &&
      facets.codes.some(found => found.code === wanted.code && (wanted.system === undefined || wanted.system === (found.system ?? ''))),
  );

const coversData = (
  data: NonNullable<Criteria['data']>,
  { relatedTo, effect }: LoadedGrant,
  { resource, facets: { about, authors, targetTypes } }: Indexed,
): boolean =>
  meet(data.instances, about) ||
  (relatedTo !== undefined && meet(relatedTo, about)) ||
  meet(data.dependents, about) ||
  meet(data.authors, authors) ||
  // What stands for its targets may name others besides: that it refers to those permits nothing.
  (data.dependents.length > 0 && (effect === 'deny' || !(targetTypes?.length ?? 0)) && meet(data.dependents, localReferences(resource)));

const meet = (one: readonly string[], other: readonly string[]): boolean => one.some(member => other.includes(member));
