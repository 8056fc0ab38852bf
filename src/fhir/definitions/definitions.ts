import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Artefact, ElementRow } from './artefact.ts';

export interface ElementDef {
  /** As the specification writes it: `value[x]` for a choice. */
  readonly name: string;
  readonly min: number;
  /** Infinity for `*`. */
  readonly max: number;
  /** Type codes. A backbone or a reference to another element's content has one: the path of its TypeDef, such as `Patient.contact`. */
  readonly types: readonly string[];
  readonly choice: boolean;
  /** Resource types that a Reference may point to; absent: any. */
  readonly targets?: readonly string[];
  /** The codes of a required binding, where they can be listed. */
  readonly codes?: ReadonlySet<string>;
  /** The system of all these codes, where it is one. */
  readonly system?: string;
}

export interface TypeDef {
  readonly name: string;
  readonly kind: 'resource' | 'complex' | 'primitive' | 'backbone';
  /** By property as in JSON: each type of a choice is a property (`valueQuantity`, `valueString`) with the same ElementDef. Inherited ones included. */
  readonly elements: ReadonlyMap<string, ElementDef>;
}

export interface SearchParameterDef {
  readonly code: string;
  readonly type: 'number' | 'date' | 'string' | 'token' | 'reference' | 'composite' | 'quantity' | 'uri' | 'special';
  /** `Resource` and `DomainResource` among them. */
  readonly base: readonly string[];
  /** FHIRPath, with `ofType` wherever R4 says `as`; '' for `_text`, `_content` and `_query`. */
  readonly expression: string;
  readonly targets: readonly string[];
  readonly url: string;
  /** Of a composite: the parameter (its `url`) that each part is like, and an expression for it from what `expression` yields. */
  readonly components: readonly { readonly definition: string; readonly expression: string }[];
}

/** A property of a type together with the one type that its values have. */
export interface TypedElement {
  readonly def: ElementDef;
  readonly type: string;
}

const artefact: Artefact = JSON.parse(gunzipSync(readFileSync(new URL('./r4.json.gz', import.meta.url))).toString('utf8'));
const rows = new Map(artefact.types.map(row => [row[0], row]));
const typeDefs = new Map<string, TypeDef>();
const typedElements = new Map<string, ReadonlyMap<string, TypedElement>>();
const codeSets: ReadonlySet<string>[] = [];

function elementDef([name, min, max, types, targets, codes]: ElementRow): ElementDef {
  const list = codes == null ? undefined : artefact.codeLists[codes]!;
  if (codes != null) codeSets[codes] ??= new Set(list!.codes);
  return {
    name,
    min,
    max: max ?? Number.POSITIVE_INFINITY,
    types,
    choice: name.endsWith('[x]'),
    ...(targets == null ? {} : { targets: artefact.targetLists[targets]! }),
    ...(list === undefined ? {} : { codes: codeSets[codes!]! }),
    ...(list?.system === undefined ? {} : { system: list.system }),
  };
}

/** Built when first asked for: a server uses a fraction of R4. */
function elementsOf(name: string): ReadonlyMap<string, TypedElement> | undefined {
  const known = typedElements.get(name);
  const row = rows.get(name);
  if (known || !row) return known;
  const elements = new Map<string, TypedElement>();
  for (const element of row[3]) {
    const def = elementDef(element);
    if (!def.choice) elements.set(def.name, { def, type: def.types[0]! });
    else for (const type of def.types) elements.set(def.name.slice(0, -3) + type.charAt(0).toUpperCase() + type.slice(1), { def, type });
  }
  typedElements.set(name, elements);
  return elements;
}

/** The concrete resource types of R4. */
export const resourceTypes: ReadonlySet<string> = new Set(
  artefact.types.filter(([, kind, abstract]) => kind === 'resource' && !abstract).map(([name]) => name),
);

/** The definition of a resource type, data type or backbone: `Patient`, `HumanName`, `Patient.contact`, `date`. */
export function typeOf(name: string): TypeDef | undefined {
  const known = typeDefs.get(name);
  const elements = elementsOf(name);
  if (known || !elements) return known;
  const def: TypeDef = { name, kind: rows.get(name)![1], elements: new Map([...elements].map(([property, { def }]) => [property, def])) };
  typeDefs.set(name, def);
  return def;
}

/** The element that a JSON property of a type is, and the type of its values: `elementOf('Observation', 'valueQuantity')` has type `Quantity`. */
export const elementOf = (type: string, property: string): TypedElement | undefined => elementsOf(type)?.get(property);

/** HL7's search parameters of R4. */
export const searchParameters: readonly SearchParameterDef[] = artefact.searchParameters.map(
  ([code, type, base, expression, targets, url, components = []]) => ({
    code,
    type: type as SearchParameterDef['type'],
    base,
    expression,
    targets,
    url,
    components: components.map(([definition, expression]) => ({ definition, expression })),
  }),
);

/** http://hl7.org/fhir/R4/compartmentdefinition.html: for each compartment, type → codes of the search parameters that place a resource in it. */
export const compartments: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> = new Map(
  Object.entries(artefact.compartments).map(([code, types]) => [code, new Map(Object.entries(types))]),
);
export const patientCompartment = compartments.get('Patient')!;

/** The elements of the summary of a type or backbone (http://hl7.org/fhir/R4/search.html#summary), as the specification names them: `value[x]`. */
export const summaryOf = (type: string): readonly string[] => artefact.summaries[type] ?? [];
