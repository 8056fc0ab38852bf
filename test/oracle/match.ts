import { type Data, type Json, nameOf } from './data.ts';
import { at, atAny, codesAt, folded, momentsIn, momentsOf, partOf, passesDate, passesNumber, passesQuantity, prefixed, referencesAt, textsAt } from './walk.ts';

/** Whether a search finds a resource. */
export type Match = (resource: Json, data: Data) => boolean;
type Paths = string | readonly string[];
const list = (paths: Paths): readonly string[] => (typeof paths === 'string' ? [paths] : paths);

export const both =
  (...matches: readonly Match[]): Match =>
  (resource, data) =>
    matches.every(match => match(resource, data));
export const either =
  (...matches: readonly Match[]): Match =>
  (resource, data) =>
    matches.some(match => match(resource, data));
export const no =
  (match: Match): Match =>
  (resource, data) =>
    !match(resource, data);
export const every: Match = () => true;
export const there =
  (paths: Paths): Match =>
  resource =>
    atAny(resource, list(paths)).length > 0;
export const ids =
  (...wanted: readonly string[]): Match =>
  ({ id }) =>
    wanted.includes(id);

export const starts =
  (paths: Paths, text: string): Match =>
  resource =>
    textsAt(resource, list(paths)).some(each => folded(each).startsWith(folded(text)));
export const contains =
  (paths: Paths, text: string): Match =>
  resource =>
    textsAt(resource, list(paths)).some(each => folded(each).includes(folded(text)));
export const exact =
  (paths: Paths, text: string): Match =>
  resource =>
    textsAt(resource, list(paths)).includes(text);

/** `system` absent: any; '': none. */
export const code =
  (paths: Paths, wanted: string | undefined, system?: string): Match =>
  resource =>
    list(paths).some(path =>
      codesAt(resource, path).some(
        each => each.code !== undefined && (wanted === undefined || each.code === wanted) && (system === undefined || (each.system ?? '') === system),
      ),
    );
/** An Identifier, or with a ContactPoint its value. */
export const value =
  (paths: Paths, wanted: string, system?: string): Match =>
  resource =>
    atAny(resource, list(paths)).some(each => partOf(each).value === wanted && (system === undefined || (partOf(each).system ?? '') === system));
/** What a code is called. */
export const called =
  (path: string, text: string): Match =>
  resource =>
    at(resource, path).some(concept => [...at(concept, 'text'), ...at(concept, 'coding.display')].some(each => folded(String(each)).startsWith(folded(text))));

export const refers =
  (paths: Paths, ...names: readonly string[]): Match =>
  resource =>
    list(paths).some(path => referencesAt(resource, path).some(each => names.includes(each.replace(/\/_history\/.*$/, ''))));
/** To a resource of the type (of any) that matches. */
export const via =
  (paths: Paths, match: Match, type?: string): Match =>
  (resource, data) =>
    list(paths).some(path =>
      referencesAt(resource, path).some(each => {
        const far = data.named.get(each.replace(/\/_history\/.*$/, ''));
        return far !== undefined && (type === undefined || far.resourceType === type) && match(far, data);
      }),
    );
/** Some resource of the type that matches refers to it. */
export function hasOf(type: string, paths: Paths, match: Match): Match {
  let found: { readonly of: Data; readonly names: ReadonlySet<string> } | undefined;
  return (resource, data) => {
    if (found?.of !== data) {
      const from = (data.types.get(type) ?? []).filter(each => match(each, data));
      found = {
        of: data,
        names: new Set(from.flatMap(each => list(paths).flatMap(path => referencesAt(each, path).map(one => one.replace(/\/_history\/.*$/, ''))))),
      };
    }
    return found.names.has(nameOf(resource));
  };
}

export const date =
  (paths: Paths, text: string): Match =>
  resource => {
    const [prefix, rest] = prefixed(text);
    return atAny(resource, list(paths)).some(each => momentsIn(each).some(moments => passesDate(prefix, moments, momentsOf(rest))));
  };
export const quantity =
  (paths: Paths, text: string): Match =>
  resource =>
    atAny(resource, list(paths)).some(each => passesQuantity(each, text));
export const number =
  (paths: Paths, text: string): Match =>
  resource =>
    atAny(resource, list(paths)).some(each => passesNumber(each, text));
/** Each part of one of the values at the path, '' for the resource itself. */
export const together =
  (paths: Paths, ...matches: readonly Match[]): Match =>
  (resource, data) =>
    atAny(resource, list(paths)).some(each => matches.every(match => match(each as Json, data)));
