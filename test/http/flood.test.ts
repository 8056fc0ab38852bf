import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { openApp } from '../../src/app.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import { countRefusals } from '../../src/http/refusals.ts';
import { clientOf, configWith, openWorld, scratch } from './world.ts';

// Refusals without a token are summed up per address and minute (ACCESS §6): a flood must fill neither the log nor the memory.
const folder = scratch();
afterAll(() => folder.remove());

async function logged(environment: Record<string, string>): Promise<readonly AuditRecord[]> {
  const app = await openApp(configWith(environment));
  const records: AuditRecord[] = [];
  for await (const link of app.store.chain())
    for (const event of link.events) records.push(JSON.parse(Buffer.from(event.body).toString('utf8')) as AuditRecord);
  await app.close();
  return records;
}

test('five hundred requests without a token are a handful of lines that say how many', async () => {
  const environment = { KINDRED_STORE: `sqlite:${join(folder.path, 'flood.db')}` };
  const world = await openWorld(environment);
  const nobody = clientOf(world, undefined);
  const forged = clientOf(world, 'forged');
  for (let wave = 0; wave < 25; wave++)
    await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? nobody : forged).get(`Patient/mary?x=${wave}`).then(answer => expect(answer.status).toBe(401)),
      ),
    );
  await world.end();
  const lines = (await logged(environment)).filter(record => record.code === 'unauthenticated');
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(3);
  expect(lines.reduce((sum, line) => sum + (line.count ?? 0), 0)).toBe(500);
  for (const line of lines) {
    expect(line).toMatchObject({ outcome: '8', address: expect.stringContaining('127.0.0.1') });
    // Nothing of what was asked for: anybody could write it.
    expect(JSON.stringify(line)).not.toContain('mary');
  }
});

test('addresses are counted apart, and more than a thousand of them together', () => {
  const refusals = countRefusals();
  for (let index = 0; index < 100_000; index++) refusals.note(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 0);
  refusals.note('10.0.0.1', 1);
  const due = refusals.due(60_000);
  expect(due.length).toBe(1001);
  expect(due.reduce((sum, line) => sum + line.count, 0)).toBe(100_001);
  expect(due.find(line => line.address === '10.0.0.1')).toEqual({ address: '10.0.0.1', count: 2, since: 0 });
  expect(refusals.due(60_000, true)).toEqual([]);
});

test('a line is due a minute after its first refusal', () => {
  const refusals = countRefusals();
  refusals.note('a', 0);
  refusals.note('b', 30_000);
  expect(refusals.due(59_999)).toEqual([]);
  expect(refusals.due(60_000)).toEqual([{ address: 'a', count: 1, since: 0 }]);
  expect(refusals.due(60_000, true)).toEqual([{ address: 'b', count: 1, since: 30_000 }]);
});
