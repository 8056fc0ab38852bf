import type { Caller } from '../access/caller.ts';
import { mayOperate } from '../access/rules/operate.ts';
import { auditEntry, auditRecord } from '../audit/event.ts';
import { Problem } from '../fhir/problem.ts';
import type { Change } from '../store/store.ts';
import type { Answer, FhirRequest } from './interaction.ts';
import type { Parts } from './parts.ts';
import { isOver, type Job, percentOf } from './reindex-job.ts';

/** `POST $reindex`, and `GET $reindex/[job]` to see how far it is, as in http://hl7.org/fhir/R4/async.html. No record is read, so there is only one rule. */
export async function answerReindex({ method, path }: FhirRequest, caller: Caller, parts: Parts): Promise<Answer> {
  const [epoch = 0] = await parts.store.epochs([`grant:${caller.grant}`]);
  const finding = mayOperate(caller, epoch);
  if (finding.effect === 'deny') throw new Problem('forbidden', `\`$reindex\`: ${finding.because}`);
  const line = lineOf(caller, parts);
  if (method === 'POST') return accepted(await parts.reindexer.begin(line), parts);
  const job = await parts.reindexer.job();
  if (job === undefined || job.id !== path[1]) throw new Problem('not-found', `there is no reindex \`${path[1]}\`, or another one came after it`);
  if (line.length > 0) await parts.store.commit(line, parts.now());
  return isOver(job) ? { status: 200, body: { resource: told(job) }, shows: [] } : underWay(job);
}

function lineOf(caller: Caller, parts: Parts): readonly Change[] {
  if (!parts.audit) return [];
  const address = caller.address === undefined ? {} : { address: caller.address };
  const happening = { id: parts.newId(), at: parts.now(), code: 'reindex', outcome: '0', caller, server: parts.base(), request: parts.newId() } as const;
  return [{ op: 'event', ...auditEntry(auditRecord({ ...happening, ...address, touched: [], reasons: [] })) }];
}

const accepted = (job: Job, parts: Parts): Answer => ({
  ...underWay(job),
  headers: { 'Content-Location': `${parts.base()}/$reindex/${job.id}`, ...underWay(job).headers },
});
const underWay = (job: Job): Answer => ({
  status: 202,
  headers: { 'X-Progress': `${percentOf(job)} %`, 'Retry-After': '1' },
  shows: [],
});

/** How many there are is nobody's to hear who may not read them all: the server's own command tells that. */
const told = ({ failed, begun, ended }: Job): { readonly resourceType: string; readonly parameter: readonly object[] } => ({
  resourceType: 'Parameters',
  parameter: [
    { name: 'complete', valueBoolean: failed === 0 },
    { name: 'begun', valueInstant: begun },
    { name: 'ended', valueInstant: ended },
  ],
});
