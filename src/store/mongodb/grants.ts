import type { KeyName } from '../../fhir/types.ts';
import type { Grant, LoadedGrant } from '../../search/grant.ts';
import type { RecordId } from '../../search/indexed.ts';
import { readGrant, writeGrant } from '../encoding.ts';
import { ANYONE, nearStage } from './granted.ts';
import type { Collections, StoredGrant, StoredGrants } from './stored.ts';

/** The documents of a Consent: one for each record that its rows are about. */
export function storedGrants(consent: KeyName, rows: readonly Grant[]): readonly StoredGrants[] {
  const nodes = rows.map((grant, node) => ({ grant, node }));
  return [...Map.groupBy(nodes, ({ grant }) => grant.record)].map(([record, those]) => ({
    _id: `${consent} ${record}`,
    consent,
    record,
    actors: [...new Set(those.flatMap(({ grant }) => actorsOf(grant)))],
    related: [...new Set(those.flatMap(({ grant }) => grant.what.data?.related ?? []))],
    rows: those.map(({ grant, node }) => storedGrant(grant, node)),
  }));
}
const actorsOf = ({ actors }: Grant): readonly string[] => (actors === 'anyone' ? [ANYONE] : actors);

function storedGrant(grant: Grant, node: number): StoredGrant {
  const { effect, depth, purposes, actions, during, what } = grant;
  const codes = what.codes?.filter(({ code }) => code !== undefined).map(({ system, code }) => ({ system, code }));
  return {
    node,
    text: writeGrant(grant),
    actors: actorsOf(grant),
    depth,
    deny: effect === 'deny' ? 1 : 0,
    narrow: effect === 'permit' && [what.codes, what.profiles, what.dates, what.data].some(criterion => criterion !== undefined),
    purposes,
    access: actions.includes('access'),
    correct: actions.includes('correct'),
    low: during.low,
    high: during.high,
    classes: what.classes,
    profiles: what.profiles,
    notClasses: what.notClasses,
    codes,
    upTo: what.upTo,
    onlySensitivities: what.onlySensitivities,
    notSensitivities: what.notSensitivities,
    atLeast: what.labelled?.atLeast,
    anySensitivity: what.labelled?.anyOf,
    dateLow: what.dates?.low ?? -Infinity,
    dateHigh: what.dates?.high ?? Infinity,
    instances: what.data?.instances,
    related: what.data?.related,
    dependents: what.data?.dependents,
    authors: what.data?.authors,
  };
}

/** The grants on these records that name one of the actors, or anyone, in the order of their Consents. */
export async function loadGrants(records: readonly RecordId[], actors: readonly KeyName[], { grants }: Collections): Promise<readonly LoadedGrant[]> {
  const named = [...actors, ANYONE];
  type Near = { readonly near: readonly { readonly _id: KeyName; readonly refs: readonly KeyName[] }[] };
  const found = await grants.aggregate<StoredGrants & Near>([{ $match: { record: { $in: [...records] }, actors: { $in: named } } }, nearStage]).toArray();
  return found
    .flatMap(({ consent, rows, near }) =>
      rows.filter(row => row.actors.some(actor => named.includes(actor))).map(row => ({ consent, node: row.node, grant: loaded(readGrant(row.text), near) })),
    )
    .toSorted((one, other) => (one.consent === other.consent ? one.node - other.node : one.consent < other.consent ? -1 : 1))
    .map(({ grant }) => grant);
}
function loaded(grant: Grant, near: readonly { readonly _id: KeyName; readonly refs: readonly KeyName[] }[]): LoadedGrant {
  const named = grant.what.data?.related ?? [];
  if (named.length === 0) return grant;
  return { ...grant, relatedTo: [...new Set([...named, ...near.filter(one => named.includes(one._id)).flatMap(one => one.refs)])] };
}
