import { Problem } from '../fhir/problem.ts';
import type { DocumentKind } from '../store/documents.ts';
import type { Change, EpochName } from '../store/store.ts';
import type { AccountParts } from './parts.ts';

/** What is to become of documents, and what to tell whoever asked. */
export interface Revision<T> {
  readonly changes: readonly Change[];
  readonly result: T;
}
/** How often it begins anew when others are quicker. */
const ATTEMPTS = 200;

/**
 * Reads documents, decides and commits, as if nobody else were there: when one of them has changed meanwhile, `choose` is asked again about what it is now.
 * So what is good once is taken by exactly one, and nothing is written over. Without changes nothing is committed.
 */
export async function revise<T>(
  of: readonly (readonly [DocumentKind, string])[],
  { store, now }: Pick<AccountParts, 'store' | 'now'>,
  choose: (values: readonly unknown[]) => Promise<Revision<T>> | Revision<T>,
): Promise<T> {
  const names = of.map(([kind, id]): EpochName => `${kind}:${id}`);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    // The epochs first: a change after them makes the commit fail.
    const epochs = await store.epochs(names);
    const values = await Promise.all(of.map(([kind, id]) => store.document(kind, id)));
    const { changes, result } = await choose(values.map(value => value ?? undefined));
    if (changes.length === 0) return result;
    const expected = names.map((name, at): Change => ({ op: 'epoch', of: name, is: epochs[at] ?? 0 }));
    if ((await store.commit([...expected, ...changes], now())).ok) return result;
    if (attempt > 4) await new Promise(resolve => setTimeout(resolve, Math.random() * Math.min(100, 2 ** (attempt - 4))));
  }
  throw new Problem('conflict', 'others keep changing what this depends on: try again');
}

/** Takes a document away that was to expire. It is swept with its epoch, which a removed one would leave behind. */
export const spend = (kind: DocumentKind, id: string, now: number): Change => ({ op: 'document', kind, id, value: null, expires: now });
