import type { KeyName } from '../../fhir/types.ts';
import { readGrant } from '../encoding.ts';
import { type Dumped, type Dumps, type Items, migrationNote, type Part, type Position } from '../transfer.ts';
import type { Dictionary } from './dictionary.ts';
import type { Driver } from './driver.ts';
import { type StoredRow, storedColumns, versionOf } from './version.ts';

type LinkRow = Omit<Items['link'], 'events'> & { readonly first: number; readonly last: number };

/** All that is stored, one item at a time, so that no more than one is held. Each begins anew after the last: commits may come between. */
export function dumpsOf(driver: Driver, known: Dictionary): Dumps {
  return {
    link: stepping(([after = 0]) => {
      const row = driver.get<LinkRow>('SELECT first, last, writer, number, previous, hash FROM link WHERE first > ? ORDER BY first LIMIT 1', after);
      if (row === undefined) return undefined;
      const { first, last, ...link } = row;
      const events = driver.all<StoredRow>(
        `SELECT ${storedColumns} FROM res WHERE rid BETWEEN ? AND ? AND type = ? AND version > 0 ORDER BY rid`,
        ...[first, last, known.typeId('AuditEvent')],
      );
      return { item: { ...link, events: events.map(event => versionOf(event, known)) }, at: [first] };
    }),
    resource: stepping(([after = 0]) => {
      const row = driver.get<StoredRow>(
        `SELECT ${storedColumns} FROM res WHERE rid > ? AND version > 0
         AND (type <> ? OR coalesce((SELECT last FROM link WHERE first <= res.rid ORDER BY first DESC LIMIT 1), 0) < rid) ORDER BY rid LIMIT 1`,
        ...[after, known.typeId('AuditEvent')],
      );
      return row && { item: versionOf(row, known), at: [row.rid] };
    }),
    past: stepping(([rid = 0, version = 0]) => {
      const row = driver.get<StoredRow>(
        `SELECT res.rid, res.type, res.id, at & 16777215 AS version, hist.updated, hist.deleted, hist.facets, hist.body FROM hist
         CROSS JOIN res ON res.rid = at >> 24 WHERE at > (CAST(? AS INTEGER) << 24 | CAST(? AS INTEGER)) ORDER BY at LIMIT 1`,
        ...[rid, version],
      );
      return row && { item: versionOf(row, known), at: [row.rid, row.version] };
    }),
    grants: stepping(([after = '']) => {
      const { consent } = driver.get<{ consent: KeyName | null }>('SELECT min(consent) AS consent FROM grants WHERE consent > ?', after)!;
      if (consent === null) return undefined;
      const rows = driver.all<{ row: string }>('SELECT DISTINCT node, row FROM grants WHERE consent = ? ORDER BY node', consent);
      return { item: { consent, rows: rows.map(({ row }) => readGrant(row)) }, at: [consent] };
    }),
    epoch: stepping(([after = '']) => {
      const row = driver.get<Items['epoch']>('SELECT name, epoch FROM epochs WHERE name > ? ORDER BY name LIMIT 1', after);
      return row && { item: { ...row }, at: [row.name] };
    }),
    document: stepping(([kind = '', id = '']) => {
      const row = driver.get<Omit<Items['document'], 'expires'> & { readonly expires: number | null }>(
        'SELECT kind, id, value, expires FROM documents WHERE (kind, id) > (?, ?) AND (kind, id) <> (?, ?) ORDER BY kind, id LIMIT 1',
        ...[kind, id, migrationNote.kind, migrationNote.id],
      );
      if (row === undefined) return undefined;
      const { expires, ...stays } = row;
      return { item: { ...stays, ...(expires === null ? {} : { expires }) }, at: [row.kind, row.id] };
    }),
    end: stepping(([after = '']) => {
      const row = driver.get<Items['end']>(
        `SELECT writer, max(number) AS number, hash, (SELECT previous FROM link f WHERE f.writer = link.writer ORDER BY f.number LIMIT 1) AS begun
         FROM link WHERE writer = (SELECT min(writer) FROM link WHERE writer > ?) GROUP BY writer`,
        after,
      );
      return row && { item: { ...row }, at: [row.writer] };
    }),
  };
}

/** One item after the other, from how to find the one that comes after a position. */
const stepping = <P extends Part>(next: (after: Position) => Dumped<P> | undefined): Dumps[P] =>
  async function* (after) {
    for (let found = next(after); found !== undefined; found = next(found.at)) yield found;
  } as Dumps[P];
