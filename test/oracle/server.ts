import type { Running } from '../../src/cli/command.ts';
import { printBody } from '../../src/interaction/print.ts';
import { serve } from '../../src/serve.ts';
import { configWith } from '../http/world.ts';
import { type Json, nameOf } from './data.ts';

/** A page of a searchset. */
export interface Page {
  readonly total: number | undefined;
  readonly matches: readonly Json[];
  readonly included: readonly Json[];
  readonly next: string | undefined;
  readonly previous: string | undefined;
}
export interface Given extends Running {
  readonly base: string;
  /** A moment before the last turn and after the others. */
  readonly between: string;
  /** What was given, under the ids that it has now. */
  readonly turns: readonly (readonly Json[])[];
}

/** An open server with these resources, turn by turn: each of them is one commit of thousands, for which some stores need a while. */
export async function serverWith(turns: readonly (readonly Json[])[]): Promise<Given> {
  const running = await serve(configWith({ KINDRED_AUTH: 'off', KINDRED_AUDIT: 'off', KINDRED_STORE_TIMEOUT: '120', KINDRED_QUERY_TIME: '60' }));
  const given: (readonly Json[])[] = [];
  let between = '';
  try {
    for (const resources of turns) {
      await new Promise(done => setTimeout(done, 5));
      if (given.length === turns.length - 1) between = new Date().toISOString();
      await new Promise(done => setTimeout(done, 5));
      given.push(await give(running, resources));
    }
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { ...running, base: `${running.url}/fhir`, between, turns: given };
}

/** Each under its id, but for Provenances: those get one from the server. */
async function give({ app }: Running, resources: readonly Json[]): Promise<readonly Json[]> {
  const entry = resources.map(resource => {
    const { resourceType, id: _id, ...rest } = resource;
    if (resourceType === 'Provenance') return { resource: { resourceType, ...rest }, request: { method: 'POST', url: resourceType } };
    return { resource, request: { method: 'PUT', url: nameOf(resource) } };
  });
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  const answer = await app.run({ method: 'POST', path: [], query: [], headers: {}, body: bundle as unknown as Json }, app.open);
  const { entry: answers } = JSON.parse(Buffer.from(printBody(answer.body!)).toString('utf8')) as { entry: { response: { location: string } }[] };
  return resources.map((resource, index) => {
    if (resource.resourceType !== 'Provenance') return resource;
    return { ...resource, id: /Provenance\/([^/]+)/.exec(answers[index]!.response.location)![1]! };
  });
}

interface Searchset {
  readonly resourceType: string;
  readonly total?: number;
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
  readonly entry?: readonly { readonly fullUrl: string; readonly resource: Json; readonly search: { readonly mode: string } }[];
}
/** One page, at a whole address; by POST where parameters are given for the body. */
export async function pageAt(url: string, posted?: string): Promise<Page> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const response = await fetch(url, posted === undefined ? {} : { method: 'POST', headers, body: posted });
  const body = (await response.json()) as Searchset;
  if (response.status !== 200 || body.resourceType !== 'Bundle') throw new Error(`${url} was answered ${response.status}: ${JSON.stringify(body)}`);
  const of = (mode: string): readonly Json[] => (body.entry ?? []).filter(({ search }) => search.mode === mode).map(({ resource }) => resource);
  const to = (relation: string): string | undefined => body.link?.find(each => each.relation === relation)?.url;
  return { total: body.total, matches: of('match'), included: of('include'), next: to('next'), previous: to('previous') };
}
/** All pages, by the links. */
export async function pagesFrom(url: string, relation: 'next' | 'previous' = 'next'): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (let next: string | undefined = url; next !== undefined; next = pages.at(-1)![relation]) {
    pages.push(await pageAt(next));
    if (pages.length > 200) throw new Error(`${url} has no end`);
  }
  return pages;
}
