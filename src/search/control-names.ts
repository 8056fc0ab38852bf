/** Parameters that say how results come, not which (http://hl7.org/fhir/R4/search.html#Parameters). */
export const controls: ReadonlySet<string> = new Set(['_count', '_sort', '_include', '_total', '_summary', '_cursor', '_format', '_pretty']);

/** What R4 has besides search parameters of its own, and we do not have yet. */
export const unsupportedControls: ReadonlySet<string> = new Set([
  '_has',
  '_revinclude',
  '_elements',
  '_contained',
  '_containedType',
  '_filter',
  '_list',
  '_text',
  '_content',
  '_query',
  '_type',
]);
