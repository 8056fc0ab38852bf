import { resourceTypes } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceKey, ResourceType } from '../fhir/types.ts';
import { typesWithin } from './compartment.ts';
import type { Pairs } from './parse.ts';

/** Where a search is sent (http://hl7.org/fhir/R4/search.html#searching): to a type, to a compartment, to one of its types, or to the whole server. */
export interface Place {
  /** Absent: `_type` says which. */
  readonly type?: ResourceType;
  /** Whose compartment. */
  readonly within?: ResourceKey;
}
/** What is searched. `whichever`: the client named none of the types, so that one which it may not search is left out. */
export interface Searched {
  readonly types: readonly ResourceType[];
  readonly whichever: boolean;
}

/** Address and `_type` → the types. Throws where they contradict each other, or name none. */
export function searchedIn({ type, within }: Place, parameters: Pairs): Searched {
  const named = namedTypes(parameters);
  if (type !== undefined) {
    const other = named?.find(each => each !== type);
    if (other !== undefined)
      throw new Problem('invalid', `\`_type=${other}\`: the search is sent to ${type}; send it to the whole server to search other types`);
    return { types: [type], whichever: false };
  }
  if (named !== undefined) return { types: named, whichever: false };
  if (within !== undefined) return { types: typesWithin(within.type), whichever: true };
  throw new Problem('required', 'a search of the whole server needs `_type`, as in `?_type=Observation,Condition`');
}

function namedTypes(parameters: Pairs): readonly ResourceType[] | undefined {
  const value = parameters.find(([name]) => name === '_type')?.[1];
  if (value === undefined) return undefined;
  const types = [...new Set(value.split(','))];
  const strange = types.find(each => !resourceTypes.has(each));
  if (strange !== undefined) throw new Problem('value', `\`_type=${value.slice(0, 200)}\`: \`${strange.slice(0, 80)}\` is not a resource type`);
  return types;
}
