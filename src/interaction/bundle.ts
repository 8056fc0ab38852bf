import type { Caller } from '../access/caller.ts';
import { outcomeOf } from '../fhir/outcome.ts';
import { Problem, problems } from '../fhir/problem.ts';
import { quote } from '../fhir/validate/report.ts';
import { breathe } from './breathe.ts';
import { type BundleEntry, type Check, locate, readEntry } from './bundle-entry.ts';
import type { Answer, Entry, FhirRequest, WriteInteraction } from './interaction.ts';
import { printBody } from './print.ts';

/** A request on the road: what `run` is, seen from here. */
export type Go = (request: FhirRequest, caller: Caller) => Promise<Answer>;
/** Puts a refusal into the log, unless it is there. */
type Note = (error: unknown) => Promise<void>;
type GoWrite = (interaction: WriteInteraction, request: FhirRequest, caller: Caller) => Promise<Answer>;

const MAX_ENTRIES = 10_000;
/** What the answers to all entries may hold, bytes: the whole answer is put together in memory. */
const MAX_ANSWER = 60 * 2 ** 20;
/** What its reads may take together, milliseconds. */
const MAX_READING = 15_000;

/**
 * http://hl7.org/fhir/R4/http.html#transaction – batch: each entry takes the road alone; transaction: the writes are one interaction and one commit,
 * the reads take the road after it and so see what it wrote.
 */
export async function answerBundle(
  request: FhirRequest,
  caller: Caller,
  base: string,
  check: Check,
  go: Go,
  goWrite: GoWrite,
  transaction: WriteInteraction,
  note: Note,
): Promise<Answer> {
  const { resourceType, type, entry = [] } = (request.body ?? {}) as { resourceType?: unknown; type?: unknown; entry?: unknown };
  if (resourceType !== 'Bundle') throw new Problem('invalid', 'what is sent to the base must be a Bundle', { expression: 'resourceType' });
  if (type !== 'batch' && type !== 'transaction')
    throw new Problem('invalid', `a Bundle sent to the base must be a batch or a transaction, not ${quote(type)}`, {
      expression: 'Bundle.type',
    });
  if (!Array.isArray(entry)) throw new Problem('structure', 'Bundle.entry must be a list', { expression: 'Bundle.entry' });
  if (entry.length > MAX_ENTRIES) throw new Problem('too-costly', `the Bundle has ${entry.length} entries; at most ${MAX_ENTRIES} are taken at once`);
  return type === 'batch' ? answerBatch(entry, caller, base, go, note) : answerTransaction(entry, request, caller, base, check, go, goWrite, transaction, note);
}

async function answerBatch(raw: readonly unknown[], caller: Caller, base: string, go: Go, note: Note): Promise<Answer> {
  const entries: Entry[] = [];
  const alone = answeringAlone(entry => go(entry, caller), note);
  for (const one of raw) entries.push(await alone(() => readEntry(objectOf(one), base)));
  return { status: 200, body: { bundle: { type: 'batch-response' }, entries }, shows: [] };
}

async function answerTransaction(
  raw: readonly unknown[],
  request: FhirRequest,
  caller: Caller,
  base: string,
  check: Check,
  go: Go,
  goWrite: GoWrite,
  transaction: WriteInteraction,
  note: Note,
): Promise<Answer> {
  const read: BundleEntry[] = [];
  for (const [index, one] of raw.entries()) {
    await breathe();
    read.push(locate(index, () => readEntry(objectOf(one), base, check)));
  }
  const answer = await goWrite(transaction, { ...request, body: read }, caller);
  if (answer.body === undefined || !('entries' in answer.body)) return answer;
  const entries = [...answer.body.entries];
  const alone = answeringAlone(
    entry => go(entry, caller),
    note,
    entries.reduce((sum, entry) => sum + sizeOf(entry), 0),
  );
  for (const [index, entry] of read.entries()) if (entry.method === 'GET') entries[index] = await alone(() => entry);
  return { ...answer, body: { ...answer.body, entries } };
}

/**
 * What fails here, fails alone: other entries of a batch are independent (R4 http.html#brules), and the writes of a transaction are stored already.
 * Once the answers, `size` bytes so far, are as large as they may be, nothing more is done.
 */
function answeringAlone(go: (entry: BundleEntry) => Promise<Answer>, note: Note, size = 0): (read: () => BundleEntry) => Promise<Entry> {
  let taken = size;
  let reading = 0;
  const limit = (): void => {
    if (reading > MAX_READING)
      throw new Problem('too-costly', `the reads of this Bundle have taken more than ${MAX_READING / 1000} seconds: send this entry by itself`);
    if (taken > MAX_ANSWER) throw new Problem('too-costly', `the answers to this Bundle are larger than ${MAX_ANSWER} bytes: send this entry by itself`);
  };
  return async read => {
    const begun = performance.now();
    let reads = false;
    try {
      const request = read();
      reads = request.method === 'GET';
      if (reads || taken > MAX_ANSWER) limit();
      const entry = entryOf(await go(request));
      taken += sizeOf(entry);
      // What was written is told in any case.
      if (reads && taken > MAX_ANSWER) limit();
      return entry;
    } catch (caught) {
      const error = await note(caught).then(
        () => caught,
        failure => failure,
      );
      const problem = error instanceof Problem ? error : new Problem('exception', 'something went wrong here; it has been noted', { cause: error });
      return { response: { status: String(problems[problem.code].status), outcome: outcomeOf(problem) } };
    } finally {
      if (reads) reading += performance.now() - begun;
    }
  };
}
const sizeOf = ({ body }: Entry): number => (body instanceof Uint8Array ? body.length : 0);

function objectOf(one: unknown): object {
  if (typeof one !== 'object' || one === null || Array.isArray(one)) throw new Problem('structure', 'an entry must be an object');
  return one;
}
/** An answer as a response entry. */
function entryOf(answer: Answer): Entry {
  const { body, headers = {} } = answer;
  const { Location: location, ETag: etag, 'Last-Modified': modified } = headers;
  const response = {
    status: String(answer.status),
    ...(location === undefined ? {} : { location }),
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { lastModified: new Date(modified).toISOString() }),
  };
  if (body === undefined) return { response };
  if ('raw' in body) return { body: body.raw, response };
  return { body: 'resource' in body ? body.resource : printBody(body), response };
}
