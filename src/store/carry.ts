import { Problem } from '../fhir/problem.ts';
import { type Carried, type Dumped, type Items, type Part, type Progress, portion, type Step, steps, type Transfer } from './transfer.ts';

/** Told after every portion. `total` is near enough for people. */
export type Tell = (step: string, done: number, total: number) => void;

export interface Carrying {
  readonly source: Transfer;
  readonly target: Transfer;
  /** What the source is called, always alike. */
  readonly from: string;
  /** Empties the target first, where it holds a migration that is not finished. */
  readonly again: boolean;
  readonly tell: Tell;
  readonly limits?: { readonly items: number; readonly bytes: number };
}

/** Carries the source into the target, from where an earlier attempt has come to. All that is left then is to compare them, and to end the migration. */
export async function carry({ source, target, from, again, tell, limits = portion }: Carrying): Promise<Progress> {
  if ((await source.progress()) !== undefined)
    throw new Problem('exception', 'the store to migrate from is itself the target of a migration that is not finished');
  const totals = await source.totals();
  let at = await begun(target, from, again);

  /** Carries what is left of a part. */
  async function carryPart<P extends Carried>(part: P): Promise<void> {
    for await (const { items, after } of portionsOf<P>(source.dumps[part](at.after), part, limits)) {
      const done = (at.done[part] ?? 0) + items.length;
      const to = { ...at, after, done: { ...at.done, [part]: done }, rows: at.rows + items.reduce((rows, item) => rows + (rowsOf[part]?.(item) ?? 0), 0) };
      await target.take(part, items, at, to);
      at = to;
      tell(part, done, totals[part]);
    }
  }
  async function index(): Promise<void> {
    for (let to = await target.index(at); to !== undefined; to = await target.index(at)) {
      at = to;
      tell('index', at.done.index ?? 0, at.rows);
    }
  }
  while (at.step !== 'compare') {
    if (at.step === 'empty') await target.empty();
    else if (at.step === 'index') await index();
    else await carryPart(at.step);
    const next = { ...at, step: after(at.step), after: [] };
    await target.note(at, next);
    at = next;
  }
  return at;
}
const after = (step: Step): Step => steps[steps.indexOf(step) + 1]!;

/** Where the migration begins or goes on. */
async function begun(target: Transfer, from: string, again: boolean): Promise<Progress> {
  const found = await target.progress();
  const beginning = (step: Step): Progress => ({ from, step, after: [], done: {}, rows: 0 });
  if (found === undefined) {
    const fresh = beginning(steps[1]);
    if (await target.begin(fresh)) return fresh;
    throw new Problem(
      'exception',
      'the store to migrate into is not empty, and was not filled by a migration that is still to be finished; choose an empty one',
    );
  }
  if (again) {
    const to = beginning('empty');
    await target.note(found, to);
    return to;
  }
  if (found.from === from) return found;
  throw new Problem(
    'exception',
    `the store to migrate into holds a migration from ${found.from} that is not finished; finish it, or begin with --again, which empties the store first`,
  );
}

/** How many rows of resources an item brings. */
const rowsOf: { readonly [P in Part]?: (item: Items[P]) => number } = { link: ({ events }) => events.length, resource: () => 1 };
/** What an item takes up, where that can be much. */
const bytesOf: { readonly [P in Part]?: (item: Items[P]) => number } = {
  link: ({ events }) => events.reduce((bytes, { body }) => bytes + body.length, 0),
  resource: ({ body }) => body.length,
  past: ({ body }) => body.length,
  document: ({ value }) => value.length,
};

async function* portionsOf<P extends Carried>(
  dumped: AsyncIterable<Dumped<P>>,
  part: P,
  limits: NonNullable<Carrying['limits']>,
): AsyncGenerator<{ readonly items: readonly Items[P][]; readonly after: Dumped<P>['at'] }> {
  let items: Items[P][] = [];
  let bytes = 0;
  let after: Dumped<P>['at'] = [];
  for await (const { item, at } of dumped) {
    items.push(item);
    bytes += bytesOf[part]?.(item) ?? 0;
    after = at;
    if (items.length < limits.items && bytes < limits.bytes) continue;
    yield { items, after };
    items = [];
    bytes = 0;
  }
  if (items.length > 0) yield { items, after };
}
