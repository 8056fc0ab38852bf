import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { DocumentChange, DocumentKind } from '../../src/store/documents.ts';
import type { Change, Committed, EpochName, ResourceStore } from '../../src/store/store.ts';
import { at, type Open, put, write } from './world.ts';

const refused = (why: string, index = 0): Committed => ({ ok: false, at: index, why }) as Committed;
/** Change of a document; undefined takes it away. */
const keep = (kind: DocumentKind, id: string, value: unknown, more: Pick<DocumentChange, 'expect' | 'expires'> = {}): DocumentChange => ({
  op: 'document',
  kind,
  id,
  value,
  ...more,
});
const isStill = (of: EpochName, is: number): Change => ({ op: 'epoch', of, is });
/** A moment in epoch ms, past what 32 bits hold. */
const NOON = Date.UTC(2026, 0, 1, 12);

export function documentsContract(open: Open): void {
  describe('documents', () => {
    let store: ResourceStore;
    /** Of another process over the same data, where an engine can have that. */
    let other: ResourceStore;
    beforeAll(async () => {
      const opened = await open();
      store = opened.store;
      other = (await opened.beside?.()) ?? store;
    });
    afterAll(async () => {
      if (other !== store) await other.close();
      await store.close();
    });
    const idsOf = async (kind: DocumentKind): Promise<readonly string[]> => (await store.documents(kind)).map(({ id }) => id);
    /** The nth of those who do the same at once. */
    const nth = (n: number): ResourceStore => (n % 2 === 0 ? store : other);
    const times = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

    test('are inserted, replaced and removed, and each change raises their epoch', async () => {
      const client = (value: unknown, more: object = {}): Change => keep('client', 'app', value, more);
      expect(await store.document('client', 'app')).toBeUndefined();
      await write(store, client({ name: 'one' }, { expect: 'absent' }));
      expect(await store.commit([client({ name: 'two' }, { expect: 'absent' })], at(1))).toEqual(refused('document'));
      await write(store, client({ name: 'three' }), keep('client', 'other', [1, null]), keep('key', 'app', 'k'));
      expect(await store.document('client', 'app')).toEqual({ name: 'three' });
      expect(await store.documents('client')).toEqual([
        { kind: 'client', id: 'app', value: { name: 'three' } },
        { kind: 'client', id: 'other', value: [1, null] },
      ]);
      expect(await store.epochs(['client:app', 'client:other', 'client:none', 'key:app'])).toEqual([2, 1, 0, 1]);
      await write(store, client(undefined));
      expect(await store.documents('client')).toHaveLength(1);
      expect(await store.epochs(['client:app', 'client:other'])).toEqual([3, 1]);
      expect(await store.commit([isStill('client:app', 2)], at(1))).toEqual(refused('epoch'));
      expect(await store.commit([isStill('client:app', 3), isStill('client:none', 0)], at(1))).toMatchObject({ ok: true });
    });

    test('that expire are read like others, also when they have expired', async () => {
      await write(store, keep('ticket', 'old', { n: 1 }, { expires: 1, expect: 'absent' }), keep('ticket', "it's: odd", null, { expires: NOON }));
      expect(await store.document('ticket', 'old')).toEqual({ n: 1 });
      expect(await store.documents('ticket')).toEqual([
        { kind: 'ticket', id: "it's: odd", value: null },
        { kind: 'ticket', id: 'old', value: { n: 1 } },
      ]);
      expect(await store.commit([keep('ticket', 'old', 2, { expect: 'absent', expires: NOON })], at(1))).toEqual(refused('document'));
      expect(await store.document('ticket', 'old')).toEqual({ n: 1 });
    });

    test('are swept away once they have expired, with their epochs, and no others', async () => {
      await write(
        store,
        keep('session', 'before', 1, { expires: NOON - 1 }),
        keep('session', 'at', 1, { expires: NOON }),
        keep('session', 'after', 1, { expires: NOON + 1 }),
        keep('session', 'stays', 1),
        keep('code', 'before', 1, { expires: 0 }),
        // Another's id and epoch that look alike.
        keep('client', 'before', 1),
      );
      expect(await store.sweep(NOON, 100)).toBe(3);
      expect([await idsOf('session'), await idsOf('code'), await idsOf('ticket')]).toEqual([['after', 'at', 'stays'], [], ["it's: odd"]]);
      expect(await store.document('session', 'before')).toBeUndefined();
      expect(await store.document('client', 'before')).toBe(1);
      const names = ['session:before', 'code:before', 'ticket:old', 'session:at', 'session:after', 'session:stays', 'client:before'] as const;
      expect(await store.epochs(names)).toEqual([0, 0, 0, 1, 1, 1, 1]);
      expect(await store.sweep(NOON, 100)).toBe(0);
      expect(await store.sweep(NOON + 1, 100)).toBe(2);
      expect(await store.sweep(Number.MAX_SAFE_INTEGER, 100)).toBe(1);
      expect(await idsOf('session')).toEqual(['stays']);
    });

    test('last as long as was said last: what is replaced without a moment stays, what gets one goes', async () => {
      await write(store, keep('refresh', 'prolonged', 1, { expires: 10 }), keep('refresh', 'stays', 1, { expires: 10 }), keep('refresh', 'goes', 1));
      await write(store, keep('refresh', 'prolonged', 2, { expires: 30 }), keep('refresh', 'stays', 2), keep('refresh', 'goes', 2, { expires: 10 }));
      expect(await store.sweep(20, 100)).toBe(1);
      expect(await idsOf('refresh')).toEqual(['prolonged', 'stays']);
      expect(await store.epochs(['refresh:prolonged', 'refresh:stays', 'refresh:goes'])).toEqual([2, 2, 0]);
      expect(await store.sweep(40, 100)).toBe(1);
      expect(await idsOf('refresh')).toEqual(['stays']);
      // Removed and made anew, it does not last as the one before.
      await write(store, keep('refresh', 'again', 1, { expires: 10 }));
      await write(store, keep('refresh', 'again', undefined));
      await write(store, keep('refresh', 'again', 2));
      expect(await store.sweep(40, 100)).toBe(0);
      expect(await store.document('refresh', 'again')).toBe(2);
    });

    test('are swept at most as many as asked, those that expired first before others', async () => {
      await write(store, ...times(130).map(n => keep('throttle', String(n).padStart(3, '0'), n, { expires: 1000 - n })));
      expect(await store.sweep(2000, 0)).toBe(0);
      expect(await store.sweep(2000, 1)).toBe(1);
      expect(await store.sweep(2000, 119)).toBe(119);
      expect(await idsOf('throttle')).toEqual(times(10).map(n => `00${n}`));
      expect(await store.sweep(2000, 119)).toBe(10);
    });

    test('with an id that was swept away can be made again, from the first epoch on', async () => {
      await write(store, keep('replay', 'x', 1, { expires: 1, expect: 'absent' }));
      expect(await store.sweep(2, 10)).toBe(1);
      expect(await store.commit([isStill('replay:x', 1)], at(1))).toEqual(refused('epoch'));
      await write(store, isStill('replay:x', 0), keep('replay', 'x', 2, { expires: 1, expect: 'absent' }));
      expect([await store.document('replay', 'x'), await store.epochs(['replay:x'])]).toEqual([2, [1]]);
      expect(await store.sweep(2, 10)).toBe(1);
    });

    test('of ten inserts of one id at once one is made', async () => {
      for (const round of times(10)) {
        const id = `jti-${round}`;
        const all = await Promise.all(
          times(10).map(n => nth(n).commit([put(`Basic/${id}-${n}`), keep('replay', id, n, { expect: 'absent', expires: NOON })], at(1))),
        );
        expect(all.filter(({ ok }) => ok)).toHaveLength(1);
        expect(all.filter(({ ok }) => !ok)).toEqual(Array(9).fill(refused('document', 1)));
        expect(await store.document('replay', id)).toBe(all.findIndex(({ ok }) => ok));
        expect(await store.epochs([`replay:${id}`])).toEqual([1]);
      }
    });

    test('of ten that replace what they have seen at once one is made', async () => {
      for (const round of times(10)) {
        const id = `c${round}`;
        await write(store, keep('code', id, 'new', { expires: NOON }));
        const use = (n: number): readonly Change[] => [isStill(`code:${id}`, 1), keep('code', id, `used by ${n}`, { expires: NOON })];
        const all = await Promise.all(times(10).map(n => nth(n).commit(use(n), at(1))));
        expect(all.filter(({ ok }) => ok)).toHaveLength(1);
        expect(all.filter(({ ok }) => !ok)).toEqual(Array(9).fill(refused('epoch')));
        expect(await store.document('code', id)).toBe(`used by ${all.findIndex(({ ok }) => ok)}`);
        expect(await store.epochs([`code:${id}`])).toEqual([2]);
      }
    });

    test('that are prolonged while they are swept stay, or were swept before: with their epoch, or without', async () => {
      const names = times(40).map(n => `p${n}`);
      let stayed = 0;
      for (const round of times(8)) {
        const id = (name: string): string => `${round}-${name}`;
        await write(store, ...names.map(name => keep('launch', id(name), 'short', { expires: 10 })));
        const prolong = (name: string, n: number): Promise<Committed> =>
          nth(n).commit([isStill(`launch:${id(name)}`, 1), keep('launch', id(name), 'long', { expires: 30 })], at(1));
        const half = names.length / 2;
        const before = names.slice(0, half).map(prolong);
        // Engines differ in what they do first of all that is asked at once.
        if (round % 2 === 1) await before[0];
        const swept = [store, other].map(one => one.sweep(20, 100));
        const all = await Promise.all([...before, ...names.slice(half).map(prolong)]);
        const gone = (await Promise.all(swept)).reduce((sum, count) => sum + count);
        // Whatever came first: no other mixture is ever seen.
        const found = await Promise.all(names.map(name => store.document('launch', id(name))));
        expect(found).toEqual(all.map(({ ok }) => (ok ? 'long' : undefined)));
        expect(await store.epochs(names.map(name => `launch:${id(name)}` as const))).toEqual(all.map(({ ok }) => (ok ? 2 : 0)));
        expect(gone).toBe(all.filter(({ ok }) => !ok).length);
        stayed += names.length - gone;
        expect(await store.sweep(20, 100)).toBe(0);
      }
      expect(stayed).toBeGreaterThan(0);
      expect(await store.sweep(40, 1000)).toBe(stayed);
    });

    test('that were swept away are as good as never there to those who insert them at once', async () => {
      for (const round of times(10)) {
        await write(store, keep('replay', 'again', 'old', { expires: 10 }));
        const insert = (n: number): Promise<Committed> => nth(n).commit([keep('replay', 'again', n, { expect: 'absent', expires: 30 })], at(1));
        const [first, , ...others] = await Promise.all([insert(0), other.sweep(20, 10), ...times(9).map(n => insert(n + 1))]);
        const won = [first, ...others].filter(({ ok }) => ok).length;
        expect([round, won <= 1, await store.epochs(['replay:again'])]).toEqual([round, true, [won]]);
        await write(store, keep('replay', 'again', 'over', { expires: 10 }));
        expect(await store.sweep(20, 10)).toBe(1);
      }
    });

    test('outlive the process with the moment at which they expire', async () => {
      const opened = await open();
      await write(opened.store, keep('session', 's', 1, { expires: 10 }), keep('session', 'stays', 1));
      const again = (await opened.reopen?.()) ?? opened.store;
      expect(await again.sweep(20, 10)).toBe(1);
      expect((await again.documents('session')).map(({ id }) => id)).toEqual(['stays']);
      await again.close();
    });
  });
}
