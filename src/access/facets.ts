import { type Coding, type KeyName, nameOf, type Resource, type ResourceType } from '../fhir/types.ts';
import type { Facets, Origin, RecordId } from '../search/indexed.ts';
import { systems } from './codes.ts';
import { distinct, gather } from './codings.ts';
import { codings, conceptCodings, follow, isElement, referenceNames } from './elements.ts';
import { type Labels, labelsOf } from './labels.ts';
import { authorsOf, clinicalDateOf } from './occasion.ts';
import { hiddenWhenCited } from './policies/table.ts';
import { citedPaths, isDirectory, isRecord, isShared, recordKindOf, standsFor } from './record.ts';

/** A resource that another one refers to, as far as stamping is concerned. A deleted one still exists: its record does. */
export interface Cited {
  readonly exists: boolean;
  readonly deleted?: boolean;
  readonly facets?: Facets;
}
export interface StampContext {
  /** Of whoever writes; the origin of a resource is that of its first version. */
  readonly origin: Origin;
  /** Epoch milliseconds of the commit. */
  readonly at: number;
  /** undefined: there is no such resource. */
  known(key: KeyName): Cited | undefined;
  /** The facets of the version before, of a deletion too. */
  readonly previous?: Facets;
}

/** The keys that stamping this resource looks up. */
export function needsOf(resource: Resource): readonly KeyName[] {
  const row = recordKindOf(resource.resourceType);
  const paths = [...(row.kind === 'subject' ? [...row.paths, ...row.follows] : []), ...citedPaths(resource.resourceType)];
  const named = paths.flatMap(path => follow(resource, path)).flatMap(referenceNames);
  return [...new Set([...named, ...inline(resource).flatMap(needsOf)])];
}

/**
 * The facets of a resource at commit. Pure: what it refers to is asked of `context.known`. What cannot be found adds nothing, so that a resource whose
 * subject is unknown stays its contributor's.
 */
export function stamp(resource: Resource, context: StampContext): Facets {
  const { resourceType: type, id = '' } = resource;
  const { previous } = context;
  const inside = inline(resource).map(one => stamp(one, { origin: context.origin, at: context.at, known: context.known }));
  const records = recordsOf(resource, context, inside);
  const origin = previous?.origin ?? context.origin;
  const products = found(resource, citedPaths(type), context).filter(([name, facets]) => reaches({ origin, records }, facets, typeOf(name)));
  const cited = [...inside, ...[...found(resource, followed(type), context), ...products].map(([, facets]) => facets)];
  const gathered = gather(resource);
  const labels = labelsOf(gathered.all, gathered.texts, securityOf(resource), cited);
  const targets = namesAt(resource, standsFor(type)?.targets);
  const cites = namesAt(resource, standsFor(type)?.cites).filter(name => hiddenWhenCited.includes(typeOf(name)));
  return {
    records,
    origin,
    ...raised(labels, previous),
    codes: distinct([...gathered.clinical, ...cited.flatMap(facets => facets.codes)]),
    ...whenAndBy(resource, context, targets),
    about: targets.length > 0 ? targets : [nameOf({ type, id })],
    ...(targets.length > 0 ? { targetTypes: [...new Set(targets.map(typeOf))] } : {}),
    ...(cites.length > 0 ? { cites } : {}),
  };
}

/** When it happened and who said so; of what stands for its targets, when those happened and who said those. */
function whenAndBy(resource: Resource, { known, at }: StampContext, targets: readonly KeyName[]): Pick<Facets, 'clinicalDate' | 'authors'> {
  const stoodFor = targets.flatMap(name => known(name)?.facets ?? []);
  if (stoodFor.length === 0) return { clinicalDate: clinicalDateOf(resource) ?? { low: at, high: at }, authors: authorsOf(resource) };
  const dates = stoodFor.map(facets => facets.clinicalDate);
  return {
    clinicalDate: { low: Math.min(...dates.map(date => date.low)), high: Math.max(...dates.map(date => date.high)) },
    authors: [...new Set(stoodFor.flatMap(facets => facets.authors))],
  };
}

/** Whether what refers to a resource must be stamped again after this change. */
export function spreads(before: Facets | undefined, after: Facets): boolean {
  if (before === undefined) return after.confidentiality > 3 || after.sensitivity.length > 0 || after.about.some(name => isRecord(typeOf(name)));
  const told = ({ records, confidentiality, sensitivity, codes, clinicalDate, authors }: Facets): string =>
    JSON.stringify([records, confidentiality, sensitivity, codes, clinicalDate, authors]);
  return told(before) !== told(after);
}

/** The resources without a record of their own that become part of this one's records by being cited, from inside it too. */
export const lentBy = (resource: Resource): readonly KeyName[] => [
  ...new Set([
    ...citedPaths(resource.resourceType)
      .flatMap(path => follow(resource, path))
      .flatMap(referenceNames)
      .filter(name => isShared(typeOf(name))),
    ...inline(resource).flatMap(lentBy),
  ]),
];

/** The facets of a shared resource once something in these records cites it. The same object where it was known already. */
export function joined(shared: Facets, records: readonly RecordId[]): Facets {
  const more = records.filter(record => !shared.records.includes(record));
  return more.length === 0 ? shared : { ...shared, records: [...shared.records, ...more].toSorted() };
}

const namesAt = (resource: Resource, path: string | undefined): readonly KeyName[] =>
  path === undefined ? [] : [...new Set(follow(resource, path).flatMap(referenceNames))];
const typeOf = (name: KeyName): ResourceType => name.slice(0, name.indexOf('/'));
/** Security labels: of the resource, and of the document that it describes or is. */
const securityOf = (resource: Resource): readonly Coding[] => [
  ...codings(resource.meta?.security),
  ...conceptCodings(resource.securityLabel),
  ...(typeof resource.confidentiality === 'string' ? [{ system: systems.confidentiality, code: resource.confidentiality }] : []),
];
const followed = (type: ResourceType): readonly string[] => {
  const row = recordKindOf(type);
  return row.kind === 'subject' ? row.follows : [];
};
const isResource = (value: unknown): value is Resource => isElement(value) && typeof value.resourceType === 'string';
/** The resources inside it: contained ones, and the entries of a Bundle. */
const inline = (resource: Resource): readonly Resource[] =>
  ['contained', ...followed(resource.resourceType)].flatMap(path => follow(resource, path)).filter(isResource);

const found = (resource: Resource, paths: readonly string[], { known }: StampContext): readonly (readonly [KeyName, Facets])[] =>
  [...new Set(paths.flatMap(path => follow(resource, path)).flatMap(referenceNames))].flatMap(name => {
    const facets = known(name)?.facets;
    return facets === undefined ? [] : [[name, facets] as const];
  });

/**
 * Whether what one resource cites tells anything about it: they share a maker or a record, or the cited one is everybody's to read. What is hidden behind
 * another record gives no label and joins no record, so that citing it shows nothing of it.
 */
export function reaches(citing: Pick<Facets, 'origin' | 'records'>, cited: Facets, type: ResourceType): boolean {
  const open = isDirectory(type) || (isShared(type) && cited.records.length === 0);
  return open || sameMaker(citing.origin, cited.origin) || cited.records.some(record => citing.records.includes(record));
}
export const sameMaker = (one: Origin, other: Origin): boolean => one.kind === other.kind && one.by === other.by;

/** What stands for others stays in the record that it was written in, wherever its targets go: it tells of how they came to be there. */
export const settled = (stored: Facets, anew: Facets): Facets =>
  stored.targetTypes !== undefined && stored.records.length > 0 ? { ...anew, records: stored.records } : anew;

/** What a change by somebody else may do to the facets of what cites it: labels rise, and no record is entered or left. */
export const tempered = (stored: Facets, anew: Facets): Facets => ({ ...anew, ...labelsOf([], [], [], [stored, anew]), records: stored.records });

function recordsOf(resource: Resource, context: StampContext, inside: readonly Facets[]): readonly RecordId[] {
  const { resourceType: type, id = '' } = resource;
  const row = recordKindOf(type);
  if (row.kind === 'self') return [nameOf({ type, id })];
  if (row.kind === 'shared') return context.previous?.records ?? [];
  if (row.kind !== 'subject') return [];
  const named = [...row.paths, ...row.follows].flatMap(path => follow(resource, path)).flatMap(referenceNames);
  const cited = named.flatMap(name => {
    const other = context.known(name);
    if (other?.exists !== true) return [];
    return isRecord(typeOf(name)) ? [name] : (other.facets?.records ?? []);
  });
  // What is only contained belongs to whatever contains it; entries of a Bundle bring their records along.
  return [...new Set([...cited, ...(row.follows.length > 0 ? inside.flatMap(facets => facets.records) : [])])].toSorted();
}

/** A label once given is taken away by the contributing organisation only (ACCESS §4); who writes at all the provenance rule says. */
function raised(labels: Labels, previous: Facets | undefined): Labels {
  if (previous === undefined || previous.origin.kind === 'organization' || previous.origin.kind === 'server') return labels;
  return labelsOf([], [], [], [labels, previous]);
}
