import type { Coding, Meta, Resource } from '../fhir/types.ts';
import type { Confidentiality, Facets } from '../search/indexed.ts';
import { confidentialities, shownSecurity } from '../search/security.ts';
import { lowestSensitivities, systems } from './codes.ts';
import rules from './labels.json' with { type: 'json' };

/** How careful one must be with a resource. */
export interface Labels {
  readonly confidentiality: Confidentiality;
  /** v3-ActCode sensitivities, sorted, without those that they imply. */
  readonly sensitivity: readonly string[];
}

const normal: Confidentiality = 3;
const restricted: Confidentiality = 4;

const byCode = new Map<string, readonly string[]>();
for (const { codes, sensitivity } of rules.rules) {
  for (const [name, list] of Object.entries(codes)) {
    for (const system of rules.systems[name as keyof typeof rules.systems]) {
      for (const code of list) byCode.set(`${system}|${code}`, [...(byCode.get(`${system}|${code}`) ?? []), ...sensitivity]);
    }
  }
}
const starts = rules.rules.flatMap(({ starts: list, sensitivity }) => list.map(start => ({ start: plain(start), sensitivity })));
const patterns = rules.rules.map(({ words, whole, sensitivity }) => ({ sensitivity, pattern: patternOf(words, whole) }));

/** ICD-10 codes are written with and without their dot, in either case. */
function plain(code: string): string {
  return code.replace('.', '').toUpperCase();
}
function patternOf(words: readonly string[], whole: readonly string[]): RegExp {
  const quote = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/[ -]/g, '[ -]?');
  const begun = words.map(quote).join('|');
  const closed = whole.map(quote).join('|');
  return new RegExp(`(?<![a-z])(?:${[begun, ...(closed === '' ? [] : [`(?:${closed})(?![a-z])`])].join('|')})`, 'i');
}

// One regular expression for all first: most texts are harmless, and every write pays for this.
const anyPattern = new RegExp(patterns.map(({ pattern }) => `(?:${pattern.source})`).join('|'), 'i');

/**
 * The labels of a resource: from its codes and the words of its displays and texts (labels.json), from the security labels that it carries, and from what
 * it refers to. Without any it is N. Only v3-Confidentiality and the sensitivities of v3-ActCode count among the security labels.
 */
export function labelsOf(codes: readonly Coding[], texts: readonly string[], security: readonly Coding[], cited: readonly Labels[]): Labels {
  const found = new Set<string>();
  for (const { system, code } of codes) {
    if (code === undefined) continue;
    for (const label of byCode.get(`${system}|${code}`) ?? []) found.add(label);
    if (system !== undefined && rules.systems.icd10.includes(system))
      for (const one of starts) if (plain(code).startsWith(one.start)) for (const label of one.sensitivity) found.add(label);
  }
  for (const text of texts) {
    if (!anyPattern.test(text)) continue;
    for (const { pattern, sensitivity } of patterns) if (pattern.test(text)) for (const label of sensitivity) found.add(label);
  }
  let confidentiality: Confidentiality | undefined;
  const raise = (level: Confidentiality): void => {
    if (confidentiality === undefined || level > confidentiality) confidentiality = level;
  };
  for (const { system, code } of security) {
    if (system === systems.act && code !== undefined && !notSensitivities.has(code)) found.add(code);
    const level = confidentialities.indexOf(code as never);
    if (system === systems.confidentiality && level >= 0) raise(level as Confidentiality);
  }
  for (const labels of cited) {
    for (const label of labels.sensitivity) found.add(label);
    if (labels.confidentiality > normal) raise(labels.confidentiality);
  }
  if (found.size > 0) raise(restricted);
  return { confidentiality: confidentiality ?? normal, sensitivity: lowestSensitivities([...found]).toSorted() };
}

/** What `meta.security` carries from v3-ActCode that says how data are handled or who said so, and not how sensitive they are. */
const notSensitivities: ReadonlySet<string> = new Set([
  ...['REDACT', 'MASK', 'LABEL', 'DEID', 'PSEUD', 'ANONY', 'AOD', 'CPLYCC', 'CPLYCD', 'ENCRYPT', 'ENCRYPTR', 'ENCRYPTT', 'NOAUTH', 'NOCOLLECT', 'NODSCLCD'],
  ...[
    'NODSCLCDS',
    'NOINTEGRATE',
    'NOLIST',
    'NOMOU',
    'NOORGPOL',
    'NOPAT',
    'NOPERSISTP',
    'NORDSCLCD',
    'NORDSCLCDS',
    'NORDSCLW',
    'NORELINK',
    'NOREUSE',
    'NOVIP',
    'ORCON',
  ],
]);

/** The resource with its labels in `meta.security`: one confidentiality, every sensitivity; codings of other systems stay. */
export function renderSecurity(resource: Resource, facets: Labels | Facets): Resource {
  const present = resource.meta?.security ?? [];
  const security = shownSecurity(present, facets);
  if (security.length === present.length && security.every((coding, index) => coding === present[index])) return resource;
  const meta: Meta = { ...resource.meta, security };
  return { ...resource, meta };
}
