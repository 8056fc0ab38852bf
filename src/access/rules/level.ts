import type { Caller } from '../caller.ts';
import type { ScopeLevel } from '../scope.ts';

/** The one level of the caller's scopes; undefined where there are none, or several. */
export function levelOf({ scopes }: Caller): ScopeLevel | undefined {
  const levels = new Set(scopes.map(scope => scope.level));
  return levels.size === 1 ? [...levels][0] : undefined;
}

/** Every answer is about one record: a person's own, the one cared for, or the one that an app was launched with. */
export const isRecordBound = (caller: Caller): boolean => caller.kind === 'patient' || caller.kind === 'caregiver' || levelOf(caller) === 'patient';

/** Internal work, and the caller of a server without authorization. */
export const isUnbound = (caller: Caller): boolean => caller.kind === 'server' || caller.open === true;
