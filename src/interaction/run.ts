import type { Caller } from '../access/caller.ts';
import { policyOf } from '../access/policies/index.ts';
import { Problem } from '../fhir/problem.ts';
import { answerBundle } from './bundle.ts';
import { loadConsents } from './facts.ts';
import type { Answer, FhirRequest, Interaction } from './interaction.ts';
import type { Interactions } from './interactions.ts';
import { type Log, openLog } from './log.ts';
import type { Parts } from './parts.ts';
import { type Journey, readRoad } from './reading.ts';
import { answerReindex } from './reindex-answer.ts';
import { notAllowed, type Routed, route } from './table.ts';
import { OUTRUN, writeRoad } from './writing.ts';

/** For how many milliseconds a write begins anew when others were quicker. */
const PATIENCE = 5000;
const actions: Readonly<Record<string, 'create' | 'update' | 'delete'>> = { create: 'create', update: 'update', delete: 'delete' };

/** The interaction of a request, and a refusal (405) of what nobody may do with the type: before any body is read. */
export function routeFor(request: FhirRequest): Routed {
  const routed = route(request);
  refuseForAll(routed, request);
  return routed;
}
function refuseForAll({ code, type }: Routed, request: Pick<FhirRequest, 'method' | 'path'>): void {
  const action = actions[code];
  if (type !== undefined && action !== undefined && policyOf(type).notAllowed?.includes(action)) throw notAllowed(request.method, request.path, ['GET']);
}

/** The one road of every request: plan, facts, decide, act, audit (ARCHITECTURE §1). */
export async function run(routed: Routed, request: FhirRequest, caller: Caller, parts: Parts, interactions: Interactions): Promise<Answer> {
  if (routed.code === 'capabilities') return interactions.capabilities();
  if (routed.code === 'reindex') return answerReindex(request, caller, parts);
  if (routed.code !== 'batch') return travel(interactions.table[routed.code], request, caller, parts, parts.newId());
  return answerBundle(
    request,
    caller,
    parts.base(),
    routeFor,
    async (entry, who) => {
      try {
        return await run(routeFor(entry), entry, who, parts, interactions);
      } catch (error) {
        await note(error, entry, who, parts);
        throw error;
      }
    },
    (interaction, entries, who) => travel(interaction, entries, who, parts, parts.newId()),
    interactions.transaction,
    error => note(error, request, caller, parts),
  );
}

/** What is in the log already. */
const noted = new WeakSet<object>();
const codes: Readonly<Record<string, string>> = { GET: 'read', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/**
 * Puts into the log what ended a request of this caller before its road began: no such address, 405, a body that cannot be read. What ended on the road is
 * there already.
 */
export async function note(error: unknown, request: Pick<FhirRequest, 'path'> & { readonly method: string }, caller: Caller, parts: Parts): Promise<void> {
  if (error instanceof Error && noted.has(error)) return;
  const code = request.path.length === 0 ? 'batch' : (codes[request.method] ?? 'operation');
  await keep(openLog(parts, caller, code, parts.newId(), request.path), error, parts);
}
async function keep(log: Log, error: unknown, parts: Parts): Promise<void> {
  const lines = log.failed(error);
  try {
    if (lines.length > 0) await parts.store.commit(lines, parts.now());
  } catch (failure) {
    // Whether what was asked for may be stored after all is in the words of the first.
    if (!(error instanceof Problem && error.code === 'unavailable')) throw failure;
  }
  if (error instanceof Error) noted.add(error);
}

/** Takes one interaction that no address leads to along the road. */
export const runInteraction = (interaction: Interaction, request: FhirRequest, caller: Caller, parts: Parts): Promise<Answer> =>
  travel(interaction, request, caller, parts, parts.newId());

/** One interaction from plan to answer; whatever ends it is in the log before the caller hears of it. */
async function travel(interaction: Interaction, request: FhirRequest, caller: Caller, parts: Parts, id: string): Promise<Answer> {
  const bound = `${caller.account ?? ''} ${caller.client} ${caller.record ?? ''}`;
  const end = performance.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    const given = { now: parts.now(), newId: parts.newId, bound, caller };
    const journey: Journey = {
      parts,
      caller,
      given,
      consents: loadConsents(parts.store, caller, parts.grantCache),
      log: openLog(parts, caller, interaction.code, id, request.path),
    };
    try {
      if (interaction.effect === 'read') return await readRoad(interaction, request, journey);
      const answer = await writeRoad(interaction, request, journey);
      if (answer !== OUTRUN) return answer;
      if (performance.now() > end) throw new Problem('conflict', 'others keep changing what this depends on: try again');
      await pause(attempt);
    } catch (error) {
      await keep(journey.log, error, parts);
      throw error;
    }
  }
}
/** A little longer each time, and not for all alike. */
const pause = (attempt: number): Promise<void> => new Promise(resolve => setTimeout(resolve, Math.random() * Math.min(200, 4 * 2 ** attempt)));
