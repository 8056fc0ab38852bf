import type { Data, Json } from './data.ts';
import type { Match } from './match.ts';

/** A search as a client writes it below the base, and what it finds. */
export interface Case {
  readonly ask: string;
  readonly finds: Match;
  /** What a resource is sorted by, most weighty first. Absent: any order is right. */
  readonly sorted?: readonly SortedBy[];
  /** What comes along with the matches of a page. */
  readonly brings?: (page: readonly Json[], data: Data) => readonly Json[];
  /** It is right that it finds nothing. */
  readonly nothing?: true;
}
export interface SortedBy {
  readonly of: (resource: Json, data: Data) => string | number | undefined;
  readonly down?: true;
}
export const search = (ask: string, finds: Match, more: Omit<Case, 'ask' | 'finds'> = {}): Case => ({ ask, finds, ...more });
