import { randomBytes } from 'node:crypto';
import type { Account } from '../account/account.ts';
import type { Occurrence } from '../audit/occurrence.ts';
import { Problem } from '../fhir/problem.ts';
import type { Change, ResourceStore } from '../store/store.ts';
import { usableClient } from './grants.ts';

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

/**
 * Makes a `launch` value (SMART App Launch 2.2, EHR launch). `by`: the client that asked for it, and its organization, where not the command line did.
 * Throws Problem 'value' or 'not-found' naming what does not fit.
 */
export async function makeLaunch(
  launch: Launch,
  { store, now, note }: LaunchParts,
  by?: { readonly client: string; readonly organization?: string },
): Promise<string> {
  if ((await usableClient(launch.client, store)) === undefined) throw new Problem('value', `there is no client \`${launch.client}\``);
  if (launch.account !== undefined) {
    const account = (await store.document('account', launch.account)) as Account | undefined;
    const known = account?.hats.some(hat => by === undefined || (hat.organization !== undefined && hat.organization === by.organization));
    if (!known) throw new Problem('value', `there is no account \`${launch.account}\` that can be launched for`);
  }
  for (const [type, id] of [
    ['Patient', launch.patient],
    ['Encounter', launch.encounter],
  ] as const) {
    const version = id === undefined ? undefined : await store.read({ type, id });
    if (id !== undefined && (version === undefined || version.deleted)) throw new Problem('value', `there is no ${type} \`${id}\``);
    if (type === 'Encounter' && version !== undefined && !version.facets.records.includes(`Patient/${launch.patient}`))
      throw new Problem('value', `the Encounter \`${id}\` is not one of that patient`);
  }
  const value = randomBytes(24).toString('base64url');
  const record = launch.patient === undefined ? {} : ({ record: `Patient/${launch.patient}` } as const);
  const account = launch.account === undefined ? {} : { account: launch.account };
  await store.commit(
    [
      { op: 'document', kind: 'launch', id: value, value: launch, expires: Date.parse(now()) + LIVES_MS, expect: 'absent' },
      ...note({ code: 'launch', client: by?.client ?? launch.client, ...account, ...record }),
    ],
    now(),
  );
  return value;
}
