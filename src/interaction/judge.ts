import { decide } from '../access/decide.ts';
import type { Action, Facts, Question, Reason } from '../access/decision.ts';
import { policyOf } from '../access/policies/index.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource, ResourceKey } from '../fhir/types.ts';
import type { Indexed } from '../search/indexed.ts';
import type { Change, Version } from '../store/store.ts';
import type { Permit } from './interaction.ts';
import { learn, strays } from './learn.ts';
import { keyOfName, lookups, originOf, type StampOverlay } from './overlay.ts';
import { notFound } from './read.ts';
import { askToRead, denial, type Journey, nothingKnown } from './reading.ts';

/** One write, judged: what is to be stored, and why that is permitted. */
export interface Judged {
  readonly key: ResourceKey;
  readonly action: Extract<Action, 'create' | 'update' | 'delete'>;
  readonly before: Indexed | undefined;
  readonly after: Indexed | undefined;
  readonly reasons: readonly Reason[];
  readonly readable: boolean;
  /** What the policy of the type wants to hold in the commit. */
  readonly conditions: readonly Change[];
}
/** One write as it is asked for. */
export interface Intent {
  readonly key: ResourceKey;
  readonly resource: Resource | undefined;
  readonly before: Indexed | undefined;
  /** Where nothing is stored, it may be made: POST, or an id that the caller may choose. */
  readonly creates: boolean;
  /** Its criterion was searched for: a conditional create. */
  readonly conditional: boolean;
}

/** Asks all rules about one write. Throws Problem 'forbidden' or 'not-found' (see denial), or what the policy finds wrong with the content. */
export async function judge(journey: Journey, overlay: StampOverlay, intent: Intent): Promise<Judged> {
  const { parts, caller, given, log } = journey;
  const { key, before } = intent;
  const action = intent.resource === undefined ? 'delete' : before === undefined ? 'create' : 'update';
  const policy = policyOf(key.type);
  const question = { caller, action, type: key.type, at: given.now, conditional: intent.conditional } as const;
  await askBlindly(journey, { ...question, action: action === 'create' && !intent.creates ? 'update' : action });
  const reading = before === undefined ? undefined : await askToRead(journey, 'read', key.type, before);
  const sees = reading === undefined || reading.effect === 'permit';
  // What is stored must be the caller's to see before anything said about the new content can tell of it.
  if (before !== undefined && reading?.effect === 'deny' && !reading.reveal) {
    log.asked(reading.reasons, key, before.facets);
    throw denial(reading, key);
  }
  // What stays that is not there, for whoever may not choose ids.
  if (before === undefined && !intent.creates) throw notFound(key);
  const origin = before?.facets.origin ?? originOf(caller);
  const layAfter = async (resource: Resource): Promise<Indexed> => {
    overlay.lay(key, resource, origin);
    await overlay.load(lookups(resource));
    return overlay.after(key);
  };
  const sent = intent.resource === undefined ? undefined : await layAfter(intent.resource);
  if (sent !== undefined) await askAlso(journey, overlay, sent);
  const learned = { ...(await learn(journey, overlay, intent, sent)), strays: sent !== undefined && (await strays(journey, overlay, sent.resource)) };
  const factsWith = (after: Indexed | undefined): Facts => ({
    ...learned,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
  const ask = (after: Indexed | undefined): Permit => {
    const decision = decide(question, factsWith(after), parts.rulesFor(key.type));
    log.asked(decision.reasons, key, (before ?? after)?.facets);
    if (decision.effect === 'permit') return decision;
    throw before === undefined ? denial(decision, undefined) : denial({ ...decision, reveal: decision.reveal || sees }, key);
  };
  // Whoever may write without reading hears of the rules first, and of the content afterwards.
  if (!sees) ask(sent);
  const after = sent === undefined || policy.prepare === undefined ? sent : await layAfter(policy.prepare(question, { ...factsWith(sent), after: sent }));
  const { reasons } = ask(after);
  const conditions = policy.conditions?.(question, factsWith(after), parts.registry) ?? [];
  const readable = after !== undefined && (await askToRead(journey, 'read', key.type, after)).effect === 'permit';
  return { key, action, before, after, reasons, readable, conditions };
}

/** The rules that may refuse a caller without a look at anything; those of a type look at its content. */
const common: readonly string[] = ['scope', 'record', 'app', 'provenance'];

/** A refusal that follows from the caller alone comes first, the same whether there is anything under the key or not. */
async function askBlindly({ parts, caller, consents, log }: Journey, question: Question): Promise<void> {
  const grants = await consents.grants(caller.record === undefined ? [] : [caller.record]);
  const rules = parts.rulesFor(question.type).filter(rule => common.includes(rule.id));
  const decision = decide(question, { grants, grantEpoch: await consents.grantEpoch(), known: nothingKnown }, rules);
  if (decision.effect === 'permit' || !decision.reveal) return;
  log.asked(decision.reasons);
  throw denial(decision, undefined);
}

/** Other writes that this one stands for: a Provenance needs the right to change each of its targets. One refusal for all that may be wrong with them. */
async function askAlso({ parts, caller, given, consents, log }: Journey, overlay: StampOverlay, after: Indexed): Promise<void> {
  const { also } = policyOf(after.resource.resourceType);
  if (also === undefined || caller.kind === 'server' || caller.open === true) return;
  const { writes, refusal } = also(after);
  for (const { action, key: name } of writes) {
    const key = keyOfName(name);
    await overlay.load([key]);
    const target = overlay.current(key);
    if (target === undefined) throw new Problem('forbidden', refusal);
    const facts: Facts = {
      grants: await consents.grants(target.facets.records),
      grantEpoch: await consents.grantEpoch(),
      known: nothingKnown,
      before: target,
      after: target,
    };
    const decision = decide({ caller, action, type: key.type, at: given.now }, facts, parts.rulesFor(key.type));
    if (decision.effect === 'permit') continue;
    log.asked(decision.reasons, key, target.facets);
    throw new Problem('forbidden', refusal);
  }
}

/** If-Match, after the decision: it would tell of a version that the caller may not know. */
export function checkMatch(ifMatch: string | undefined, stored: Version | undefined): void {
  const versionId = stored?.versionId;
  const matched = ifMatch === '*' ? stored?.deleted === false : ifMatch === versionId;
  if (ifMatch !== undefined && !matched) throw new Problem('version-changed', `the current version is ${versionId ?? 'none'}, not ${ifMatch} as If-Match says`);
}
