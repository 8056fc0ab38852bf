/** What `npm run definitions` keeps of R4's value sets and code systems: what tells which codes they have, and nothing that is only read by people. */
import type { CodeSystem, Concept, Include, ValueSet } from '../terminology/sources.ts';

/** The definition without prose. Value sets keep their compose; all of R4's have one. */
export function stripped(definition: CodeSystem | ValueSet): CodeSystem | ValueSet {
  const { url, version } = definition;
  if (definition.resourceType === 'ValueSet') {
    const { include = [], exclude } = definition.compose ?? {};
    return { resourceType: 'ValueSet', url, version, compose: { include: include.map(part), exclude: exclude?.map(part) } } as ValueSet;
  }
  const { content, hierarchyMeaning, property, concept } = definition;
  const kept = (property ?? []).filter(({ type }) => type === 'code' || type === 'boolean').map(({ code, uri, type }) => ({ code, uri, type }));
  return {
    resourceType: 'CodeSystem',
    url,
    version,
    content,
    hierarchyMeaning,
    ...(kept.length === 0 ? {} : { property: kept }),
    ...(content === 'complete' ? { concept: concept?.map(bare) } : {}),
  } as CodeSystem;
}

const part = ({ system, version, concept, filter, valueSet }: Include): object => ({
  system,
  version,
  concept: concept?.map(({ code }) => ({ code })),
  filter: filter?.map(({ property, op, value }) => ({ property, op, value })),
  valueSet,
});

function bare({ code, property = [], concept }: Concept): object {
  const said = property.filter(({ valueCode, valueBoolean }) => (valueCode ?? valueBoolean) !== undefined);
  return { code, ...(said.length === 0 ? {} : { property: said }), concept: concept?.map(bare) };
}
