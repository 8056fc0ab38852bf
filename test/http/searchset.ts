import { expect } from '@jest/globals';
import type { Resource } from '../../src/fhir/types.ts';
import type { Client } from './world.ts';

/** The answer to a search, and what tests look at in it. */
export interface Searchset {
  readonly type: string;
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly {
    readonly fullUrl: string;
    readonly resource: Resource & { readonly id: string };
    readonly search: { readonly mode: string };
  }[];
}
export const linkOf = (bundle: Searchset, relation: string): string | undefined => bundle.link.find(link => link.relation === relation)?.url;
/** `Type/id` of the entries, in their order. */
export const namesOf = (bundle: Searchset, mode = 'match'): readonly string[] =>
  (bundle.entry ?? []).filter(entry => entry.search.mode === mode).map(({ resource }) => `${resource.resourceType}/${resource.id}`);

/** The Bundle that a search answers with; anything else fails the test. */
export async function bundleOf(client: Client, query: string): Promise<Searchset> {
  const { status, body } = await client.get(query);
  expect([query, status, body.issue]).toEqual([query, 200, undefined]);
  return body;
}
/** What matches, and what came along, sorted. */
export const found = async (client: Client, query: string): Promise<readonly string[]> => [...namesOf(await bundleOf(client, query))].sort();
export const included = async (client: Client, query: string): Promise<readonly string[]> => [...namesOf(await bundleOf(client, query), 'include')].sort();
/** Code and words of a refusal with 400. */
export async function refusal(client: Client, query: string): Promise<{ readonly code: string; readonly text: string }> {
  const { status, body } = await client.get(query);
  expect([query, status, body.resourceType]).toEqual([query, 400, 'OperationOutcome']);
  return { code: body.issue[0].code, text: body.issue[0].diagnostics };
}
/** Stores them all, in one transaction. */
export async function store(client: Client, resources: readonly object[]): Promise<void> {
  const entry = (resources as readonly { readonly resourceType: string; readonly id: string }[]).map(resource => ({
    resource,
    request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
  }));
  const { status, body } = await client.post('', { resourceType: 'Bundle', type: 'transaction', entry });
  expect([status, body.issue]).toEqual([200, undefined]);
}
export const to = (reference: string): { readonly reference: string } => ({ reference });
