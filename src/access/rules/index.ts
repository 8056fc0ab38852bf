import type { ResourceType } from '../../fhir/types.ts';
import type { Registry } from '../../search/registry.ts';
import type { Rule } from '../decision.ts';
import { policies, policyOf } from '../policies/index.ts';
import { appRule } from './app.ts';
import { provenanceRule } from './provenance.ts';
import { recordRule } from './record.ts';
import { scopeRule } from './scope.ts';

/** The rules for a type, in the order in which they are asked: those for all types that its policy does not silence, then its own. */
export function makeRules(registry: Registry): (type: ResourceType) => readonly Rule[] {
  const common = [scopeRule(registry), recordRule(registry), appRule, provenanceRule];
  const rulesOf = (type: ResourceType): readonly Rule[] => {
    const { silent = [], rules } = policyOf(type);
    return [...common.filter(rule => !silent.includes(rule.id)), ...(rules?.(registry) ?? [])];
  };
  const special = new Map(policies.map(({ type }) => [type, rulesOf(type)]));
  return type => special.get(type) ?? common;
}
