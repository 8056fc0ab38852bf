// Run by crash.test.ts as a process of its own, which is killed: writes in 16 lanes and tells each commit that was acknowledged in a line.
import { writeSync } from 'node:fs';
import { linkHash } from '../../src/audit/chain.ts';
import { openSqlite } from '../../src/store/sqlite/store.ts';
import { event, facetsOf, keyOf, registry } from '../contract/world.ts';

const [path = '', round = ''] = process.argv.slice(2);
const store = await openSqlite({ path, paramsOf: registry.paramsOf, linkHash, writer: 'crash' });
const LANES = 16;

/** Each lane puts versions of its own resource. Every third commit also changes grants and a document. */
async function lane(number: number): Promise<never> {
  const key = keyOf(`Patient/lane${number}`);
  for (let n = 0; ; n++) {
    const before = (await store.read(key))?.versionId;
    const version = Number(before ?? 0) + 1;
    const name = `${number}-${version}`;
    const committed = await store.commit(
      [
        {
          op: 'put',
          key,
          resource: { resourceType: 'Patient', id: key.id, identifier: [{ system: 'http://crash', value: name }] },
          facets: facetsOf(key),
          expect: before === undefined ? 'absent' : { versionId: before },
        },
        event(`${round}-${name}`),
        ...(n % 3 === 0
          ? [
              {
                op: 'grants' as const,
                consent: `Consent/${number}` as const,
                record: `Patient/lane${number}` as const,
                rows: [
                  {
                    consent: `Consent/${number}` as const,
                    record: `Patient/lane${number}` as const,
                    effect: 'permit' as const,
                    depth: version,
                    actors: ['Patient/x' as const],
                    actions: ['access' as const],
                    during: { low: 0, high: 1 },
                    what: {},
                  },
                ],
              },
              { op: 'document' as const, kind: 'note' as const, id: `lane${number}`, value: version },
            ]
          : []),
      ],
      new Date().toISOString(),
    );
    if (!committed.ok) throw new Error(`lane ${number} was refused: ${committed.why}`);
    writeSync(1, `${number} ${version} ${n % 3 === 0}\n`);
  }
}
await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
