import { compartments } from '../fhir/definitions/definitions.ts';
import { Problem } from '../fhir/problem.ts';
import type { ResourceKey, ResourceType } from '../fhir/types.ts';
import { ref } from './facets.ts';
import { and, or, type Predicate, type SearchParam } from './query.ts';
import type { Registry } from './registry.ts';

/** The types of which something can be in a compartment of this kind, its own among them (http://hl7.org/fhir/R4/compartmentdefinition.html). */
export const typesWithin = (kind: ResourceType): readonly ResourceType[] => [...new Set([kind, ...(compartments.get(kind)?.keys() ?? [])])].sort();

/**
 * What of the type is in the compartment: whatever refers to it through one of the parameters that the definition names, and what the compartment is called
 * after. Whether that is there makes no difference. Throws for a type that is never in it.
 */
export function within(compartment: ResourceKey, type: ResourceType, registry: Registry): Predicate {
  if (!typesWithin(compartment.type).includes(type))
    throw new Problem('invalid', `nothing of type ${type} is in the compartment of a ${compartment.type} (http://hl7.org/fhir/R4/compartmentdefinition.html)`);
  // `{def}` stands for the resource itself.
  const codes = (compartments.get(compartment.type)?.get(type) ?? []).filter(code => code !== '{def}');
  const params = codes.map(code => registry.param(type, code)!);
  const itself: Predicate[] = type === compartment.type ? [{ op: 'keys', keys: [compartment] }] : [];
  return or(...itself, referring(params, [compartment]));
}

/** That one of the parameters refers to one of these. Of several, the facet for all of them is what an index finds first. */
export function referring(params: readonly SearchParam[], to: readonly ResourceKey[]): Predicate {
  const through = (param: SearchParam): Predicate => ({
    op: 'some',
    param,
    test: { anyOf: to.map(({ type, id }) => ({ kind: 'reference', type, id })) },
  });
  return params.length === 1 ? through(params[0]!) : and(through(ref), or(...params.map(through)));
}
