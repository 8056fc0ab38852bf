import { isDeepStrictEqual } from 'node:util';
import type { Caller } from '../access/caller.ts';
import { consentKindSystem } from '../access/canonical.ts';
import type { Account } from '../account/account.ts';
import { hashPassword, isPassword } from '../account/password.ts';
import type { Client } from '../auth/client.ts';
import { hashSecret } from '../auth/client-metadata.ts';
import { type KeyName, nameOf, type Resource } from '../fhir/types.ts';
import type { Origin, RecordId } from '../search/indexed.ts';
import type { Change } from '../store/store.ts';
import type { App } from './command.ts';
import type { Seed } from './seed-format.ts';

/** What a seed made and what was there already. */
export interface Seeded {
  readonly made: readonly string[];
  readonly kept: readonly string[];
}

/** Brings the store to what the seed says: idempotent, and each resource takes the road, so that its origin, consents and log are real. */
export async function plant(seed: Seed, app: App): Promise<Seeded> {
  const made: string[] = [];
  const kept: string[] = [];
  const note = (name: string, isNew: boolean): void => void (isNew ? made : kept).push(name);
  const documents: Change[] = [];
  const document = async (kind: 'organization' | 'account' | 'client' | 'hat', id: string, value: unknown): Promise<void> => {
    const before = await app.store.document(kind, id);
    const same = isDeepStrictEqual(before, JSON.parse(JSON.stringify(value)));
    if (!same) documents.push({ op: 'document', kind, id, value });
    if (kind !== 'hat') note(`${kind} ${id}`, !same);
  };
  for (const one of seed.organizations ?? []) await document('organization', one.id, one);
  for (const one of await Promise.all((seed.accounts ?? []).map(account => withHash(account, app)))) {
    await document('account', one.username, one);
    for (const hat of one.hats) if (hat.resource !== undefined) await document('hat', hat.resource, one.username);
  }
  documents.push(...(await hatsTakenAway(seed.accounts ?? [], app)));
  for (const one of seed.clients ?? []) await document('client', one.client_id, await asKept(one, app));
  if (documents.length > 0) await app.store.commit(documents, app.now());

  for (const one of seed.organizations ?? []) {
    const partOf = one.partOf === undefined ? {} : { partOf: { reference: `Organization/${one.partOf}` } };
    const resource = { resourceType: 'Organization', id: one.id, active: true, name: one.name, ...partOf };
    note(`Organization/${one.id}`, await put(resource, { kind: 'organization', by: one.id }, app));
  }
  for (const { origin, resource } of seed.resources ?? [])
    note(nameOf({ type: resource.resourceType, id: resource.id }), await put(resource, originOf(origin, resource), app));
  for (const { patients, enrolled } of seed.records ?? []) {
    for (const organization of enrolled) {
      const consent = enrolment(patients[0]!, organization);
      note(`Consent/${consent.id}`, await put(consent, { kind: 'organization', by: organization }, app));
    }
  }
  return { made, kept };
}

/** What is nobody's hat any more. */
async function hatsTakenAway(accounts: readonly Account[], app: App): Promise<readonly Change[]> {
  const worn = new Set(accounts.flatMap(({ hats }) => hats.map(hat => hat.resource)));
  const wearers = new Set<unknown>(accounts.map(account => account.username));
  const kept = await app.store.documents('hat');
  return kept.filter(({ id, value }) => wearers.has(value) && !worn.has(id as KeyName)).map(({ kind, id }) => ({ op: 'document', kind, id, value: undefined }));
}

/**
 * The account as it is kept: what the seed says, and what has come to it since (passkeys, the last code that was used, where its sessions end). A password that
 * is right already keeps its hash, so that seeding again changes nothing.
 */
async function withHash(account: Account, app: App): Promise<Account> {
  const before = (await app.store.document('account', account.username)) as Account | undefined;
  const { password: seeded } = account;
  if (seeded === undefined) return { ...before, ...account };
  const right = before?.password !== undefined && (await isPassword(before.password, seeded));
  return { ...before, ...account, password: right ? before.password! : await hashPassword(seeded) };
}

/** The client as it is kept: its secret as a hash; one that was revoked stays so, whatever is seeded again. */
async function asKept(client: Client, app: App): Promise<Client> {
  const before = (await app.store.document('client', client.client_id)) as Client | undefined;
  const secret = client.client_secret === undefined ? {} : { client_secret: hashSecret(String(client.client_secret)) };
  return { ...client, ...secret, ...(before?.status === undefined ? {} : { status: before.status }) };
}

function originOf({ kind, by }: NonNullable<Seed['resources']>[number]['origin'], resource: Resource): Origin {
  if (kind === 'organization') return { kind, by };
  const subject = (resource.subject ?? resource.patient) as { reference?: string } | undefined;
  return { kind, by: by as KeyName, record: (kind === 'patient' ? by : (subject?.reference ?? by)) as RecordId };
}

/** The server's own hand: it writes for whom the seed says. */
const hand = (origin: Origin): Caller => ({
  kind: 'server',
  client: 'kindred',
  who: origin.kind === 'organization' ? `Organization/${origin.by}` : (origin.by as KeyName),
  actors: [],
  purpose: 'HOPERAT',
  scopes: [],
  grant: 'kindred',
  token: 'seed',
  grantEpoch: 0,
  origin,
});

/** Puts a resource where it is not stored so already; says whether it wrote. */
async function put(resource: Resource & { readonly id: string }, origin: Origin, app: App): Promise<boolean> {
  const stored = await app.store.read({ type: resource.resourceType, id: resource.id });
  if (stored !== undefined && !stored.deleted && same(stored.parsed(), resource)) return false;
  await app.run({ method: 'PUT', path: [resource.resourceType, resource.id], query: [], headers: {}, body: resource }, hand(origin));
  return true;
}
function same(stored: Resource, resource: Resource): boolean {
  const content = ({ meta, ...rest }: Resource): unknown => {
    const { versionId: _version, lastUpdated: _updated, ...own } = meta ?? {};
    return JSON.parse(JSON.stringify({ ...rest, ...(Object.keys(own).length > 0 ? { meta: own } : {}) }));
  };
  return isDeepStrictEqual(content(stored), content(resource));
}

/** The Consent behind an enrolment: the organization may read and write in the record. */
function enrolment(patient: KeyName, organization: string): Resource & { readonly id: string } {
  return {
    resourceType: 'Consent',
    id: `enrolment-${patient.slice('Patient/'.length)}-${organization}`.slice(0, 64),
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: 'enrolment' }] }],
    patient: { reference: patient },
    performer: [{ reference: patient }],
    organization: [{ reference: `Organization/${organization}` }],
    policy: [{ uri: 'https://kindred.example/policy/enrolment/1' }],
    provision: {
      type: 'permit',
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: `Organization/${organization}` },
        },
      ],
    },
  };
}
