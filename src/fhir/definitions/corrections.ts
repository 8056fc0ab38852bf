/**
 * Where the published definitions of R4 cannot be used as they are. Each line was looked at; whoever adds one says why.
 * Invariants will need more (que-7, bdl-8, ras-2, eld-16, eld-19) when they are checked.
 */

/** SearchParameters in the package that are not HL7's. */
export const foreignSearchParameters: ReadonlySet<string> = new Set([
  'https://medplum.com/fhir/SearchParameter/Project-name',
  'https://medplum.com/fhir/SearchParameter/JsonWebKey-active',
  'https://medplum.com/fhir/SearchParameter/User-email',
]);

/**
 * `Observation.component.value as Quantity` is an error in FHIRPath as soon as there are two components (`as` takes one item);
 * what R4 means by it is `ofType`.
 */
export const correctExpression = (expression: string): string =>
  expression.replace(/\(([A-Za-z.]+) as ([A-Za-z]+)\)/g, '$1.ofType($2)').replace(/\.as\(([A-Za-z]+)\)/g, '.ofType($1)');

/**
 * The parts of `DocumentReference?relationship` have their expressions the wrong way round: what it relates to is the target, how it does is the code. And
 * `DateTime`, the type of FHIRPath, stands for FHIR's `dateTime`.
 */
export function correctComponents<T extends { readonly expression: string }>(url: string, components: readonly T[]): readonly T[] {
  const expressions = components.map(({ expression }) => expression.replace('(DateTime)', '(dateTime)'));
  if (url === 'http://hl7.org/fhir/SearchParameter/DocumentReference-relationship') expressions.reverse();
  return components.map((component, at) => ({ ...component, expression: expressions[at]! }));
}

/**
 * The type of an element. The snapshots of 4.0.1 say that the id of a resource is a `string`; http://hl7.org/fhir/R4/resource.html#id
 * and the regular expression there make it an `id`. That of `xhtml` has a type of FHIRPath where all others have one of FHIR.
 */
export function correctType(path: string, kind: string, type: string): string {
  if (type === 'http://hl7.org/fhirpath/System.String') return 'string';
  return kind === 'resource' && type === 'string' && /^[A-Za-z]+\.id$/.test(path) ? 'id' : type;
}
