import type { KeyName, ResourceType } from '../../fhir/types.ts';
import type { Grant, LoadedGrant } from '../../search/grant.ts';
import type { RecordId } from '../../search/indexed.ts';
import { readGrant, writeGrant } from '../encoding.ts';
import { clamp } from '../ranges.ts';
import type { Dictionary } from './dictionary.ts';
import type { Driver, Value } from './driver.ts';
import { ANYONE } from './granted.ts';
import type { Indexer } from './index-rows.ts';

type Columns = Readonly<Record<string, Value>>;

/** Puts rows in place of those of a Consent, one for each actor, and gives the records whose grants may be different now. */
export function replaceGrants(consent: KeyName, rows: readonly Grant[], driver: Driver, known: Dictionary, { ridOf }: Indexer): readonly RecordId[] {
  const before = driver.all<{ record: RecordId }>('SELECT DISTINCT record FROM grants WHERE consent = ?', consent).map(row => row.record);
  driver.run('DELETE FROM grants WHERE consent = ?', consent);
  rows.forEach((grant, node) => {
    const columns: Columns = { record: grant.record, consent, node, row: writeGrant(grant), ...columnsOf(grant, known, ridOf) };
    const names = Object.keys(columns);
    for (const actor of grant.actors === 'anyone' ? [ANYONE] : new Set(grant.actors)) {
      driver.run(`INSERT INTO grants (actor, ${names.join(', ')}) VALUES (?${', ?'.repeat(names.length)})`, actor, ...Object.values(columns));
    }
  });
  return [...new Set([...before, ...rows.map(row => row.record)])];
}

/** The grant as granted.ts reads it: lists as JSON, resources and systems as their integers. */
function columnsOf({ effect, depth, purposes, actions, during, what }: Grant, known: Dictionary, ridOf: Indexer['ridOf']): Columns {
  const list = (values: readonly unknown[] | undefined): Value => (values === undefined ? null : JSON.stringify(values));
  const rows = (names: readonly KeyName[] | undefined): Value => list(names?.map(name => ridOf(...splitName(name))));
  const codes = what.codes?.flatMap(({ system, code }) => (code === undefined ? [] : [[code, system === undefined ? null : known.addSystem(system)]]));
  const narrow = effect === 'permit' && [what.codes, what.profiles, what.dates, what.data].some(criterion => criterion !== undefined);
  return {
    deny: effect === 'deny' ? 1 : 0,
    depth,
    narrow: narrow ? 1 : 0,
    purposes: list(purposes),
    access: actions.includes('access') ? 1 : 0,
    correct: actions.includes('correct') ? 1 : 0,
    low: clamp(during.low),
    high: clamp(during.high),
    classes: list(what.classes),
    profiles: list(what.profiles),
    notClasses: list(what.notClasses),
    codes: list(codes),
    upTo: what.upTo ?? null,
    onlySensitivities: list(what.onlySensitivities),
    notSensitivities: list(what.notSensitivities),
    atLeast: what.labelled?.atLeast ?? null,
    anySensitivity: list(what.labelled?.anyOf),
    dateLow: what.dates === undefined ? null : clamp(what.dates.low),
    dateHigh: what.dates === undefined ? null : clamp(what.dates.high),
    instances: rows(what.data?.instances),
    related: rows(what.data?.related),
    dependents: rows(what.data?.dependents),
    authors: rows(what.data?.authors),
  };
}

/** The grants on these records that name one of the actors, or anyone, in the order of their Consents. */
export function loadGrants(records: readonly RecordId[], actors: readonly KeyName[], driver: Driver): readonly LoadedGrant[] {
  const rows = driver.all<{ row: string; related: string | null }>(
    `SELECT DISTINCT record, consent, node, row, related FROM grants WHERE record IN (SELECT value FROM json_each(?)) AND actor IN (SELECT value FROM json_each(?))
     ORDER BY consent, node`,
    JSON.stringify(records),
    JSON.stringify([...actors, ANYONE]),
  );
  return rows.map(({ row, related }) => {
    const grant = readGrant(row);
    const named = grant.what.data?.related ?? [];
    return named.length === 0 ? grant : { ...grant, relatedTo: [...new Set([...named, ...referredBy(related!, driver)])] };
  });
}
/** What the resources of these rows refer to now, through the facet `.ref`. */
const referredBy = (rids: string, driver: Driver): readonly KeyName[] =>
  driver
    .all<{ type: ResourceType; id: string }>(
      `SELECT type.name AS type, res.id AS id FROM json_each(?) n CROSS JOIN ref ON ref.rid = n.value AND ref.p IN (SELECT id FROM param WHERE code = '.ref')
       CROSS JOIN res ON res.rid = ref.target CROSS JOIN type ON type.id = res.type WHERE type.name <> ''`,
      rids,
    )
    .map(({ type, id }): KeyName => `${type}/${id}`);

function splitName(name: KeyName): [type: ResourceType, id: string] {
  const slash = name.indexOf('/');
  return [name.slice(0, slash), name.slice(slash + 1)];
}
