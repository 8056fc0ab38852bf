import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { openApp } from '../../src/app.ts';
import { verifyChain } from '../../src/audit/chain.ts';
import { load } from '../../src/cli/load.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { printBody } from '../../src/interaction/print.ts';
import { configWith, scratch } from '../http/world.ts';

const root = resolve(import.meta.dirname, '../..');
const archive = join(process.env.KINDRED_DATA ?? resolve(root, '../shared/data'), 'synthea-r4-120.tar.xz');

/** All there are, unless told. */
const patients = Number(process.env.KINDRED_SYNTHEA_PATIENTS ?? 120);

interface Entry {
  readonly resource: Resource & { readonly identifier?: readonly { readonly system: string; readonly value: string }[] };
  readonly request: { readonly ifNoneExist?: string };
}
/** How many resources of each type the files hold; those that are created only where absent count once. */
function countFiles(files: readonly string[]): Record<string, number> {
  const totals: Record<string, number> = {};
  const conditions = new Set<string>();
  for (const file of files) {
    for (const { resource, request } of (JSON.parse(readFileSync(file, 'utf8')) as { entry: Entry[] }).entry) {
      const condition = request.ifNoneExist === undefined ? undefined : `${resource.resourceType}?${request.ifNoneExist}`;
      if (condition !== undefined && conditions.has(condition)) continue;
      if (condition !== undefined) conditions.add(condition);
      totals[resource.resourceType] = (totals[resource.resourceType] ?? 0) + 1;
    }
  }
  return totals;
}

if (!existsSync(archive)) {
  test.skip('Synthea patients load (no synthea-r4-120.tar.xz: set KINDRED_DATA to its folder)', () => {});
} else {
  test(`two batches of hospitals and practitioners and ${patients} patients load in open mode, nothing is refused, and every total is that of the files`, async () => {
    const { path, remove } = scratch();
    try {
      execFileSync('tar', ['-xJf', archive, '-C', path]);
      const folder = join(path, readdirSync(path)[0]!);
      const names = readdirSync(folder).sort();
      const files = [...names.filter(name => name.startsWith('0-')), ...names.filter(name => !name.startsWith('0-')).slice(0, patients)].map(name =>
        join(folder, name),
      );
      expect(files).toHaveLength(2 + patients);
      const environment = { KINDRED_AUTH: 'off', KINDRED_STORE: `sqlite:${join(path, 'kindred.db')}`, KINDRED_LOG: 'silent' };
      const code = await load.run([...files, '--report', join(path, 'report.json')], {
        openApp,
        serve: () => Promise.reject(new Error('nothing is served')),
        openTransfer: () => Promise.reject(new Error('nothing is migrated')),
        environment,
      });
      expect(existsSync(join(path, 'report.json')) ? readFileSync(join(path, 'report.json'), 'utf8').slice(0, 2000) : 'nothing refused').toBe(
        'nothing refused',
      );
      expect(code).toBe(0);

      const app = await openApp(configWith(environment));
      try {
        const totals = countFiles(files);
        const { AuditEvent: events, ...stored } = await app.store.totals();
        expect(stored).toEqual(totals);
        expect(events).toBeGreaterThan(0);
        for (const [type, total] of Object.entries(totals)) {
          const answer = await app.run({ method: 'GET', path: [type], query: [['_summary', 'count']], headers: {} }, app.open);
          const bundle = JSON.parse(Buffer.from(printBody(answer.body!)).toString('utf8')) as { total: number };
          expect([type, bundle.total]).toEqual([type, total]);
        }
        expect((await verifyChain(app.store.chain())).faults).toEqual([]);
      } finally {
        await app.close();
      }
    } finally {
      remove();
    }
  }, 900_000);
}
