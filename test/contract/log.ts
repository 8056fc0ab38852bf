import { describe, expect, test } from '@jest/globals';
import { linkHash, verifyChain } from '../../src/audit/chain.ts';
import type { ChainLink, ResourceStore } from '../../src/store/store.ts';
import { at, event, keyOf, namesOf, type Open, put, remove, some, token, write } from './world.ts';

async function linksOf(store: ResourceStore): Promise<readonly ChainLink[]> {
  const links: ChainLink[] = [];
  for await (const link of store.chain()) links.push(link);
  return links;
}

export function logContract(open: Open): void {
  describe('the log', () => {
    test('an event is an AuditEvent with the bytes given, found by what it was indexed as', async () => {
      const { store } = await open();
      const line = event('e1', 'Patient/tom');
      await store.commit([line], at(3));
      const version = await store.read(keyOf('AuditEvent/e1'));
      expect(version).toMatchObject({ versionId: '1', lastUpdated: at(3), deleted: false, facets: line.indexed.facets });
      expect(Buffer.from(version!.body)).toEqual(Buffer.from(line.body));
      expect(version!.parsed()).toEqual(JSON.parse(Buffer.from(line.body).toString('utf8')));
      const find = (code: string, value: string) => ({
        branches: [{ type: 'AuditEvent', where: some('AuditEvent', code, token(value)), links: [] }],
        sort: [],
        limit: 9,
      });
      expect(namesOf((await store.search(find('.record', 'Patient/tom'))).versions)).toEqual(['AuditEvent/e1']);
      expect(await store.count(find('action', 'R'))).toBe(1);
      expect(await store.count(find('action', 'C'))).toBe(0);
      expect(await store.commit([event('e1')], at(4))).toEqual({ ok: false, at: 0, why: 'version' });
      await store.close();
    });

    test('every event is in one link, in the order of the commits, each link upon the one before', async () => {
      const { store } = await open();
      const lanes = Array.from({ length: 30 }, (_, n) => store.commit([put(`Patient/p${n}`), event(`a${n}`), ...(n % 3 === 0 ? [event(`b${n}`)] : [])], at(n)));
      lanes.push(store.commit([event('lost'), remove('Patient/nobody')], at(0)));
      await Promise.all(lanes);
      await write(store, event('later'));
      await write(store, put('Patient/silent'));
      const links = await linksOf(store);
      expect(links.flatMap(link => link.events.map(one => one.id))).toEqual([
        ...Array.from({ length: 30 }, (_, n) => (n % 3 === 0 ? [`a${n}`, `b${n}`] : [`a${n}`])).flat(),
        'later',
      ]);
      expect(links.map(link => link.number)).toEqual(links.map((_, n) => n + 1));
      expect(links[0]!.previous).toBe('');
      for (const [n, link] of links.entries()) {
        expect(link.hash).toBe(linkHash(link.previous, link.events));
        if (n > 0) expect(link.previous).toBe(links[n - 1]!.hash);
      }
      expect(await verifyChain(store.chain())).toMatchObject({ events: 41, faults: [] });
      await store.close();
    });

    test('what was put into the log by other ways shows', async () => {
      const { store } = await open();
      await write(store, event('e1'));
      await write(store, put('AuditEvent/forged'));
      await write(store, event('e2'));
      const links = await linksOf(store);
      expect(links.map(link => [link.number, link.events.map(one => one.id)])).toEqual([
        [1, ['e1']],
        [2, ['e2']],
        [-1, ['forged']],
      ]);
      await store.close();
    });

    test('what is acknowledged outlives the process, and the chain goes on', async () => {
      const { store, reopen } = await open();
      await write(store, put('Patient/kept', { gender: 'female' }), put('Patient/kept'), put('Patient/gone'), remove('Patient/gone'), event('e1'));
      await write(store, { op: 'document', kind: 'note', id: 'n', value: { a: 1 } });
      if (reopen === undefined) return store.close();
      const again = await reopen();
      expect(await again.read(keyOf('Patient/kept'))).toMatchObject({ versionId: '2' });
      expect((await again.read(keyOf('Patient/kept'), '1'))!.parsed()).toMatchObject({ gender: 'female' });
      expect(await again.read(keyOf('Patient/gone'))).toMatchObject({ deleted: true });
      expect(await again.document('note', 'n')).toEqual({ a: 1 });
      expect(await again.epochs(['note:n'])).toEqual([1]);
      expect(await again.totals()).toEqual({ Patient: 1, AuditEvent: 1 });
      await write(again, event('e2'), put('Patient/kept', { gender: 'male' }));
      expect(await verifyChain(again.chain())).toMatchObject({ events: 2, links: 2, faults: [] });
      return again.close();
    });
  });
}
