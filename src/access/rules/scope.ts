import { scopePredicate } from '../../search/criteria.ts';
import { and, none, or, type Predicate } from '../../search/query.ts';
import type { Registry } from '../../search/registry.ts';
import type { CallerKind } from '../caller.ts';
import type { Action, Finding, Question, Rule } from '../decision.ts';
import { policyOf } from '../policies/index.ts';
import type { Scope, ScopeLetter, ScopeLevel } from '../scope.ts';
import { isUnbound, levelOf } from './level.ts';

const letters: Readonly<Record<Action, ScopeLetter>> = { read: 'r', search: 's', create: 'c', update: 'u', delete: 'd' };
const levels: Readonly<Record<CallerKind, readonly ScopeLevel[]>> = {
  patient: ['patient'],
  caregiver: ['patient'],
  practitioner: ['patient', 'user'],
  system: ['system'],
  // Who works for an organization without treating anybody: the record rule leaves them the log.
  'privacy-officer': ['user'],
  server: [],
};

/** Whether the token's scopes cover the interaction (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html). */
export const scopeRule = (registry: Registry): Rule => ({
  id: 'scope',
  judge(question: Question): Finding {
    const { caller, action, type, conditional } = question;
    if (isUnbound(caller)) return permit({ op: 'all' }, 'the caller is the server itself');
    const level = levelOf(caller);
    if (level === undefined)
      return refuse(caller.scopes.length === 0 ? 'the token has no scope over FHIR data' : 'the token mixes patient, user and system scopes');
    if (!levels[caller.kind].includes(level)) return refuse(`${level}/ scopes are not for a ${caller.kind}`);
    if (level === 'patient' && caller.record === undefined) return refuse('the token has patient/ scopes and names no patient');
    const applying = (letter: ScopeLetter): readonly Scope[] => caller.scopes.filter(scope => applies(scope, letter, question));
    if (conditional === true && applying('s').length === 0) return refuse(`no scope of the token lets it search ${type}, which the condition needs`);
    const only = or(...applying(letters[action]).map(scope => limitOf(scope, question, registry)));
    return only.op === 'none' ? refuse(`no scope of the token lets it ${action} ${type}`) : permit(only, `the token's scopes cover ${action} of ${type}`);
  },
});

/** A wildcard at patient and user level covers of some types only what their policy leaves to it; the rest wants to be asked for by name. */
function applies(scope: Scope, letter: ScopeLetter, { type }: Question): boolean {
  if (!scope.may.has(letter)) return false;
  if (scope.type !== '*') return scope.type === type;
  const covered = policyOf(type).wildcard;
  return scope.level === 'system' || covered === undefined || covered.includes(letter);
}

/** What a granular scope leaves; nothing where the type lacks the parameter or the value cannot be read, since dropping the limit would widen it. */
function limitOf({ where }: Scope, { type }: Question, registry: Registry): Predicate {
  try {
    return where.length === 0 ? { op: 'all' } : and(scopePredicate(type, where, registry));
  } catch {
    return none;
  }
}

const permit = (only: Predicate, because: string): Finding => ({ effect: 'permit', only, because, sources: [] });
const refuse = (because: string): Finding => ({ effect: 'deny', because, sources: [], plain: true });
