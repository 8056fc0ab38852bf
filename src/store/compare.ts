import { hash } from 'node:crypto';
import type { Tell } from './carry.ts';
import { writeFacets } from './encoding.ts';
import type { Version } from './store.ts';
import { carried, type Dumped, type Items, type Part, type Transfer } from './transfer.ts';

/** A part of a store in brief. */
export interface Digest {
  readonly count: number;
  /** Sum of the SHA-256 of all items, so that it holds for parts without an order too. */
  readonly sum: string;
}
const compared = [...carried, 'end'] as const satisfies readonly Part[];
const words: Readonly<Record<Part, string>> = {
  link: 'links of the log',
  resource: 'resources',
  past: 'old versions',
  grants: 'Consents with grants',
  epoch: 'epochs',
  document: 'documents',
  end: 'writers of the log',
};
/** Parts whose order is kept: the place of an item is hashed with it. */
const ordered: ReadonlySet<Part> = new Set(['link', 'resource']);

/** Reads both stores from their beginning to their end. `differences`: a sentence for each part that is not the same. */
export async function compare(
  source: Transfer,
  target: Transfer,
  tell: Tell,
): Promise<{ readonly parts: Readonly<Record<string, Digest>>; readonly differences: readonly string[] }> {
  const parts: Record<string, Digest> = {};
  const differences: string[] = [];
  const totals: Partial<Record<Part, number>> = await source.totals();
  for (const part of compared) {
    const total = totals[part] ?? 0;
    const [one, other] = await Promise.all([digestOf(source, part, done => tell(`compare ${part}`, done, total)), digestOf(target, part, () => {})]);
    parts[part] = other;
    if (one.count !== other.count) differences.push(`${words[part]}: ${one.count} there, ${other.count} here`);
    else if (one.sum !== other.sum) differences.push(`${words[part]}: ${one.count} in both, but not the same`);
  }
  return { parts, differences };
}

async function digestOf<P extends Part>(store: Transfer, part: P, tell: (done: number) => void): Promise<Digest> {
  let sum = 0n;
  let count = 0;
  for await (const { item } of store.dumps[part]([]) as AsyncIterable<Dumped<P>>) {
    const text = JSON.stringify([ordered.has(part) ? count : 0, canonical[part](item)], inOrder);
    sum = BigInt.asUintN(256, sum + BigInt(`0x${hash('sha256', text)}`));
    if (++count % 500 === 0) tell(count);
  }
  return { count, sum: sum.toString(16).padStart(64, '0') };
}

const same = <T>(item: T): unknown => item;
/** What must be the same on both sides, as JSON can hold it. */
const canonical: { readonly [P in Part]: (item: Items[P]) => unknown } = {
  link: ({ events, ...link }) => ({ ...link, events: events.map(plain) }),
  resource: plain,
  past: plain,
  grants: same,
  epoch: same,
  document: same,
  end: same,
};
function plain({ key, versionId, lastUpdated, deleted, facets, body }: Version): unknown {
  return { ...key, versionId, lastUpdated, deleted, facets: JSON.parse(writeFacets(facets)), body: hash('sha256', body) };
}
/** Members in the order of their names. */
const inOrder = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)))
    : value;
