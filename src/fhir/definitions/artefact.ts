/** What `build.ts` writes into `r4.json.gz` and `definitions.ts` reads: R4 (4.0.1) without prose, profiles and invariants. */
export interface Artefact {
  readonly types: readonly TypeRow[];
  readonly codeLists: readonly CodeList[];
  readonly targetLists: readonly (readonly string[])[];
  readonly searchParameters: readonly SearchParameterRow[];
  /** For each compartment: type → codes of the search parameters that place a resource in it. */
  readonly compartments: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** By type or backbone: the elements that belong to its summary. */
  readonly summaries: Readonly<Record<string, readonly string[]>>;
}

/** `abstract` types (Resource, Element …) have no instances. */
export type TypeRow = readonly [name: string, kind: 'resource' | 'complex' | 'primitive' | 'backbone', abstract: boolean, elements: readonly ElementRow[]];

/** A max of null is `*`. The last two are positions in `targetLists` and `codeLists`. */
export type ElementRow = readonly [
  name: string,
  min: number,
  max: number | null,
  types: readonly string[],
  targetList?: number | null,
  codeList?: number | null,
];

/** The codes of one value set; `system` where they all come from one. */
export interface CodeList {
  readonly system?: string;
  readonly codes: readonly string[];
}

export type SearchParameterRow = readonly [
  code: string,
  type: string,
  base: readonly string[],
  expression: string,
  targets: readonly string[],
  url: string,
  /** Of a composite: the parameter that each part is like, and where it is. */
  components?: readonly (readonly [definition: string, expression: string])[],
];
