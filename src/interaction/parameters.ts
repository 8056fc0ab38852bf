import type { Reference, Resource } from '../fhir/types.ts';

/** http://hl7.org/fhir/R4/parameters.html: a named value, or a name with parts. */
export interface Parameter {
  readonly name: string;
  readonly part?: readonly Parameter[];
  readonly valueBoolean?: boolean;
  readonly valueCode?: string;
  readonly valueDateTime?: string;
  readonly valueId?: string;
  readonly valueInstant?: string;
  readonly valueReference?: Reference;
  readonly valueString?: string;
  readonly valueUnsignedInt?: number;
}
export const parametersOf = (parameter: readonly Parameter[]): Resource => ({ resourceType: 'Parameters', parameter });

/** The parameter where there is a value, else none. */
export const optional = <T>(value: T | undefined, build: (value: T) => Parameter): readonly Parameter[] => (value === undefined ? [] : [build(value)]);
