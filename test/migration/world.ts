import { openTransfer } from '../../src/app.ts';
import { linkHash, verifyChain } from '../../src/audit/chain.ts';
import { nameOf, type ResourceKey } from '../../src/fhir/types.ts';
import type { Grant } from '../../src/search/grant.ts';
import { queryOf } from '../../src/search/query.ts';
import { parseAddress } from '../../src/store/address.ts';
import { carry, type Tell } from '../../src/store/carry.ts';
import { compare } from '../../src/store/compare.ts';
import type { DocumentKind } from '../../src/store/documents.ts';
import { openStore } from '../../src/store/open.ts';
import type { ChainLink, EpochName, ResourceStore, Version } from '../../src/store/store.ts';
import { at, event, facetsOf, keyOf, param, put, reference, registry, remove, some, token, write } from '../contract/world.ts';
import { agreement, buprenorphine, designation, lisinopril, statement } from '../http/resources.ts';
import { openWorld } from '../http/world.ts';

export const open = (address: string, writer: string): Promise<ResourceStore> =>
  openStore(parseAddress(address)!, { paramsOf: registry.paramsOf, linkHash, writer, patience: 10_000 });

/** Fills a store with whatever a migration might lose: a family with its consents and log, and what only other ways bring about. */
export async function fill(address: string): Promise<void> {
  const world = await openWorld({ KINDRED_STORE: address });
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  const mary = world.as(await world.token('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'mary'));
  const anna = world.as(await world.token('med-app', 'patient/*.cruds', 'anna', 'Patient/mary'));
  await ehr.post('MedicationStatement', lisinopril());
  const secret = (await ehr.post('MedicationStatement', buprenorphine())).body;
  const own = await mary.post('MedicationStatement', statement('5640', 'ibuprofen', { dosage: [{ text: 'grüße 𝄞', maxDosePerLifetime: { value: 1.5 } }] }));
  await mary.put(`MedicationStatement/${own.body.id}`, { ...own.body, status: 'completed' });
  const document = await ehr.post('DocumentReference', agreement());
  await ehr.post('Consent', designation(`DocumentReference/${document.body.id}`));
  await anna.post('MedicationStatement', statement('161', 'acetaminophen'));
  await anna.get('MedicationStatement?_total=accurate');
  await anna.get(`MedicationStatement/${secret.id}`);
  await mary.delete(`MedicationStatement/${own.body.id}`);
  await world.end();

  const store = await open(address, 'second');
  // Referred to before they are stored, in another order: their rows are made by what refers to them.
  await write(store, put('Basic/refers', { subject: { reference: 'Patient/late2' }, author: { reference: 'Practitioner/never' } }));
  await write(store, put('Patient/late1', { name: [{ family: 'One' }], birthDate: '1950-01-01' }), put('Patient/late2', { name: [{ family: 'Two' }] }));
  for (let n = 0; n < 40; n++)
    await write(store, put(`Patient/p${n % 7}`, { gender: n % 2 === 0 ? 'male' : 'female', identifier: [{ system: 'urn:n', value: `${n}` }] }));
  await write(store, remove('Patient/p3'), put('Patient/gone'), event('e1'));
  await write(store, remove('Patient/gone'), event('e2'), put('Patient/p3', { gender: 'other' }));
  const stored = await store.read(keyOf('Patient/p1'));
  await store.commit(
    [
      {
        op: 'restamp',
        key: stored!.key,
        resource: stored!.parsed(),
        facets: facetsOf(stored!.key, { confidentiality: 4, sensitivity: ['HIV'], clinicalDate: { low: -Infinity, high: 5 } }),
        expect: { versionId: stored!.versionId, facets: stored!.facets },
      },
      { op: 'expect', key: keyOf('Patient/nowhere'), expect: 'absent' },
    ],
    at(9),
  );
  const grant: Grant = {
    consent: 'Consent/rich',
    record: 'Patient/p1',
    effect: 'permit',
    depth: 0,
    actors: ['Patient/late1', 'RelatedPerson/x'],
    actions: ['access'],
    during: { low: 0, high: Infinity },
    what: {
      codes: [{ code: 'a' }, { system: 's', code: 'b' }],
      dates: { low: -Infinity, high: 7 },
      data: { instances: ['Patient/p1'], related: ['Basic/refers'], dependents: ['Basic/unknown'], authors: [] },
    },
  };
  const rows: readonly Grant[] = [
    grant,
    { ...grant, record: 'Patient/p2', depth: 1, effect: 'deny', actors: 'anyone', what: {} },
    { ...grant, depth: 2, actors: [] },
  ];
  await write(
    store,
    { op: 'grants', consent: 'Consent/rich', record: 'Patient/p1', rows },
    { op: 'document', kind: 'note', id: "it's", value: { $a: [null, '\u0000'] } },
  );
  await write(store, { op: 'document', kind: 'note', id: 'removed', value: 1 });
  await write(store, { op: 'document', kind: 'note', id: 'removed', value: undefined });
  await write(store, ...expiring.map(([kind, id, expires]) => ({ op: 'document', kind, id, value: { id }, expires }) as const));
  await store.close();
  const third = await open(address, 'third');
  await write(third, event('e3', 'Patient/p1'), put('Patient/p4', { active: true }));
  // In no link. Such lines come after those that are in one.
  await write(third, put('AuditEvent/forged', { action: 'C' }));
  await third.close();
}

const versionText = ({ key, versionId, lastUpdated, deleted, facets, body }: Version): unknown => [
  nameOf(key),
  versionId,
  lastUpdated,
  deleted,
  facets,
  Buffer.from(body).toString('utf8'),
];
const kinds: readonly DocumentKind[] = ['key', 'organization', 'account', 'hat', 'client', 'grant', 'note', 'session', 'refresh', 'replay'];
/** Documents of `fill` that expire, each with its moment: one that has expired, and has not been swept away yet. */
const expiring: readonly (readonly [DocumentKind, string, number])[] = [
  ['replay', 'old', 0],
  ['session', 'short', Date.UTC(2100, 0, 1)],
  ['refresh', 'long', Date.UTC(2200, 0, 1)],
];

/** Everything that can be seen of what `fill` has made. */
export async function look(store: ResourceStore): Promise<Record<string, unknown>> {
  const totals = await store.totals();
  const lists: Record<string, unknown> = {};
  const keys: ResourceKey[] = ['Patient/gone', 'Patient/never', 'Patient/nowhere', 'Practitioner/never'].map(keyOf);
  for (const type of Object.keys(totals)) {
    const { versions } = await store.search(queryOf(type, { op: 'all' }, 5000));
    lists[type] = versions.map(versionText);
    keys.push(...versions.map(version => version.key));
  }
  const histories: unknown[] = [];
  for (const of of keys) {
    const history = await store.history({ of, limit: 1000 });
    const single = await Promise.all(history.map(version => store.read(of, version.versionId)));
    expectSame(
      single.map(one => versionText(one!)),
      history.map(versionText),
    );
    histories.push(history.map(versionText));
  }
  const documents = (await Promise.all(kinds.map(kind => store.documents(kind)))).flat();
  const names: readonly EpochName[] = [
    ...documents.map(({ kind, id }) => `${kind}:${id}` as const),
    'note:removed',
    ...keys.map(key => `record:${nameOf(key)}` as const),
  ];
  const links = await linksOf(store);
  const ask = { actors: ['RelatedPerson/anna-for-mary'], purpose: 'FAMRQT', action: 'access', at: new Date().toISOString() } as const;
  const patients = { ...queryOf('Patient', { op: 'all' }, 100) };
  const sorts = [
    { by: 'updated', descending: true },
    { by: param('Patient', 'identifier'), descending: false },
    { by: param('Patient', 'birthdate'), descending: true },
    { by: param('Patient', 'family'), descending: false },
  ] as const;
  const sorted = [];
  for (const sort of sorts) sorted.push((await store.search({ ...patients, sort: [sort] })).versions.map(version => nameOf(version.key)));
  const pages = [];
  for (let from: Awaited<ReturnType<ResourceStore['search']>>['next'], more = true; more; more = from !== undefined) {
    const page = await store.search({ ...patients, limit: 3, ...(from === undefined ? {} : { from }) });
    pages.push(page.versions.map(version => nameOf(version.key)));
    from = page.next;
  }
  return {
    totals,
    lists,
    histories,
    documents,
    epochs: await store.epochs(names),
    // What is related has no order.
    grants: (await store.grants(['Patient/mary', 'Patient/p1', 'Patient/p2'], ['RelatedPerson/anna-for-mary', 'Patient/late1', 'Organization/ima'])).map(
      ({ relatedTo = [], ...grant }) => ({ ...grant, relatedTo: relatedTo.toSorted() }),
    ),
    links: links.map(({ events, ...link }) => ({ ...link, events: events.map(one => [one.id, Buffer.from(one.body).toString('utf8'), one.facets]) })),
    chain: await verifyChain(store.chain()),
    sorted,
    pages,
    counts: await Promise.all([
      store.count(queryOf('Patient', some('Patient', 'gender', token('male')), 1)),
      store.count(queryOf('AuditEvent', some('AuditEvent', '.record', token('Patient/mary')), 1)),
      store.count(queryOf('AuditEvent', some('AuditEvent', 'action', token('C')), 1)),
      store.count(queryOf('MedicationStatement', { op: 'granted', effect: 'permit', ask }, 1)),
      store.count(queryOf('MedicationStatement', some('MedicationStatement', 'subject', reference('Patient/mary')), 1)),
      store.count(queryOf('Basic', some('Basic', 'author', reference('Practitioner/never')), 1)),
    ]),
    linked: await store.linked([keyOf('Patient/late2')], param('Basic', 'subject'), 'referred-by'),
  };
}
function expectSame(one: unknown, other: unknown): void {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error('a version is read otherwise than it stands in the history');
}

/** What is gone of those that expire, one moment after the other: that cannot be seen otherwise. */
export async function sweptFrom(address: string): Promise<readonly (readonly [number, readonly string[]])[]> {
  const store = await open(address, 'sweeper');
  try {
    const left: [number, string[]][] = [];
    for (const [, , expires] of expiring) {
      const swept = await store.sweep(expires + 1, 1000);
      const documents = (await Promise.all(kinds.map(kind => store.documents(kind)))).flat();
      const epochs = await store.epochs(expiring.map(([kind, id]) => `${kind}:${id}` as const));
      left.push([swept, [...documents.map(({ kind, id }) => `${kind}:${id}`), ...epochs.map(String)]]);
    }
    return left;
  } finally {
    await store.close();
  }
}

interface How {
  readonly tell?: Tell;
  readonly again?: boolean;
  /** Done after all is carried, and before it is compared. */
  readonly meanwhile?: () => Promise<void>;
}
/** Carries in small portions; gives the differences. What `tell` throws is the end of it. */
export async function migrated(from: string, to: string, { tell = () => {}, again = false, meanwhile = async () => {} }: How = {}): Promise<readonly string[]> {
  const source = await openTransfer(parseAddress(from)!, 'source');
  try {
    const target = await openTransfer(parseAddress(to)!, 'target');
    try {
      const progress = await carry({ source, target, from, again, tell, limits: { items: 7, bytes: 20_000 } });
      await meanwhile();
      const { differences } = await compare(source, target, () => {});
      if (differences.length === 0) await target.note(progress, undefined);
      return differences;
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** The same, ended after each portion and begun again, as often as there are portions. */
export async function migratedHaltingly(from: string, to: string): Promise<number> {
  for (let halts = 0; ; halts++) {
    try {
      const differences = await migrated(from, to, {
        tell() {
          throw new Error('halt');
        },
      });
      if (differences.length > 0) throw new Error(differences.join('\n'));
      return halts;
    } catch (error) {
      if ((error as Error).message !== 'halt') throw error;
    }
  }
}

export async function seen(address: string): Promise<Record<string, unknown>> {
  const store = await open(address, 'looker');
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

export async function linksOf(store: ResourceStore): Promise<readonly ChainLink[]> {
  const links: ChainLink[] = [];
  for await (const link of store.chain()) links.push(link);
  return links;
}
