import type { Indexed } from '../search/indexed.ts';
import { matches } from '../search/match.ts';
import { and } from '../search/query.ts';
import type { Decision, Facts, Question, Reason, Rule } from './decision.ts';

/** Without a word from these nothing is permitted, whatever else was left out. */
const needed = ['scope', 'record'];

/**
 * Asks all rules, even after a denial, so that the reasons are complete. Every rule that speaks must permit; what is stored and what would be stored must
 * both meet what the permits still demand. Pure. A rule that throws denies.
 */
export function decide(question: Question, facts: Facts, rules: readonly Rule[]): Decision {
  const found = rules.flatMap(rule => ask(rule, question, facts));
  const silent = needed.filter(id => !found.some(reason => reason.rule === id));
  const reasons = [...found, ...silent.map((rule): Reason => ({ rule, effect: 'deny', because: `the rule \`${rule}\` says nothing about it`, sources: [] }))];
  const failed = reasons.flatMap(reason => unmet(reason, facts));
  if (failed.length > 0) {
    const all = reasons.map(reason => failed.find(one => one.rule === reason.rule) ?? reason);
    return { effect: 'deny', reveal: reasons.some(reason => reason.effect === 'deny' && reason.plain === true), reasons: all };
  }
  return { effect: 'permit', only: and(...reasons.flatMap(reason => (reason.effect === 'permit' ? [reason.only] : []))), reasons };
}

function ask(rule: Rule, question: Question, facts: Facts): readonly Reason[] {
  try {
    const finding = rule.judge(question, facts);
    return finding === undefined ? [] : [{ ...finding, rule: rule.id }];
  } catch {
    return [{ rule: rule.id, effect: 'deny', because: `the rule \`${rule.id}\` could not be applied`, sources: [] }];
  }
}

/** The reason as a denial, where it is one or where its demand is not met by what is known of the resource. */
function unmet(reason: Reason, { before, after, grants }: Facts): readonly Reason[] {
  if (reason.effect === 'deny') return [reason];
  const meets = (indexed: Indexed | undefined): boolean => indexed === undefined || matches(reason.only, indexed, grants);
  try {
    if (meets(before) && meets(after)) return [];
  } catch {
    // What cannot be judged is not permitted.
  }
  return [
    { rule: reason.rule, effect: 'deny', because: `the resource is not among those of which the rule \`${reason.rule}\` says: ${reason.because}`, sources: [] },
  ];
}
