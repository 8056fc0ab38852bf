export type ScopeLevel = 'patient' | 'user' | 'system';
/** create, read, update, delete, search: SMART v2's letters. */
export type ScopeLetter = 'c' | 'r' | 'u' | 'd' | 's';

/** One SMART scope over FHIR data. */
export interface Scope {
  readonly level: ScopeLevel;
  /** A resource type or '*'. */
  readonly type: string;
  readonly may: ReadonlySet<ScopeLetter>;
  /** Granular `?param=value` pairs, decoded. */
  readonly where: readonly (readonly [string, string])[];
}
