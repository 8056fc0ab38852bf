import { createHash } from 'node:crypto';
import type { SearchParameterDef } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import { isIndexed } from './params.ts';
import type { SearchParam } from './query.ts';
import type { Registry } from './registry.ts';

/** What parameters meant when resources were indexed by them: by url, and one for all facets. */
export type Fingerprints = Readonly<Record<string, string>>;

/**
 * Raised for a type of parameter whenever values are taken from resources, or kept by a store, otherwise than before: then what is stored is of no use any
 * more, and is made anew (interaction/reindex.ts).
 */
const extraction: Readonly<Record<SearchParameterDef['type'] | 'facets', number>> = {
  token: 1,
  string: 1,
  date: 1,
  reference: 1,
  uri: 1,
  number: 1,
  quantity: 1,
  composite: 1,
  special: 1,
  facets: 1,
};
/** The name of all facets. */
export const facetsName = '.facets';

/** The fingerprint of each definition that is indexed. What modifiers ask of a parameter goes with it. */
export function fingerprintsOf(definitions: readonly SearchParameterDef[]): Fingerprints {
  const byUrl = new Map(definitions.map(each => [each.url, each]));
  const own = ({ code, type, base, expression }: SearchParameterDef): readonly unknown[] => [code, type, extraction[type], [...base].sort(), expression];
  const found: [string, string][] = definitions.filter(isIndexed).map(each => {
    const parts = each.components.map(part => [part, own(byUrl.get(part.definition) ?? each)]);
    return [each.url, hash([own(each), parts])];
  });
  return Object.fromEntries([...found, [facetsName, String(extraction.facets)]]);
}
/** One for all of them. */
export const fingerprintOf = (all: Fingerprints): string => hash(Object.entries(all).sort());
const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);

/** The names of what is not indexed as it now would be. */
export const pendingOf = (wanted: Fingerprints, stored: Fingerprints): ReadonlySet<string> =>
  new Set(Object.keys(wanted).filter(name => wanted[name] !== stored[name]));

/** The name of a parameter of the type among the fingerprints; undefined for `_id`, which is no row of any index. */
export function fingerprintName(type: ResourceType, param: SearchParam, registry: Registry): string | undefined {
  if (param.code.startsWith('.')) return facetsName;
  return (registry.definitionOf(param) ?? registry.definitionOf(registry.param(type, param.code.split(':')[0]!) ?? param))?.url;
}
/** The types of resources that carry any of these. */
export function carriersOf(names: ReadonlySet<string>, types: Iterable<ResourceType>, registry: Registry): readonly ResourceType[] {
  if (names.has(facetsName)) return [...types];
  const carries = (type: ResourceType): boolean =>
    registry.codesOf(type).some(code => {
      const param = registry.param(type, code);
      return param !== undefined && names.has(registry.definitionOf(param)?.url ?? '');
    });
  return [...types].filter(carries);
}
