import { type Element, elements, referenceName } from '../access/elements.ts';
import type { KeyName, Resource } from '../fhir/types.ts';

/** Somebody whom a consent names. `name`: where it may be known. */
export interface Named {
  readonly key?: KeyName;
  readonly name?: string;
}
/** A consent as `$who-can-see` tells of it. */
export interface Standing {
  readonly id: string;
  readonly version: string;
  readonly kind: string;
  readonly effect: string;
  readonly inForce: boolean;
  /** None: everybody. */
  readonly actors: readonly Named[];
  readonly actions: readonly string[];
  /** As written: a date, or a moment. */
  readonly since?: string;
  readonly until?: string;
}
export interface StandingApp {
  readonly id: string;
  readonly version: string;
  readonly client: string;
  readonly name: string;
  /** Who let it in. */
  readonly performer: Named;
  readonly scopes: readonly string[];
  readonly since?: string;
  readonly until?: string;
}
export interface WhoCanSee {
  readonly consents: readonly Standing[];
  readonly proposed: readonly Standing[];
  readonly apps: readonly StandingApp[];
  /** They contributed something, and see that. */
  readonly organizations: readonly Named[];
  /** They can still read a consent that has ended, and nothing by it. */
  readonly ended: readonly { readonly id: string; readonly kind: string; readonly actor: Named }[];
}

const partsNamed = (from: Element, name: string): readonly Element[] => elements(from.parameter ?? from.part).filter(part => part.name === name);
/** The one value of a parameter, whatever its type. */
const partOf = (from: Element, name: string): unknown => {
  const [part] = partsNamed(from, name);
  return part === undefined ? undefined : Object.entries(part).find(([key]) => key.startsWith('value'))?.[1];
};
const textOf = (from: Element, name: string): string | undefined => {
  const value = partOf(from, name);
  return typeof value === 'string' ? value : undefined;
};
const namedIn = (value: unknown): Named => {
  const key = referenceName(value);
  const display = elements(value)[0]?.display;
  return { ...(key === undefined ? {} : { key }), ...(typeof display === 'string' ? { name: display } : {}) };
};
const idOf = (value: unknown): string => referenceName(value)?.split('/')[1] ?? '';
const times = (part: Element): { readonly since?: string; readonly until?: string } => {
  const [since, until] = [textOf(part, 'since'), textOf(part, 'until')];
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
};
const valuesOf = (part: Element, name: string, kind: string): readonly unknown[] => partsNamed(part, name).map(one => one[kind]);

/**
 * The answer of `Patient/[id]/$who-can-see` → what the pages show of it.
 * @param known what somebody is called here in place of any other name: "you"
 */
export function readWhoCanSee(parameters: Resource, known: ReadonlyMap<KeyName, string> = new Map()): WhoCanSee {
  const named = (value: unknown): Named => {
    const found = namedIn(value);
    const name = found.key === undefined ? undefined : known.get(found.key);
    return name === undefined ? found : { ...found, name };
  };
  const standing = (part: Element): Standing => ({
    id: idOf(partOf(part, 'consent')),
    version: textOf(part, 'version') ?? '',
    kind: textOf(part, 'kind') ?? '',
    effect: textOf(part, 'effect') ?? '',
    inForce: partOf(part, 'inForce') === true,
    actors: valuesOf(part, 'actor', 'valueReference').map(named),
    actions: valuesOf(part, 'action', 'valueCode').map(String),
    ...times(part),
  });
  return {
    consents: partsNamed(parameters, 'consent').map(standing),
    proposed: partsNamed(parameters, 'proposed').map(standing),
    apps: partsNamed(parameters, 'app').map(part => ({
      id: idOf(partOf(part, 'consent')),
      version: textOf(part, 'version') ?? '',
      client: textOf(part, 'client') ?? '',
      name: textOf(part, 'name') ?? textOf(part, 'client') ?? '',
      performer: named(partOf(part, 'performer')),
      scopes: (textOf(part, 'scope') ?? '').split(/\s+/).filter(word => word !== ''),
      ...times(part),
    })),
    organizations: partsNamed(parameters, 'organization').map(part => named(partOf(part, 'organization'))),
    ended: partsNamed(parameters, 'named').map(part => ({
      id: idOf(partOf(part, 'consent')),
      kind: textOf(part, 'kind') ?? '',
      actor: named(partOf(part, 'actor')),
    })),
  };
}

/** What one actor of a consent would see: counts by type. */
export interface Preview {
  /** None: everybody. */
  readonly actor?: Named;
  readonly types: readonly { readonly type: string; readonly visible: number; readonly hidden: number }[];
}
/** The answer of `Consent/[id]/$preview`. */
export const readPreview = (parameters: Resource): readonly Preview[] =>
  partsNamed(parameters, 'actor').map(part => {
    const actor = partOf(part, 'actor');
    return {
      ...(actor === undefined ? {} : { actor: namedIn(actor) }),
      types: partsNamed(part, 'type').map(one => ({
        type: textOf(one, 'type') ?? '',
        visible: Number(partOf(one, 'visible') ?? 0),
        hidden: Number(partOf(one, 'hidden') ?? 0),
      })),
    };
  });
