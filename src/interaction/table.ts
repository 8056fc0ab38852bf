import { compartments, resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceType } from '../fhir/types.ts';
import { isLenient } from './address.ts';
import { isId } from './body.ts';
import type { FhirRequest, Method } from './interaction.ts';

/** FHIR's codes of what can be asked: http://hl7.org/fhir/R4/valueset-restful-interaction.html */
export type Code =
  | 'capabilities'
  | 'batch'
  | 'search-type'
  | 'search-system'
  | 'create'
  | 'read'
  | 'update'
  | 'delete'
  | 'history-instance'
  | 'vread'
  | 'reindex'
  | 'who-can-see'
  | 'preview';

interface Row {
  readonly code: Code;
  readonly method: Method;
  /** `type`, `compartment`, `id` and `version` stand for what they say; the rest for itself. */
  readonly path: readonly string[];
  /** Those it takes besides the general ones; `own`: it reads them itself. */
  readonly parameters?: 'own' | readonly string[];
}
/** Which part of a resource is wanted: http://hl7.org/fhir/R4/search.html#summary */
const parts = ['_summary', '_elements'] as const;
/** Every interaction, one line each: routing and the CapabilityStatement follow from it. */
export const table: readonly Row[] = [
  { code: 'capabilities', method: 'GET', path: ['metadata'] },
  { code: 'search-system', method: 'GET', path: [], parameters: 'own' },
  { code: 'batch', method: 'POST', path: [] },
  { code: 'search-system', method: 'POST', path: ['_search'], parameters: 'own' },
  { code: 'reindex', method: 'POST', path: ['$reindex'] },
  { code: 'reindex', method: 'GET', path: ['$reindex', 'id'] },
  { code: 'search-type', method: 'GET', path: ['type'], parameters: 'own' },
  { code: 'search-type', method: 'POST', path: ['type', '_search'], parameters: 'own' },
  { code: 'create', method: 'POST', path: ['type'] },
  { code: 'read', method: 'GET', path: ['type', 'id'], parameters: parts },
  { code: 'update', method: 'PUT', path: ['type', 'id'] },
  { code: 'delete', method: 'DELETE', path: ['type', 'id'] },
  { code: 'history-instance', method: 'GET', path: ['type', 'id', '_history'], parameters: 'own' },
  { code: 'vread', method: 'GET', path: ['type', 'id', '_history', 'version'], parameters: parts },
  // http://hl7.org/fhir/R4/operations.html: profiles/OperationDefinition-*.json
  { code: 'who-can-see', method: 'GET', path: ['Patient', 'id', '$who-can-see'] },
  { code: 'preview', method: 'GET', path: ['Consent', 'id', '$preview'] },
  // http://hl7.org/fhir/R4/compartmentdefinition.html
  { code: 'search-system', method: 'GET', path: ['compartment', 'id', '*'], parameters: 'own' },
  { code: 'search-system', method: 'POST', path: ['compartment', 'id', '_search'], parameters: 'own' },
  { code: 'search-system', method: 'POST', path: ['compartment', 'id', '*', '_search'], parameters: 'own' },
  { code: 'search-type', method: 'GET', path: ['compartment', 'id', 'type'], parameters: 'own' },
  { code: 'search-type', method: 'POST', path: ['compartment', 'id', 'type', '_search'], parameters: 'own' },
];

/** The operations on one resource of a type. */
export const operationsOf = (type: ResourceType): readonly Code[] =>
  table.filter(({ path }) => path[0] === type && path.at(-1)!.startsWith('$')).map(({ code }) => code);

/** What a path part must be; says what is wrong with it. */
const placeholders: Readonly<Record<string, (text: string) => Problem | undefined>> = {
  type: text =>
    resourceTypes.has(text)
      ? undefined
      : new Problem(
          'not-found',
          text.startsWith('$') ? `the operation \`${text.slice(0, 80)}\` is not supported` : `\`${text.slice(0, 80)}\` is not a resource type of FHIR R4`,
        ),
  // Whatever has none, has nothing there (`fits`).
  compartment: () => undefined,
  id: text =>
    isId(text)
      ? undefined
      : new Problem(
          'value',
          text.startsWith('$')
            ? `the operation \`${text.slice(0, 80)}\` is not supported`
            : `\`${text.slice(0, 80)}\` is no id: 1 to 64 letters, digits, dots and dashes`,
        ),
  version: text => (isId(text) ? undefined : new Problem('value', `\`${text.slice(0, 80)}\` is no version id`)),
};
const fits = (row: Row, path: readonly string[]): boolean =>
  row.path.length === path.length &&
  row.path.every((part, index) => (part === 'compartment' ? compartments.has(path[index]!) : part in placeholders || part === path[index]));

export interface Routed {
  readonly code: Code;
  /** Absent: the whole server. */
  readonly type?: ResourceType;
}

/**
 * Method and path → the interaction, before any body is read.
 * Throws Problem 'not-found' (no such type or address), 'value' (an id that cannot be one), 'not-allowed' (405 with Allow) or 'invalid' (a parameter that
 * the interaction does not know, unless the client prefers lenient handling).
 */
export function route({ method, path, query, headers }: Omit<FhirRequest, 'body'>): Routed {
  const rows = table.filter(row => fits(row, path)).sort((a, b) => literals(b) - literals(a));
  const [closest] = rows;
  if (closest === undefined) throw new Problem('not-found', `there is nothing at \`${path.join('/').slice(0, 120)}\``);
  for (const [index, part] of closest.path.entries()) {
    const problem = placeholders[part]?.(path[index]!);
    if (problem !== undefined) throw problem;
  }
  const row = rows.find(one => one.method === method && literals(one) === literals(closest));
  if (row === undefined)
    throw notAllowed(
      method,
      path,
      rows.filter(one => literals(one) === literals(closest)).map(one => one.method),
    );
  const taken = row.parameters === 'own' ? undefined : [...general, ...(row.parameters ?? [])];
  const strange = isLenient(headers.prefer) ? undefined : query.find(([name]) => taken?.includes(name) === false)?.[0];
  if (strange !== undefined)
    throw new Problem(
      'invalid',
      `${method} at \`${path.join('/').slice(0, 120)}\` knows no parameter \`${strange.slice(0, 80)}\`; it knows ${taken!.join(', ')}`,
    );
  const at = row.path.indexOf('type');
  return { code: row.code, ...(at < 0 ? {} : { type: path[at]! }) };
}
/** http://hl7.org/fhir/R4/http.html#parameters */
const general: readonly string[] = ['_format', '_pretty'];
const literals = (row: Row): number => row.path.filter(part => !(part in placeholders)).length;

/** 405, with the methods that are there. */
export const notAllowed = (method: string, path: readonly string[], allowed: readonly string[]): Problem =>
  new Problem(
    'not-allowed',
    `${method} is not possible at \`${path.join('/').slice(0, 120)}\`${allowed.length > 0 ? `; ${[...new Set(allowed)].join(', ')} is` : ''}`,
    { headers: { Allow: [...new Set(allowed)].join(', ') } },
  );
