import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';

/** A value as fhirpath.js finds it, with its FHIR type (`Resource` for any resource). */
export interface Found {
  readonly type: string;
  readonly value: unknown;
}
interface Node {
  readonly data: unknown;
  getTypeInfo(): { readonly namespace: string; readonly name: string };
}

/**
 * `as` takes one item to the letter of FHIRPath, and throws for more: what R4 means by it is `ofType`. `DateTime` is FHIRPath's own type where FHIR's
 * `dateTime` is meant.
 */
const meant = (expression: string): string =>
  expression
    .replaceAll(/\(([A-Za-z.]+) as ([A-Za-z]+)\)/g, '$1.ofType($2)')
    .replaceAll(/\.as\(([A-Za-z]+)\)/g, '.ofType($1)')
    .replaceAll('ofType(DateTime)', 'ofType(dateTime)');

/** `resolve()` without a network: what is contained, else an empty resource of the type that the text or the `type` of the reference names. */
const userInvocationTable = {
  resolve: {
    internalStructures: true,
    arity: { 0: [] },
    fn(this: { dataRoot: Node[] }, nodes: (Node & { constructor: { makeResNode(...more: unknown[]): Node } })[]) {
      return nodes.flatMap(node => {
        const { data } = node;
        const reference = typeof data === 'string' ? data : (data as { reference?: string } | null)?.reference;
        const [, named] = /(?:^|\/)([A-Z][A-Za-z]+)\/[A-Za-z0-9\-.]{1,64}(?:\/_history\/.+)?$/.exec(reference ?? '') ?? [];
        const root = this.dataRoot[0]?.data as { contained?: { id?: string }[] } | undefined;
        const contained = reference?.startsWith('#') ? root?.contained?.find(({ id }) => id === reference.slice(1)) : undefined;
        const type = named ?? (data as { type?: string } | null)?.type;
        const resource = contained ?? (type === undefined ? undefined : { resourceType: type });
        return resource === undefined ? [] : [node.constructor.makeResNode(this, resource, null, null, null, null)];
      });
    },
  },
};

type Evaluate = (resource: object, variables: object) => unknown[];
const compiled = new Map<string, Evaluate>();

/** What fhirpath.js finds in a resource, which it marks: give it a copy of its own. */
export function fhirpathFinds(expression: string, resource: object): readonly Found[] {
  const written = meant(expression);
  let evaluate = compiled.get(written);
  if (evaluate === undefined) {
    evaluate = fhirpath.compile(written, r4, { resolveInternalTypes: false, userInvocationTable } as object) as unknown as Evaluate;
    compiled.set(written, evaluate);
  }
  return evaluate(resource, { resource }).map(found => {
    if (typeof found === 'boolean') return { type: 'boolean', value: found };
    const node = found as Node;
    const value = JSON.parse(JSON.stringify(node.data, (key, member) => (key === '__path__' ? undefined : member)) ?? 'null') as unknown;
    const isResource = typeof value === 'object' && value !== null && 'resourceType' in value;
    const { namespace, name } = node.getTypeInfo();
    // The snapshots give the id of a resource a type of FHIRPath.
    return { type: isResource ? 'Resource' : namespace === 'System' && name === 'String' ? 'id' : name, value };
  });
}
