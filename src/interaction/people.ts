import { elements, isElement } from '../access/elements.ts';
import type { KeyName, Reference, Resource, ResourceType } from '../fhir/types.ts';
import type { ResourceReader, Version } from '../store/store.ts';
import { keyOfName } from './overlay.ts';

/** The types whose names an answer may carry, where the caller may read them. */
export const namedTypes: readonly ResourceType[] = ['Organization', 'Patient', 'Practitioner', 'RelatedPerson'];

/** References with names that people know, each looked up once; `shown` are the versions that were read for it. */
export interface People {
  refer(name: KeyName, display?: string): Promise<Reference>;
  shown(): readonly Version[];
}
export function openPeople(reader: Pick<ResourceReader, 'read'>): People {
  const known = new Map<KeyName, Promise<Version | undefined>>();
  const shown: Version[] = [];
  const look = async (name: KeyName): Promise<Version | undefined> => {
    const key = keyOfName(name);
    const version = namedTypes.includes(key.type) ? await reader.read(key) : undefined;
    if (version === undefined || version.deleted) return undefined;
    shown.push(version);
    return version;
  };
  return {
    async refer(name, written) {
      if (!known.has(name)) known.set(name, look(name));
      const version = await known.get(name);
      const display = (version === undefined ? undefined : nameIn(version.parsed())) ?? written;
      return { reference: name, ...(display === undefined ? {} : { display }) };
    },
    shown: () => shown,
  };
}

/** An Organization's name, or the first HumanName as it is written or put together. */
function nameIn({ name }: Resource): string | undefined {
  if (typeof name === 'string') return name;
  const [first] = elements(name).filter(isElement);
  if (first === undefined) return undefined;
  if (typeof first.text === 'string') return first.text;
  const parts = [...(Array.isArray(first.given) ? first.given : []), first.family].filter(part => typeof part === 'string');
  return parts.length === 0 ? undefined : parts.join(' ');
}
