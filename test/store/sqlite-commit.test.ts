import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { linkHash, verifyChain } from '../../src/audit/chain.ts';
import { queryOf } from '../../src/search/query.ts';
import { type Driver, openDriver } from '../../src/store/sqlite/driver.ts';
import { configure, migrate } from '../../src/store/sqlite/schema.ts';
import { openSqlite, storeOf } from '../../src/store/sqlite/store.ts';
import type { ResourceStore } from '../../src/store/store.ts';
import { at, event, keyOf, put, registry, some, write } from '../contract/world.ts';

const folder = mkdtempSync(join(tmpdir(), 'kindred-commit-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A store whose driver fails where `fails` says so. */
function failing(fails: (text: string) => unknown): ResourceStore {
  const driver = openDriver(':memory:');
  configure(driver);
  migrate(driver);
  const guarded: Driver = {
    ...driver,
    exec(text) {
      const error = fails(text);
      if (error !== undefined) throw error;
      driver.exec(text);
    },
    run(text, ...values) {
      const error = fails(text);
      if (error !== undefined) throw error;
      return driver.run(text, ...values);
    },
  };
  return storeOf(guarded, { paramsOf: registry.paramsOf, linkHash, writer: 'one' });
}
const full = Object.assign(new Error('database or disk is full'), { errcode: 13 });
const coded = (id: string) => put(`Basic/${id}`, { code: { coding: [{ system: 'http://new.system', code: id }] } });

describe('a commit that cannot be written', () => {
  test.each([
    ['the transaction cannot begin', 'BEGIN IMMEDIATE'],
    ['the transaction cannot be committed', 'COMMIT'],
    ['the disk is full in the middle', 'INSERT INTO hist'],
    ['the link of the log cannot be written', 'INSERT INTO link'],
  ])('%s: every request of the group is told, nothing is stored, and the next one is made', async (_, statement) => {
    let broken = false;
    const store = failing(text => (broken && text.startsWith(statement) ? full : undefined));
    await write(store, put('Patient/a'), event('e0'));
    broken = true;
    const group = await Promise.allSettled([
      store.commit([coded('x'), event('e1')], at(1)),
      store.commit([put('Patient/a', { gender: 'male' })], at(1)),
      store.commit([put('Patient/b')], at(1)),
    ]);
    for (const one of group) expect(one).toMatchObject({ status: 'rejected', reason: { code: 'unavailable', cause: full } });
    expect(await store.read(keyOf('Patient/a'))).toMatchObject({ versionId: '1' });
    expect(await store.totals()).toEqual({ Patient: 1, AuditEvent: 1 });
    broken = false;
    await write(store, coded('y'), event('e1'));
    expect(await store.count(queryOf('Basic', some('Basic', 'code', { kind: 'token', system: 'http://new.system' }), 9))).toBe(1);
    expect(await verifyChain(store.chain())).toMatchObject({ events: 2, links: 2, faults: [] });
    await store.close();
  });

  test('what waits together is one transaction, of 64 requests at most', async () => {
    let commits = 0;
    const store = failing(text => {
      if (text === 'COMMIT') commits += 1;
      return undefined;
    });
    await Promise.all(Array.from({ length: 130 }, (_, n) => store.commit([put(`Patient/${n}`)], at(1))));
    expect(commits).toBe(3);
    await store.close();
  });
});

test.each(['BEGIN IMMEDIATE', 'DELETE FROM epochs', 'COMMIT'])('where %s fails, nothing is swept away, and it is told', async statement => {
  let broken = false;
  const store = failing(text => (broken && text.startsWith(statement) ? full : undefined));
  await write(store, { op: 'document', kind: 'session', id: 's', value: 1, expires: 10 });
  broken = true;
  await expect(store.sweep(20, 9)).rejects.toMatchObject({ code: 'unavailable', cause: full });
  expect([await store.document('session', 's'), await store.epochs(['session:s'])]).toEqual([1, [1]]);
  broken = false;
  expect(await store.sweep(20, 9)).toBe(1);
  await store.close();
});

test('one that is refused after it has written is taken back alone: the others of its group are kept', async () => {
  let begun = 0;
  const store = failing(text => void (text === 'BEGIN IMMEDIATE' && begun++));
  await write(store, put('Patient/a'));
  begun = 0;
  const [first, refused, last] = await Promise.all([
    store.commit([put('Patient/b')], at(1)),
    store.commit([coded('x'), put('Patient/a', {}, 'absent')], at(1)),
    store.commit([put('Patient/c'), event('e1')], at(1)),
  ]);
  expect([first?.ok, refused, last?.ok]).toEqual([true, { ok: false, at: 1, why: 'version' }, true]);
  expect(begun).toBe(2);
  expect(await store.totals()).toEqual({ Patient: 3, AuditEvent: 1 });
  await write(store, coded('y'));
  expect(await store.count(queryOf('Basic', some('Basic', 'code', { kind: 'token', system: 'http://new.system' }), 9))).toBe(1);
  expect(await verifyChain(store.chain())).toMatchObject({ events: 1, links: 1, faults: [] });
  await store.close();
});

test('two processes may hold one file: names, rows and chains do not mix', async () => {
  const open = (writer: string) => openSqlite({ path: join(folder, 'shared.db'), paramsOf: registry.paramsOf, linkHash, writer });
  const [one, other] = [await open('one'), await open('other')];
  const writers = [one, other];
  for (let n = 0; n < 20; n++) {
    await Promise.all(
      writers.map((store, at2) =>
        write(store, coded(`${n}-${at2}`), put(`Patient/${n}`), event(`${n}-${at2}`), { op: 'document', kind: 'note', id: 'n', value: n }),
      ),
    );
  }
  for (const store of writers) {
    expect(await store.count(queryOf('Basic', some('Basic', 'code', { kind: 'token', system: 'http://new.system' }), 9))).toBe(40);
    expect(await store.totals()).toEqual({ AuditEvent: 40, Basic: 40, Patient: 20 });
    expect(await store.read(keyOf('Patient/7'))).toMatchObject({ versionId: '2' });
    expect(await store.epochs(['note:n'])).toEqual([40]);
    const found = await verifyChain(store.chain());
    expect(found).toMatchObject({ events: 40, links: 40, faults: [] });
    expect(found.heads.map(head => [head.writer, head.number])).toEqual([
      ['one', 20],
      ['other', 20],
    ]);
  }
  await Promise.all(writers.map(store => store.close()));
});

test('a new writer begins from the open end of every chain, and the others go on', async () => {
  const path = join(folder, 'ends.db');
  const stores: ResourceStore[] = [];
  for (const writer of ['one', 'two', 'three']) {
    stores.push(await openSqlite({ path, paramsOf: registry.paramsOf, linkHash, writer }));
    for (const store of stores) await write(store, event(`${writer}-${stores.indexOf(store)}`));
  }
  stores.push(await openSqlite({ path, paramsOf: registry.paramsOf, linkHash, writer: 'four' }));
  await write(stores[3]!, event('four'));
  const begun: (readonly [string, string])[] = [];
  const names = new Map<string, string>();
  for await (const { writer, number, previous, hash } of stores[0]!.chain()) {
    names.set(`${writer} ${number} ${hash}`, `${writer} ${number}`);
    if (number === 1)
      begun.push([
        writer,
        previous
          .split('\n')
          .map(end => names.get(end) ?? end)
          .join(', '),
      ]);
  }
  // Who was there went on before the next one began; four finds that three has begun from the ends of one and two.
  expect(begun).toEqual([
    ['one', ''],
    ['two', 'one 2'],
    ['three', 'one 3, two 2'],
    ['four', 'three 1'],
  ]);
  expect((await verifyChain(stores[0]!.chain())).faults).toEqual([]);
  await Promise.all(stores.map(store => store.close()));
});
