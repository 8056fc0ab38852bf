/** Parameters that say how results come, not which (http://hl7.org/fhir/R4/search.html#Parameters). */
export const controls: ReadonlySet<string> = new Set([
  '_count',
  '_sort',
  '_include',
  '_revinclude',
  '_total',
  '_summary',
  '_elements',
  '_type',
  '_contained',
  '_cursor',
  '_format',
  '_pretty',
]);

/** What R4 has besides search parameters of its own, and we do not have: an answer without it would not be what was asked for. */
export const unsupportedControls: ReadonlySet<string> = new Set(['_containedType', '_filter', '_query']);
