import { parseScopes, type Scope, type ScopeLevel } from '../access/scope.ts';

/** Scopes that are not over FHIR data (https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html). */
export const contextScopes = ['openid', 'fhirUser', 'profile', 'offline_access', 'online_access', 'launch', 'launch/patient', 'launch/encounter'] as const;
export const isContextScope = (word: string): boolean => (contextScopes as readonly string[]).includes(word);

export const wordsOf = (scope: string | undefined): readonly string[] => [...new Set((scope ?? '').split(/\s+/).filter(word => word !== ''))];

/** Characters of all scopes of one request. */
export const MAX_SCOPE = 10_000;
/** Of one request. */
export const MAX_WORDS = 300;

/** Whether what the one scope permits is part of what the other does. One over part of a type (`?param=value`) covers that part and less. */
export function covers(wider: string, narrower: string): boolean {
  return wider === narrower || coversScope(parseScopes(wider).scopes[0], parseScopes(narrower).scopes[0]);
}
function coversScope(one: Scope | undefined, other: Scope | undefined): boolean {
  return (
    one !== undefined &&
    other !== undefined &&
    one.level === other.level &&
    (one.type === '*' || one.type === other.type) &&
    [...other.may].every(letter => one.may.has(letter)) &&
    one.where.every(([name, value]) => other.where.some(pair => pair[0] === name && pair[1] === value))
  );
}

/**
 * What of these words a client may be given: what it is registered for, at levels that its kind of authorization can hold (ACCESS §2). Unknown ones are
 * dropped (SMART App Launch 2.2: they MAY be ignored).
 */
export function allowedScopes(asked: readonly string[], registered: string, levels: readonly ScopeLevel[]): readonly string[] {
  const most = wordsOf(registered);
  const named = most.filter(isContextScope);
  const parsed = most.flatMap(one => parseScopes(one).scopes);
  return asked.filter(word => {
    // A client that is registered for data only may have every context; one that names some has those.
    if (isContextScope(word)) return named.length === 0 || named.includes(word);
    const [scope] = parseScopes(word).scopes;
    return scope !== undefined && levels.includes(scope.level) && (most.includes(word) || parsed.some(one => coversScope(one, scope)));
  });
}

/** Whether any is about one patient, who must then be known. */
export const needsPatient = (words: readonly string[]): boolean =>
  words.some(word => word === 'launch/patient' || parseScopes(word).scopes.some(scope => scope.level === 'patient'));

/** SMART never mixes what is about one patient with what is about all that somebody may see (ACCESS §2). */
export const isMixed = (words: readonly string[]): boolean => new Set(parseScopes(words.join(' ')).scopes.map(scope => scope.level)).size > 1;
