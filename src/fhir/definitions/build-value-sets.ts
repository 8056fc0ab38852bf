import { Problem } from '../problem.ts';
import { expand, listed } from '../terminology/expand.ts';
import type { Members } from '../terminology/members.ts';
import { type CodeSystem, sourcesOf, type ValueSet } from '../terminology/sources.ts';
import type { CodeList } from './artefact.ts';

/**
 * Lists the codes of value sets by their `compose`, from the given definitions alone.
 * @returns for a canonical (with or without version) its codes, sorted; undefined where they cannot be listed (UCUM, BCP 13, ISO 4217 …).
 */
export function expander(definitions: readonly (CodeSystem | ValueSet)[]): (canonical: string) => CodeList | undefined {
  const sources = sourcesOf(definitions);
  return canonical => {
    let members: Members;
    try {
      members = listed(expand(canonical, sources), sources);
    } catch (error) {
      if (error instanceof Problem) return undefined;
      throw error;
    }
    const systems = [...members].filter(([, codes]) => codes !== 'all' && codes.size > 0);
    const codes = [...new Set(systems.flatMap(([, codes]) => [...codes]))].sort();
    if (codes.length === 0) return undefined;
    return systems.length === 1 ? { system: systems[0]![0], codes } : { codes };
  };
}
