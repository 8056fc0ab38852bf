import { resourceTypes, typeOf } from '../fhir/definitions/definitions.ts';
import type { ResourceType } from '../fhir/types.ts';

/** A property of a type and the FHIR type of what it holds. */
export interface Member {
  readonly key: string;
  readonly type: string;
  /** What a reference may point to; absent: anything. */
  readonly targets?: readonly ResourceType[];
}

/**
 * The properties that an element name of FHIRPath stands for: one, or for a choice (`value`) one of each type. None where the type has no such element.
 * Packages write `valueDateTime` too, as the data does.
 */
export function membersOf(type: string, name: string): readonly Member[] {
  const choice = `${name}[x]`;
  return [...(typeOf(type)?.elements ?? [])]
    .filter(([key, def]) => key === name || (def.choice && def.name === choice))
    .map(([key, def]) => ({
      key,
      type: def.choice ? typeIn(key.slice(def.name.length - '[x]'.length), def.types) : def.types[0]!,
      ...(def.targets === undefined ? {} : { targets: def.targets }),
    }));
}
/** `DateTime` in `effectiveDateTime` is `dateTime`. */
const typeIn = (suffix: string, types: readonly string[]): string => types.find(type => type.charAt(0).toUpperCase() + type.slice(1) === suffix) ?? suffix;

/** What a type specialises (http://hl7.org/fhir/R4/datatypes.html), where an expression could ask for the more general one. */
const general: Readonly<Record<string, string>> = {
  canonical: 'uri',
  url: 'uri',
  uuid: 'uri',
  oid: 'uri',
  code: 'string',
  id: 'string',
  markdown: 'string',
  positiveInt: 'integer',
  unsignedInt: 'integer',
  Age: 'Quantity',
  Count: 'Quantity',
  Distance: 'Quantity',
  Duration: 'Quantity',
};
const bare: ReadonlySet<string> = new Set(['Bundle', 'Binary', 'Parameters']);

/** Whether a value of the type is one of the other too. */
export const isA = (type: string, other: string): boolean =>
  type === other || general[type] === other || (resourceTypes.has(type) && (other === 'Resource' || (other === 'DomainResource' && !bare.has(type))));
