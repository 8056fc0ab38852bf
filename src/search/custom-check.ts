import { resourceTypes, type SearchParameterDef } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';
import type { Found } from './custom.ts';
import { names } from './custom-meaning.ts';
import { typesOf } from './params.ts';

/** A SearchParameter whose shape is right. */
export interface Candidate {
  /** File and parameter, for people. */
  readonly name: string;
  readonly definition: SearchParameterDef;
  readonly derivedFrom: string | undefined;
}

const texts = ['string', 'markdown', 'code', 'id', 'uri', 'url', 'canonical', 'oid', 'uuid'];
const numbers = ['integer', 'positiveInt', 'unsignedInt', 'decimal', 'Quantity', 'Age', 'Count', 'Distance', 'Duration', 'Money', 'Range', 'SampledData'];
/** What each type of parameter is made of (http://hl7.org/fhir/R4/search.html#table). */
const madeOf: Readonly<Partial<Record<SearchParameterDef['type'], readonly string[]>>> = {
  token: ['CodeableConcept', 'Coding', 'Identifier', 'ContactPoint', 'boolean', ...texts],
  string: ['HumanName', 'Address', ...texts],
  date: ['date', 'dateTime', 'instant', 'Period', 'Timing'],
  reference: ['Reference', 'canonical', 'uri', 'url', 'Resource'],
  uri: ['uri', 'url', 'canonical', 'oid', 'uuid'],
  number: numbers,
  quantity: numbers,
};
const kinds = [...Object.keys(madeOf), 'composite'];
/** Found by what its readers ask, and by nothing else (registry.ts). */
const closed: ReadonlySet<ResourceType> = new Set(['AuditEvent']);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const textsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter(isText) : []);
const quoted = (value: unknown): string => `\`${String(JSON.stringify(value) ?? 'nothing').slice(0, 80)}\``;

/** The members of a SearchParameter that count, or all that is wrong with their shape. */
export function readParameter({
  file,
  resource,
}: Found): { readonly candidate: Candidate } | { readonly skipped: string } | { readonly mistakes: readonly string[] } {
  const { url, code, type, status, expression, derivedFrom } = resource;
  const name = `${file}: SearchParameter \`${[code, resource.id, url].find(isText) ?? 'without a code'}\``;
  if (status === 'retired') return { skipped: `${name} is left out: it is retired` };
  const base = textsIn(resource.base);
  const unknown = base.filter(each => each !== 'Resource' && each !== 'DomainResource' && !resourceTypes.has(each));
  const parts = Array.isArray(resource.component) ? (resource.component as readonly Readonly<Record<string, unknown>>[]) : [];
  const mistakes = [
    isText(url) ? undefined : '`url` is missing',
    isText(code) ? undefined : '`code` is missing',
    isText(type) && kinds.includes(type) ? undefined : `\`type\` is ${quoted(type)}; it may be ${kinds.join(', ')}`,
    base.length > 0 ? undefined : '`base` names no type of resource',
    unknown.length === 0 ? undefined : `\`base\` names ${unknown.map(each => `\`${each.slice(0, 80)}\``).join(', ')}, which R4 has not`,
    ...base.filter(each => closed.has(each)).map(each => `\`base\` names ${each}, which is found by parameters of R4 only`),
    isText(expression) ? undefined : '`expression` is missing, without which nothing can be indexed',
    type !== 'composite' || parts.length === 2 || parts.length === 3 ? undefined : 'a composite needs two or three `component`s',
    parts.every(part => isText(part?.definition) && isText(part.expression)) ? undefined : 'each `component` needs a `definition` and an `expression`',
  ].filter(text => text !== undefined);
  if (mistakes.length > 0) return { mistakes: mistakes.map(text => `${name}: ${text}`) };
  const definition: SearchParameterDef = {
    code: code as string,
    type: type as SearchParameterDef['type'],
    base,
    expression: expression as string,
    targets: textsIn(resource.target).filter(each => resourceTypes.has(each)),
    url: url as string,
    components:
      type === 'composite' ? parts.map(part => ({ definition: (part.definition as string).split('|')[0]!, expression: part.expression as string })) : [],
  };
  return { candidate: { name, definition, derivedFrom: isText(derivedFrom) ? derivedFrom.split('|')[0]! : undefined } };
}

/** What keeps a parameter from being indexed, in sentences. `known`: the parameters that a composite may be made of. */
export function mistakesIn({ definition }: Candidate, known: (url: string) => SearchParameterDef | undefined): readonly string[] {
  const { expression, type, components } = definition;
  try {
    // Its parts have parameters of R4, and which labels are shown is decided by rules (security.ts).
    if (names(expression, 'meta') && !definition.code.startsWith('_'))
      return ['`expression` goes through `meta`, which has the parameters _tag, _profile, _source and _security'];
    const yielded = new Map(carriers(definition).map(each => [each, typesOf(expression, each)]));
    const named = definition.base.filter(each => yielded.get(each)?.length === 0);
    if (named.length > 0 || [...yielded.values()].every(types => types.length === 0))
      return [`\`expression\` yields nothing of ${(named.length > 0 ? named : definition.base).join(', ')}: \`${expression}\``];
    const all = [...new Set([...yielded.values()].flat())];
    if (type !== 'composite') return unfit(type, all, '`expression`');
    return components.flatMap(({ definition: url, expression: part }) => {
      const like = known(url);
      if (like === undefined) return [`there is no parameter \`${url}\` for one of its components to be like`];
      if (like.type === 'composite' || like.type === 'special') return [`\`${url}\`, which one of its components is like, is itself a ${like.type}`];
      const whole = part.startsWith('%resource.') ? part.slice('%resource.'.length) : undefined;
      const within = whole === undefined ? all.flatMap(each => typesOf(part, each)) : carriers(definition).flatMap(each => typesOf(`${each}.${whole}`, each));
      return unfit(like.type, [...new Set(within)], `the component \`${part}\``);
    });
  } catch (error) {
    if (error instanceof SyntaxError) return [`\`expression\` is beyond the part of FHIRPath that parameters are written in: ${error.message}`];
    throw error;
  }
}
const carriers = ({ base }: SearchParameterDef): readonly ResourceType[] =>
  base.some(type => type === 'Resource' || type === 'DomainResource') ? [...resourceTypes] : base;

function unfit(type: SearchParameterDef['type'], yielded: readonly string[], what: string): readonly string[] {
  const wanted = madeOf[type] ?? [];
  if (yielded.some(each => wanted.includes(each))) return [];
  return [`${what} yields ${yielded.length === 0 ? 'nothing' : yielded.join(', ')}, of which no ${type} is made`];
}
