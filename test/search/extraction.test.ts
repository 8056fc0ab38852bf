import { describe, expect, test } from '@jest/globals';
import { resourceTypes, searchParameters } from '../../src/fhir/definitions/definitions.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { compile } from '../../src/search/expression.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { indexDate } from '../../src/search/kinds/date.ts';
import { indexPosition } from '../../src/search/kinds/position.ts';
import { indexQuantity } from '../../src/search/kinds/quantity.ts';
import { indexReference } from '../../src/search/kinds/reference.ts';
import { indexString } from '../../src/search/kinds/string.ts';
import { indexToken } from '../../src/search/kinds/token.ts';
import { indexUri } from '../../src/search/kinds/uri.ts';
import type { IndexValue } from '../../src/search/query.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { type Found, fhirpathFinds } from './fhirpath.ts';
import { fullResource } from './full-resources.ts';
import { examples, examplesAreHere, type Published, published } from './hl7-examples.ts';

const registry = buildRegistry();
/** So many times a full resource of each type, so that each type of a choice has its turn. */
const turns = 12;
const parameters: readonly Published[] = published();
const byUrl = new Map(parameters.map(each => [each.url, each]));
const built = new Map(searchParameters.map(each => [each.url, each]));

/** What a published type of parameter makes of a value of a FHIR type. */
const index: Readonly<Record<string, (type: string, value: unknown) => readonly unknown[]>> = {
  token: indexToken,
  string: indexString,
  date: indexDate,
  reference: indexReference,
  uri: indexUri,
  number: indexQuantity,
  quantity: indexQuantity,
  special: (_, value) => indexPosition(value),
};

/** Where ours is meant to find something else than FHIRPath does. Each takes what it is about from both sides, and must be about something. */
const exceptions: readonly { readonly why: string; of(parameter: Published, found: Found): boolean }[] = [
  {
    why: 'what is contained cannot be named by a search: `resolve() is Patient` does not look into it',
    of: ({ expression }, { value }) => expression!.includes('resolve()') && String((value as { reference?: unknown } | null)?.reference).startsWith('#'),
  },
  { why: 'an element that has extensions only has no value', of: (_, { value }) => value === null },
];
const used = new Set<string>();
const explained = (parameter: Published, found: Found): boolean => {
  const exception = exceptions.find(each => each.of(parameter, found));
  if (exception !== undefined) used.add(exception.why);
  return exception !== undefined;
};

/** The sides of a union. Each is asked by itself: fhirpath.js takes numbers near 0 for equal, and throws where quantities with a comparator are united. */
const arms = (expression: string): readonly string[] => {
  const found = expression.split(' | ');
  const balanced = (text: string): boolean => text.split('(').length === text.split(')').length;
  return found.every(balanced) ? found : [expression];
};
const theirsOf = (expression: string, resource: object): readonly Found[] => arms(expression).flatMap(arm => fhirpathFinds(arm, resource));
/** A backbone has the name of its element with us, and a resource that of its type. */
const named = (type: string): string => (resourceTypes.has(type) ? 'Resource' : type.includes('.') ? 'BackboneElement' : type);
const oursOf = (expression: string, resource: Resource): readonly Found[] =>
  compile<Found>(expression, resource.resourceType, type => (value, into) => void into.push({ type: named(type), value }))(resource);

/** `DocumentReference?relationship` is published with the expressions of its parts the wrong way round (definitions/corrections.ts). */
const componentsOf = ({ url, component = [] }: Published) => {
  const turned = url.endsWith('/DocumentReference-relationship') ? component.map(each => each.expression).reverse() : undefined;
  return component.map(({ definition, expression }, at) => ({ type: byUrl.get(definition)!.type, expression: turned?.[at] ?? expression }));
};
/** Every combination of the parts of each occurrence. */
function compositesOf(parameter: Published, resource: object): readonly unknown[] {
  return arms(parameter.expression!).flatMap(arm =>
    fhirpathFinds(arm, resource).flatMap((_, at) =>
      componentsOf(parameter)
        .map(({ type, expression }) =>
          arms(expression).flatMap(part => fhirpathFinds(`(${arm})[${at}].select(${part})`, resource).flatMap(found => index[type]!(found.type, found.value))),
        )
        .reduce<unknown[][]>((before, values) => before.flatMap(parts => values.map(value => [...parts, value])), [[]])
        .map(parts => ({ kind: 'composite', parts })),
    ),
  );
}

/** A union of FHIRPath drops repeated values, ours does not. */
const asSet = (found: readonly unknown[]): string => [...new Set(found.map(each => JSON.stringify(each)))].sort().join('\n');
const carries = ({ base }: Published, type: string): boolean => base.includes(type) || base.includes('Resource') || base.includes('DomainResource');
const here = (name: string): string => `${name}${examplesAreHere ? '' : ' (skipped: no r4-examples.tar.xz; set KINDRED_DATA to its folder)'}`;

/** What differs, over all pairs of a resource and a parameter that it carries. */
type Compare = (parameter: Published, resource: Resource, copy: object) => readonly [ours: string, theirs: string] | undefined;
function differences(texts: readonly string[], compare: Compare) {
  const found: string[] = [];
  const present = new Set<string>();
  let compared = 0;
  for (const text of texts) {
    const resource = JSON.parse(text) as Resource;
    // fhirpath.js marks what it reads.
    const copy = JSON.parse(text) as object;
    for (const parameter of parameters) {
      if (parameter.expression === undefined || !carries(parameter, resource.resourceType)) continue;
      const sides = compare(parameter, resource, copy);
      if (sides === undefined) continue;
      const [ours, theirs] = sides;
      compared += 1;
      if (theirs !== '') present.add(parameter.url);
      if (ours !== theirs) found.push(`${resource.resourceType}/${resource.id} ${parameter.url}: ${ours} is not ${theirs}`);
    }
  }
  return { found, compared, present };
}
/** The same elements, each of the same type. */
const elements: Compare = (parameter, resource, copy) => {
  const sides = [oursOf(built.get(parameter.url)!.expression, resource), theirsOf(parameter.expression!, copy)] as const;
  return sides.map(side => asSet(side.filter(each => !explained(parameter, each)).map(({ type, value }) => [type, value]))) as [string, string];
};
/** The same index values, composites and all, through the registry. */
const indexValues: Compare = (parameter, resource, copy) => {
  const param = registry.param(resource.resourceType, parameter.code);
  // The labels that are shown are not those that were sent, and sounds are not texts.
  if (param === undefined || parameter.code === '_security' || parameter.code === 'phonetic') return undefined;
  const ours = param.extract({ resource, facets: { confidentiality: 0, sensitivity: [] } } as unknown as Indexed);
  const theirs =
    parameter.type === 'composite'
      ? compositesOf(parameter, copy)
      : theirsOf(parameter.expression!, copy).flatMap(({ type, value }) => index[parameter.type]!(type, value));
  // Where a contained resource is asked for its type (see the exceptions), one of them does not see that something is there.
  const named = (values: readonly IndexValue[]): readonly IndexValue[] => values.filter(value => !(value.kind === 'reference' && value.id === '#'));
  return [asSet(named(ours)), asSet(named(theirs as readonly IndexValue[]))];
};

describe('every search parameter of R4 finds what fhirpath.js finds by the published expression', () => {
  const run = examplesAreHere ? test : test.skip;
  const texts = examplesAreHere ? examples() : [];

  run(
    here('on all examples of HL7, the same elements of the same types'),
    () => {
      used.clear();
      const { found, compared, present } = differences(texts, elements);
      expect(found).toEqual([]);
      expect(compared).toBeGreaterThan(16_000);
      expect(present.size).toBeGreaterThan(1_000);
      expect([...used].sort()).toEqual(exceptions.map(({ why }) => why).sort());
    },
    60_000,
  );
  run(
    here('on all examples of HL7, the same index values'),
    () => {
      const { found, compared, present } = differences(texts, indexValues);
      expect(found).toEqual([]);
      expect(compared).toBeGreaterThan(13_800);
      expect(present.size).toBeGreaterThan(900);
    },
    60_000,
  );
  test('on resources with a value in every element, and none of the parameters finds nothing', () => {
    const full = [...resourceTypes].flatMap(type => Array.from({ length: turns }, (_, turn) => JSON.stringify(fullResource(type, turn))));
    const { found, present } = differences(full, elements);
    expect(found).toEqual([]);
    expect(parameters.filter(({ url, expression }) => expression !== undefined && !present.has(url)).map(({ url }) => url)).toEqual([]);
    expect(differences(full, indexValues).found).toEqual([]);
  }, 60_000);
  test('every published parameter is there for each of its types, save those of the log that nobody asks and those without an expression', () => {
    const missing = parameters.flatMap(({ url, code, base, expression }) => {
      const types = base.includes('Resource') || base.includes('DomainResource') ? resourceTypes : base;
      if (expression === undefined || code === '_id' || code === '_lastUpdated') return [];
      return [...types].filter(type => type !== 'AuditEvent' && registry.definitionOf(registry.param(type, code)!)?.url !== url).map(type => `${type}?${code}`);
    });
    expect(missing).toEqual([]);
  });
});
