/** What is read of R4's ValueSet (http://hl7.org/fhir/R4/valueset.html) and CodeSystem (http://hl7.org/fhir/R4/codesystem.html). */
export interface ValueSet {
  readonly resourceType: 'ValueSet';
  readonly url?: string;
  readonly version?: string;
  readonly compose?: { readonly include?: readonly Include[]; readonly exclude?: readonly Include[] };
  readonly expansion?: Expansion;
}
export interface Include {
  readonly system?: string;
  readonly version?: string;
  readonly concept?: readonly { readonly code?: string }[];
  readonly filter?: readonly Filter[];
  /** Null where there is only an extension. */
  readonly valueSet?: readonly (string | null)[];
}
export interface Filter {
  readonly property: string;
  readonly op: string;
  readonly value: string;
}
export interface Expansion {
  readonly total?: number;
  readonly offset?: number;
  readonly parameter?: readonly { readonly name: string }[];
  readonly contains?: readonly Contained[];
  readonly extension?: readonly { readonly url?: string }[];
}
export interface Contained {
  readonly system?: string;
  readonly code?: string;
  readonly abstract?: boolean;
  readonly contains?: readonly Contained[];
}
export interface CodeSystem {
  readonly resourceType: 'CodeSystem';
  readonly url?: string;
  readonly version?: string;
  readonly content?: string;
  readonly hierarchyMeaning?: string;
  readonly property?: readonly { readonly code?: string; readonly uri?: string; readonly type?: string }[];
  readonly concept?: readonly Concept[];
}
export interface Concept {
  readonly code?: string;
  readonly property?: readonly ConceptProperty[];
  readonly concept?: readonly Concept[];
}
export interface ConceptProperty {
  readonly code?: string;
  readonly valueCode?: string;
  readonly valueString?: string;
  readonly valueBoolean?: boolean;
  readonly valueInteger?: number;
}

/** Where value sets and code systems come from, by their canonicals (`url` or `url|version`); undefined: it is not there. */
export interface Sources {
  valueSet(canonical: string): ValueSet | undefined;
  codeSystem(canonical: string): CodeSystem | undefined;
}

export const versioned = (url: string, version: string | undefined): string => (version === undefined ? url : `${url}|${version}`);

/** The parts of a canonical (http://hl7.org/fhir/R4/references.html#canonical). */
export function partsOf(canonical: string): { readonly url: string; readonly version?: string } {
  const bar = canonical.indexOf('|');
  return bar < 0 ? { url: canonical } : { url: canonical.slice(0, bar), version: canonical.slice(bar + 1) };
}

/** Sources that are all at hand. Of two with one url the later counts. */
export function sourcesOf(definitions: readonly (ValueSet | CodeSystem)[]): Sources {
  const found = new Map(definitions.map(definition => [`${definition.resourceType} ${definition.url}`, definition]));
  const find = (type: string, canonical: string): ValueSet | CodeSystem | undefined => {
    const { url, version } = partsOf(canonical);
    const definition = found.get(`${type} ${url}`);
    return version === undefined || definition?.version === version ? definition : undefined;
  };
  return {
    valueSet: canonical => find('ValueSet', canonical) as ValueSet | undefined,
    codeSystem: canonical => find('CodeSystem', canonical) as CodeSystem | undefined,
  };
}

/** Everything that the codes of a value set may depend on, one step away. */
export function citedBy({ compose }: ValueSet): { readonly valueSets: readonly string[]; readonly codeSystems: readonly string[] } {
  const parts = [...(compose?.include ?? []), ...(compose?.exclude ?? [])];
  return {
    valueSets: parts.flatMap(({ valueSet = [] }) => valueSet.filter(canonical => canonical !== null)),
    codeSystems: parts.flatMap(({ system, version }) => (system === undefined ? [] : [versioned(system, version)])),
  };
}
