import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { Caller } from '../../src/access/caller.ts';
import { openApp } from '../../src/app.ts';
import type { App } from '../../src/cli/command.ts';
import { Problem } from '../../src/fhir/problem.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { printBody } from '../../src/interaction/print.ts';
import type { Origin } from '../../src/search/indexed.ts';
import { configWith } from '../http/world.ts';
import { callerArb, consentsArb, contentArb, type Made, people, queryArb } from './random-world.ts';

// ≥ 1,000 cases a run: each of RUNS random worlds is asked by CALLERS callers with QUERIES searches each.
const RUNS = 45;
const CALLERS = 6;
const QUERIES = 5;
const SEED = Number(process.env.KINDRED_TEST_SEED ?? jest.getSeed());

const hand = (origin: Origin): Caller => ({
  kind: 'server',
  client: 'test',
  who: 'Organization/o1',
  actors: [],
  purpose: 'HOPERAT',
  scopes: [],
  grant: 'test',
  token: 'test',
  grantEpoch: 0,
  origin,
});
const all: Caller = hand({ kind: 'server', by: 'test' });
type Pairs = readonly (readonly [string, string])[];

async function put(app: App, { resource, origin }: Made): Promise<void> {
  await app.run({ method: 'PUT', path: [resource.resourceType, resource.id], query: [], headers: {}, body: resource }, hand(origin));
}
async function openWith(made: readonly Made[]): Promise<App> {
  const config = { ...configWith({}), audit: false };
  const app = await openApp(config);
  for (const one of [...people, ...made]) await put(app, one);
  return app;
}
interface Bundle {
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly resource: Resource & { readonly id: string }; readonly search: { readonly mode: string } }[];
}
const text = async (app: App, path: readonly string[], query: Pairs, caller: Caller): Promise<string> => {
  try {
    const { status, body } = await app.run({ method: 'GET', path, query, headers: {} }, caller);
    return `${status} ${body === undefined ? '' : Buffer.from(printBody(body)).toString('utf8')}`;
  } catch (error) {
    if (error instanceof Problem && error.code !== 'exception') return `${error.code} ${error.message}`;
    throw error;
  }
};
const bundleOf = (answer: string): Bundle | undefined => (answer.startsWith('200 ') ? (JSON.parse(answer.slice(4)) as Bundle) : undefined);

/** All pages of a search, three at a time, with the total that the first one names. */
async function searchAll(
  app: App,
  type: string,
  query: Pairs,
  caller: Caller,
): Promise<{ ids: readonly string[]; total: number; included: readonly string[]; pages: string } | undefined> {
  const ids: string[] = [];
  const included: string[] = [];
  let total = 0;
  let pages = '';
  let cursor: string | undefined;
  do {
    const parameters: Pairs = [...query, ['_count', '3'], ['_total', 'accurate'], ...(cursor === undefined ? [] : [['_cursor', cursor] as const])];
    const answer = await text(app, [type], parameters, caller);
    const bundle = bundleOf(answer);
    if (bundle === undefined) return undefined;
    pages += answer.replaceAll(/_cursor=[\w%-]+/g, '');
    total = bundle.total!;
    for (const { resource, search } of bundle.entry ?? [])
      (search.mode === 'match' ? ids : included).push(search.mode === 'match' ? resource.id : `${resource.resourceType}/${resource.id}`);
    cursor = new URL(bundle.link.find(link => link.relation === 'next')?.url ?? 'http://end').searchParams.get('_cursor') ?? undefined;
  } while (cursor !== undefined);
  return { ids, total, included, pages };
}

const isChain = ([name]: readonly [string, string]): boolean => name.includes('.');
const reads = async (app: App, name: string, caller: Caller): Promise<boolean> => (await text(app, name.split('/'), [], caller)).startsWith('200 ');
const namesOf = async (app: App, type: string, query: Pairs): Promise<readonly string[]> =>
  (await searchAll(app, type, query, all))!.ids.map(id => `${type}/${id}`);

/** What a search should show, by reads alone: what matches for one who sees everything, of it what the caller reads; through chains, only what is read at their end. */
async function expected(app: App, type: string, query: Pairs, caller: Caller): Promise<ReadonlySet<string>> {
  const found = await namesOf(
    app,
    type,
    query.filter(one => !isChain(one)),
  );
  const shown: string[] = [];
  for (const name of found) if (await reads(app, name, caller)) shown.push(name);
  let left = shown;
  for (const [chain, value] of query.filter(isChain)) {
    const [head = '', code = ''] = chain.split('.');
    const [param = '', end = param === 'medication' ? 'Medication' : 'Patient'] = head.split(':');
    const ends = new Set<string>();
    for (const name of await namesOf(app, end, [[code, value]])) if (await reads(app, name, caller)) ends.add(name);
    const kept: string[] = [];
    for (const name of left) {
      const resource = JSON.parse((await text(app, name.split('/'), [], all)).slice(4)) as Record<string, { reference?: string } | undefined>;
      const target = (param === 'medication' ? resource.medicationReference : resource.subject)?.reference;
      if (target !== undefined && ends.has(target)) kept.push(name);
    }
    left = kept;
  }
  return new Set(left.map(name => name.slice(name.indexOf('/') + 1)));
}

const types = ['MedicationStatement', 'Observation'];
/** What refers to the patients that are found, and what that refers to. */
const forward: Pairs = [
  ['_revinclude', 'MedicationStatement:subject'],
  ['_revinclude:iterate', 'Observation:subject'],
  ['_include:iterate', 'MedicationStatement:medication'],
  ['_count', '100'],
];
const nameOf = ({ resourceType, id }: Resource): string => `${resourceType}/${id}`;
const namesIn = ({ entry = [] }: Bundle, mode: string): readonly string[] =>
  entry.filter(({ search }) => search.mode === mode).map(({ resource }) => nameOf(resource));
/** `medication` is there for a statement alone; '' where it refers to none. */
function referencesOf(resource: Resource): { readonly subject: string; readonly medication?: string } {
  const { subject, medicationReference } = resource as Resource & Record<'subject' | 'medicationReference', { readonly reference: string } | undefined>;
  return {
    subject: subject?.reference ?? '',
    ...(resource.resourceType === 'MedicationStatement' ? { medication: medicationReference?.reference ?? '' } : {}),
  };
}

describe(`search = read (seed ${SEED})`, () => {
  let cases = 0;
  let partial = 0;
  test('what a search shows over all pages, with its total, is exactly what reads permit', async () => {
    await fc.assert(
      fc.asyncProperty(
        contentArb,
        consentsArb,
        fc.array(callerArb, { minLength: CALLERS, maxLength: CALLERS }),
        fc.array(queryArb, { minLength: QUERIES, maxLength: QUERIES }),
        async (content, consents, callers, queries) => {
          const app = await openWith([...content, ...consents]);
          try {
            for (const caller of callers) {
              for (const [type, query] of queries) {
                cases++;
                const found = await searchAll(app, type, query, caller);
                // A refused search shows nothing; then no read may be permitted either, unless a chain's end was refused.
                if (found === undefined) {
                  if (!query.some(isChain)) expect([...(await expected(app, type, query, caller))]).toEqual([]);
                  continue;
                }
                const should = await expected(app, type, query, caller);
                expect([...found.ids].sort()).toEqual([...should].sort());
                expect(found.total).toBe(should.size);
                if (should.size > 0 && should.size < (await namesOf(app, type, [])).length) partial++;
              }
            }
          } finally {
            await app.close();
          }
        },
      ),
      { numRuns: RUNS, seed: SEED },
    );
    expect(cases).toBeGreaterThanOrEqual(1000);
    // Were all searches empty or all full, the test would show nothing.
    expect(partial).toBeGreaterThan(cases / 10);
  }, 240_000);

  test('what comes along, is in a compartment or is of several types is exactly what reads permit', async () => {
    let shown = 0;
    let withheld = 0;
    await fc.assert(
      fc.asyncProperty(contentArb, consentsArb, fc.array(callerArb, { minLength: 3, maxLength: 3 }), async (content, consents, callers) => {
        const app = await openWith([...content, ...consents]);
        try {
          for (const caller of callers) {
            const readable = new Set<string>();
            for (const { resource } of [...people, ...content]) if (await reads(app, nameOf(resource), caller)) readable.add(nameOf(resource));
            const entries = content.map(({ resource }) => ({ name: nameOf(resource), ...referencesOf(resource) }));
            const those = (of: readonly { readonly name: string }[]): readonly string[] => of.map(({ name }) => name).filter(name => readable.has(name));

            const along = bundleOf(await text(app, ['Patient'], forward, caller));
            if (along !== undefined) {
              const patients = new Set(namesIn(along, 'match'));
              const near = entries.filter(({ subject }) => patients.has(subject));
              const statements = near.filter(({ name, medication }) => medication !== undefined && readable.has(name));
              const medications = new Set(statements.map(({ medication }) => medication!));
              const expected = those([...near, ...[...medications].filter(name => name !== '').map(name => ({ name }))]);
              expect([...namesIn(along, 'include')].sort()).toEqual([...expected].sort());
              shown += expected.length;
              withheld += near.length - those(near).length;
            }
            const several = bundleOf(
              await text(
                app,
                [],
                [
                  ['_type', types.join(',')],
                  ['_count', '100'],
                  ['_total', 'accurate'],
                ],
                caller,
              ),
            );
            const refused = await Promise.all(types.map(async type => bundleOf(await text(app, [type], [], caller)) === undefined));
            expect(several === undefined).toBe(refused.includes(true));
            if (several !== undefined)
              expect([[...namesIn(several, 'match')].sort(), several.total]).toEqual([[...those(entries)].sort(), those(entries).length]);
            for (const patient of ['Patient/p1', 'Patient/p2']) {
              const within = bundleOf(await text(app, [...patient.split('/'), '*'], [['_count', '100']], caller));
              const found = within === undefined ? [] : namesIn(within, 'match').filter(name => types.some(type => name.startsWith(`${type}/`)));
              expect([...found].sort()).toEqual([...those(entries.filter(({ subject }) => subject === patient))].sort());
            }
          }
        } finally {
          await app.close();
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    // Usually three a run, and five.
    expect([shown > RUNS, withheld > RUNS]).toEqual([true, true]);
  }, 240_000);

  test('changing what is hidden from a caller changes no byte that the caller gets', async () => {
    let changed = 0;
    await fc.assert(
      fc.asyncProperty(contentArb, consentsArb, callerArb, fc.array(queryArb, { minLength: 4, maxLength: 4 }), async (content, consents, caller, queries) => {
        const app = await openWith([...content, ...consents]);
        try {
          const look = async (): Promise<string> => {
            const pages: string[] = [];
            for (const [type, query] of queries) {
              pages.push((await searchAll(app, type, query, caller))?.pages ?? 'refused');
              pages.push(await text(app, [], [...query.filter(([name]) => name.startsWith('_')), ['_type', types.join(',')], ['_total', 'accurate']], caller));
              if (type === 'Patient') pages.push(await text(app, [type], [...query, ...forward], caller));
              if (type === 'MedicationStatement')
                pages.push(await text(app, [type], [...query, ['_include', `${type}:medication`], ['_include', `${type}:subject`]], caller));
            }
            for (const { resource } of content) pages.push(await text(app, [resource.resourceType, resource.id, '_history'], [], caller));
            return pages.join('\n').replaceAll(/_cursor=[\w%-]+/g, '');
          };
          const hidden: Made[] = [];
          for (const one of content) if (!(await reads(app, `${one.resource.resourceType}/${one.resource.id}`, caller))) hidden.push(one);
          const before = await look();
          for (const [index, { resource, origin }] of hidden.entries()) {
            // What stands beside a hidden entry under the same labels, date and codes is as hidden; what becomes of it is too.
            await put(app, { resource: { ...resource, id: `${resource.id}x`, note: [{ text: 'another' }] } as Made['resource'], origin });
            if (index % 2 === 0) await put(app, { resource: { ...resource, note: [{ text: 'changed' }] } as Made['resource'], origin });
            else await app.run({ method: 'DELETE', path: [resource.resourceType, resource.id], query: [], headers: {} }, all);
            changed++;
          }
          const still: string[] = [];
          for (const { resource } of hidden) if (await reads(app, `${resource.resourceType}/${resource.id}x`, caller)) still.push(resource.id);
          fc.pre(still.length === 0);
          expect(await look()).toBe(before);
        } finally {
          await app.close();
        }
      }),
      { numRuns: RUNS, seed: SEED },
    );
    expect(changed).toBeGreaterThan(100);
  }, 240_000);
});
