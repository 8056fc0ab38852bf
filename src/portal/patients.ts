import { type Element, elements } from '../access/elements.ts';
import type { Choice } from '../account/accounts.ts';
import { Problem } from '../fhir/problem.ts';
import type { Resource } from '../fhir/types.ts';
import type { FhirRequest } from '../interaction/interaction.ts';
import { getOf, matchesOf, personOf, resourceOf } from './person.ts';
import type { AskedBySomebody, PortalParts } from './route.ts';

/** What a practitioner looks for; each is text as it was typed. */
export interface Sought {
  readonly name: string;
  readonly birthdate: string;
  /** The id of the Patient, or an identifier such as the number of a hospital's record. */
  readonly number: string;
}
export interface Found {
  readonly patients: readonly Resource[];
  /** There are more than these. */
  readonly more: boolean;
}
/** Nobody picks the right one out of more people than these. */
export const MOST = 20;

/** The patients who fit all that was typed, of those whom the practitioner may see; by name. */
export async function findPatients(sought: Sought, choice: Choice, asked: AskedBySomebody, { run }: PortalParts): Promise<Found> {
  const shared: FhirRequest['query'] = [
    // Every word is the beginning of a part of the name, in whatever order.
    ...wordsOf(sought.name).map(word => ['name', exactly(word)] as const),
    ...(sought.birthdate === '' ? [] : [['birthdate', sought.birthdate] as const]),
    ['_sort', 'family,given,birthdate'],
    ['_count', String(MOST + 1)],
  ];
  const person = personOf(asked, choice);
  const search = async (more: FhirRequest['query']): Promise<readonly Resource[]> => matchesOf(await run(getOf(['Patient'], [...shared, ...more]), person));
  const { number } = sought;
  const codes = isId(number) ? ['_id', 'identifier'] : ['identifier'];
  const lists = number === '' ? [await search([])] : await Promise.all(codes.map(code => search([[code, exactly(number)]])));
  const found = [...new Map(lists.flat().map(patient => [patient.id, patient])).values()];
  return { patients: found.slice(0, MOST), more: found.length > MOST };
}

/** The Patient, as long as the practitioner may see it; undefined for one that is hidden as for one that is not there. */
export async function patientOf(id: string, choice: Choice, asked: AskedBySomebody, { run }: PortalParts): Promise<Resource | undefined> {
  if (!isId(id)) return undefined;
  const { record: _chosen, ...practitioner } = choice;
  try {
    return resourceOf(await run(getOf(['Patient', id]), personOf(asked, practitioner)));
  } catch (error) {
    if (error instanceof Problem && (error.code === 'not-found' || error.code === 'deleted')) return undefined;
    throw error;
  }
}

const isId = (text: string): boolean => /^[A-Za-z0-9.-]{1,64}$/.test(text);

const wordsOf = (text: string): readonly string[] => text.split(/[\s,]+/).filter(word => word !== '');
/** Text that is a value, and nothing else, in a query (https://hl7.org/fhir/R4/search.html#escaping). */
const exactly = (text: string): string => text.replace(/[\\,$|]/g, sign => `\\${sign}`);

/** A name as people write it: the official or first one. */
export function nameOf(patient: Resource): string {
  const names = elements(patient.name);
  const name: Element = names.find(one => one.use === 'official') ?? names[0] ?? {};
  if (typeof name.text === 'string') return name.text;
  const parts = [...(Array.isArray(name.given) ? name.given : []), name.family].filter(part => typeof part === 'string' && part !== '');
  return parts.length === 0 ? 'A patient without a name' : parts.join(' ');
}
