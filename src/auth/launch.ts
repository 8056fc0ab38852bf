import { randomBytes } from 'node:crypto';
import { referenceName } from '../access/elements.ts';
import type { Account } from '../account/account.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { Change, ResourceStore, Version } from '../store/store.ts';
import { digestOf, usableClient } from './grants.ts';

/** What an EHR knows when it opens an app: kept under the `launch` value that it hands over. */
export interface Launch {
  readonly client: string;
  /** The user name of who is signed in there. */
  readonly account?: string;
  /** Ids. */
  readonly patient?: string;
  readonly encounter?: string;
  readonly intent?: string;
  /** Absent: true, the app shows whose record it is. */
  readonly need_patient_banner?: boolean;
}
/** Milliseconds: as long as opening a page and signing in may take. */
const LIVES_MS = 10 * 60_000;

export interface LaunchParts {
  readonly store: ResourceStore;
  now(): string;
  note(occurrence: Occurrence): readonly Change[];
}
/** Who asks for one over HTTP. */
export interface Launcher {
  readonly client: string;
  readonly organization?: string;
  /** The resource as that client may read it. */
  read(type: string, id: string): Promise<Resource | undefined>;
}

/**
 * Makes a `launch` value (SMART App Launch 2.2, EHR launch). `by`: the client that asked for it, and its organization, where not the command line did.
 * Throws Problem 'value' or 'not-found' naming what does not fit.
 */
export async function makeLaunch(launch: Launch, { store, now, note }: LaunchParts, by?: Launcher): Promise<string> {
  if ((await usableClient(launch.client, store)) === undefined) throw new Problem('value', `there is no client \`${launch.client}\``);
  if (launch.account !== undefined) {
    const account = (await store.document('account', launch.account)) as Account | undefined;
    const known = account?.hats.some(hat => by === undefined || (hat.organization !== undefined && hat.organization === by.organization));
    if (!known) throw new Problem('value', `there is no account \`${launch.account}\` that can be launched for`);
  }
  const read = by?.read ?? (async (type: string, id: string) => stored(await store.read({ type, id })));
  const { patient, encounter } = launch;
  if (patient !== undefined && (await read('Patient', patient)) === undefined) throw new Problem('value', `there is no Patient \`${patient}\``);
  const visit = encounter === undefined ? undefined : await read('Encounter', encounter);
  if (encounter !== undefined && (visit === undefined || referenceName(visit.subject) !== `Patient/${patient}`))
    throw new Problem('value', `there is no Encounter \`${encounter}\` of that patient`);
  const expires = Date.parse(now()) + LIVES_MS;
  const value = randomBytes(24).toString('base64url');
  const record = launch.patient === undefined ? {} : ({ record: `Patient/${launch.patient}` } as const);
  const account = launch.account === undefined ? {} : { account: launch.account };
  await store.commit(
    [
      { op: 'document', kind: 'launch', id: digestOf(value), value: { launch, expires }, expires, expect: 'absent' },
      ...note({ code: 'launch', client: by?.client ?? launch.client, ...account, ...record }),
    ],
    now(),
  );
  return value;
}
const stored = (version: Version | undefined): Resource | undefined => (version === undefined || version.deleted ? undefined : version.parsed());

/** What the value stands for, as long as it is good. */
export async function findLaunch(value: string, { store, now }: Pick<LaunchParts, 'store' | 'now'>): Promise<Launch | undefined> {
  const kept = (await store.document('launch', digestOf(value))) as { readonly launch: Launch; readonly expires: number } | undefined;
  return kept === undefined || kept.expires <= Date.parse(now()) ? undefined : kept.launch;
}
/** The change by which it is good no more. */
export const spentLaunch = (value: string): Change => ({ op: 'document', kind: 'launch', id: digestOf(value), value: { expires: 0 }, expires: 0 });
