import type { ResourceType } from '../../fhir/types.ts';
import type { Ask, GrantedEffect } from '../../search/query.ts';
import type { Dictionary } from './dictionary.ts';
import { q, type Sql, sql } from './driver.ts';

/** The actor column of a grant that binds anyone. No reference is written so. */
export const ANYONE = '*';

/** The actors column of the grants that an ask may rest on. */
export const actorsOf = (ask: Ask): string => JSON.stringify([...ask.actors, ANYONE]);

/**
 * `granted` (search/granted.ts) as a condition on the resource of a row: its records joined with their grants. The deepest node of a Consent that
 * covers decides, and at one depth a denial: so of `2 * depth + deny` the largest is odd for a denial and even for a permit.
 */
export function grantedSql(effect: GrantedEffect, ask: Ask, type: ResourceType, rid: Sql, known: Dictionary): Sql {
  const records = q`FROM tok rec WHERE rec.rid = ${rid} AND rec.p = ${known.paramId(type, '.record')}`;
  const says = (
    sought: 'permit' | 'deny',
  ): Sql => q`EXISTS (SELECT 1 FROM grants g WHERE g.record = rec.code AND ${appliesSql(ask)} AND ${coversSql(type, rid, known)}
    GROUP BY g.consent HAVING max(2 * g.depth + g.deny) % 2 = ${sought === 'deny' ? 1 : 0})`;
  switch (effect) {
    case 'permit':
      return q`(EXISTS (SELECT 1 ${records}) AND NOT EXISTS (SELECT 1 ${records} AND NOT ${says('permit')}))`;
    case 'deny':
      return q`EXISTS (SELECT 1 ${records} AND ${says('deny')})`;
    case 'share':
      return q`EXISTS (SELECT 1 ${records} AND ${says('permit')} AND NOT ${says('deny')})`;
  }
}

function appliesSql(ask: Ask): Sql {
  const at = Date.parse(ask.at);
  return q`g.actor IN (SELECT value FROM json_each(${actorsOf(ask)})) AND ${sql(ask.action === 'access' ? 'g.access' : 'g.correct')}
    AND g.low <= ${at} AND g.high >= ${at} AND (g.purposes IS NULL OR ${ask.purpose} IN (SELECT value FROM json_each(g.purposes)))`;
}

/** Whether the criteria of the grant `g` take the resource in. Those that it does not have are NULL. */
function coversSql(type: ResourceType, rid: Sql, known: Dictionary): Sql {
  const p = (facet: string): number => known.paramId(type, facet);
  const tokens = (facet: string): Sql => q`FROM tok WHERE tok.rid = ${rid} AND tok.p = ${p(facet)}`;
  const references = (facet: string): Sql => q`FROM ref WHERE ref.rid = ${rid} AND ref.p = ${p(facet)}`;
  const listed = (column: string): Sql => sql(`(SELECT value FROM json_each(g.${column}))`);
  const confidentiality = q`(SELECT CAST(tok.code AS INTEGER) ${tokens('.confidentiality')})`;
  const sensitive = (column: string): Sql => q`EXISTS (SELECT 1 ${tokens('.sensitivity')} AND tok.code IN ${listed(column)})`;

  // Only what has been stored with target types has some: for the other types the question is not asked.
  const targeted = p('.target-type') >= 0;
  const targets = q`EXISTS (SELECT 1 ${tokens('.target-type')})`;
  const some = (column: string): Sql => q`EXISTS (SELECT 1 ${tokens('.target-type')} AND tok.code IN ${listed(column)})`;
  const every = q`NOT EXISTS (SELECT 1 ${tokens('.target-type')} AND tok.code NOT IN ${listed('classes')})`;
  const own = (column: string): Sql => q`${type} IN ${listed(column)}`;
  const excluded = targeted ? q`CASE WHEN ${targets} THEN ${some('notClasses')} ELSE ${own('notClasses')} END` : own('notClasses');
  const named = targeted ? q`CASE WHEN NOT ${targets} THEN ${own('classes')} WHEN g.deny THEN ${some('classes')} ELSE ${every} END` : own('classes');
  const profiled = q`EXISTS (SELECT 1 FROM uri JOIN system ON system.id = uri.uri WHERE uri.rid = ${rid} AND uri.p = ${p('.profile')} AND system.uri IN ${listed('profiles')})`;

  const coded = q`EXISTS (SELECT 1 FROM json_each(g.codes) c CROSS JOIN tok ON tok.p = ${p('.code')} AND tok.code = c.value ->> 0 AND tok.rid = ${rid}
    WHERE c.value ->> 1 IS NULL OR tok.sys = c.value ->> 1)`;
  const dated = q`EXISTS (SELECT 1 FROM dat WHERE dat.rid = ${rid} AND dat.p = ${p('.clinical-date')} AND dat.low <= g.dateHigh AND dat.high >= g.dateLow)`;
  const related = sql(`EXISTS (SELECT 1 FROM json_each(g.related) n CROSS JOIN ref near ON near.rid = n.value AND near.target = ref.target
    WHERE near.p IN (SELECT id FROM param WHERE code = '.ref'))`);
  const about = q`EXISTS (SELECT 1 ${references('.about')} AND (ref.target IN ${listed('instances')} OR ref.target IN ${listed('related')}
    OR ref.target IN ${listed('dependents')} OR ${related}))`;
  const refers = (facet: string, column: string): Sql => q`EXISTS (SELECT 1 ${references(facet)} AND ref.target IN ${listed(column)})`;

  const itself = targeted ? q`(g.deny OR NOT ${targets})` : sql('1');
  return q`(NOT g.narrow OR (SELECT count(*) ${references('.about')}) < 2)
    AND (g.notClasses IS NULL OR NOT ${excluded})
    AND ((g.classes IS NULL AND g.profiles IS NULL) OR (g.classes IS NOT NULL AND ${named}) OR (g.profiles IS NOT NULL AND ${profiled} AND ${itself}))
    AND (g.codes IS NULL OR ${coded})
    AND (g.upTo IS NULL OR ${confidentiality} <= g.upTo)
    AND (g.onlySensitivities IS NULL OR NOT EXISTS (SELECT 1 ${tokens('.sensitivity')} AND tok.code NOT IN ${listed('onlySensitivities')}))
    AND (g.notSensitivities IS NULL OR NOT ${sensitive('notSensitivities')})
    AND (g.anySensitivity IS NULL OR ${confidentiality} >= g.atLeast OR ${sensitive('anySensitivity')})
    AND (g.dateLow IS NULL OR ${dated})
    AND (g.instances IS NULL OR ${about} OR (${refers('.ref', 'dependents')} AND ${itself}) OR ${refers('.author', 'authors')})`;
}
