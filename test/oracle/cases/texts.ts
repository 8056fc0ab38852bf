import { type Case, search } from '../case.ts';
import { patient } from '../extra.ts';
import { both, code, contains, either, every, exact, ids, type Match, no, starts, there } from '../match.ts';
import { at, wordsIn } from '../walk.ts';

const name = ['name.family', 'name.given', 'name.prefix', 'name.suffix', 'name.text'];
const address = ['line', 'city', 'district', 'state', 'postalCode', 'country', 'text'].map(part => `address.${part}`);
const family = 'name.family';

/** http://hl7.org/fhir/R4/search.html#string */
export const strings: readonly Case[] = [
  search('Patient?family=Mu', starts(family, 'mu')),
  search('Patient?family=m%C3%BCll', starts(family, 'mull')),
  search('Patient?family=MULLER', starts(family, 'muller')),
  search('Patient?family=guzman', starts(family, 'guzman')),
  search('Patient?family=Guzm%C3%A1n', starts(family, 'guzman')),
  search('Patient?family:exact=Guzm%C3%A1n14', exact(family, 'Guzmán14')),
  search('Patient?family:exact=Guzman14', exact(family, 'Guzman14'), { nothing: true }),
  search('Patient?family:exact=Muller', exact(family, 'Muller')),
  search('Patient?family:contains=ill', contains(family, 'ill')),
  search('Patient?family:contains=UZMA', contains(family, 'uzma')),
  search('Patient?family=ill', starts(family, 'ill'), { nothing: true }),
  search("Patient?family=O'H", starts(family, "o'h")),
  search('Patient?name=mrs', starts(name, 'mrs')),
  search('Patient?name=r', starts(name, 'r')),
  search('Patient?name=zoe%20mul', starts(name, 'zoe mul')),
  search('Patient?name:contains=a%20', contains(name, 'a ')),
  search('Patient?given=Ro,Da', either(starts('name.given', 'ro'), starts('name.given', 'da'))),
  search('Patient?given=Ro&family=G', both(starts('name.given', 'ro'), starts(family, 'g'))),
  search('Patient?given=Rosa&family=F', both(starts('name.given', 'rosa'), starts(family, 'f'))),
  search('Patient?given=Zo&given=%C3%84gir', both(starts('name.given', 'zo'), starts('name.given', 'agir'))),
  search('Patient?address=MA', starts(address, 'ma')),
  search('Patient?address-city=east', starts('address.city', 'east')),
  search('Patient?address-city=sao%20p', starts('address.city', 'sao p')),
  search('Patient?address-city:contains=ton', contains('address.city', 'ton')),
  search('Patient?address-postalcode=021', starts('address.postalCode', '021')),
  search('Patient?address-postalcode:missing=true', no(there('address.postalCode'))),
  search('Patient?address-country=US&address-city:contains=field', both(starts('address.country', 'us'), contains('address.city', 'field'))),
  search('Organization?name=STEWARD%20MEDICAL%20GROUP%5C%2C%20INC', starts('name', 'steward medical group, inc')),
  search('Organization?name:contains=hospital,clinic', either(contains('name', 'hospital'), contains('name', 'clinic'))),
  search('Location?name:exact=MOUNT%20AUBURN%20HOSPITAL', exact('name', 'MOUNT AUBURN HOSPITAL')),
  search('Location?address-city=cambridge,worcester', either(starts('address.city', 'cambridge'), starts('address.city', 'worcester'))),
  search('Device?device-name:contains=pacemaker', contains(['deviceName.name', 'type.coding.display', 'type.text'], 'pacemaker')),
  search('Device?udi-carrier=(01)1156', starts('udiCarrier.carrierHRF', '(01)1156')),
  search('Practitioner?name=wint', starts(name, 'wint')),
  search('Patient?name:exact=Zo%C3%AB%20%20M%C3%BCller', exact(name, 'Zoë  Müller')),
  search('Organization?name:text=hospital%20saint', both(contains('name', 'hospital'), contains('name', 'saint'))),
  search('Observation?value-string=apfel%20und%20b', starts('valueString', 'apfel und b')),
];

const uri =
  (path: string, ...wanted: readonly string[]): Match =>
  resource =>
    at(resource, path).some(each => wanted.includes(String(each)));
const below =
  (path: string, root: string): Match =>
  resource =>
    at(resource, path).some(each => each === root || String(each).startsWith(`${root}/`));
const narrative =
  (...words: readonly string[]): Match =>
  resource => {
    const found = at(resource, 'text.div').flatMap(div => wordsIn(String(div).replace(/<[^>]*>/g, ' ')));
    return words.every(word => found.includes(word));
  };
/** All texts of a resource but those that nobody reads. */
function read(value: unknown, key = ''): readonly string[] {
  if (typeof value === 'string') return key === 'div' ? wordsIn(value.replace(/<[^>]*>/g, ' ')) : wordsIn(value);
  if (Array.isArray(value)) return value.flatMap(each => read(each, key));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([member, each]) =>
    ['id', 'reference', 'url', 'system', 'data', 'resourceType'].includes(member) ? [] : read(each, member),
  );
}
const content =
  (...words: readonly string[]): Match =>
  resource => {
    const found = new Set(read(resource));
    return words.every(word => found.has(word));
  };

/** http://hl7.org/fhir/R4/search.html#uri, #all and #content */
export const general: readonly Case[] = [
  search('ValueSet?url=http://example.org/fhir/ValueSet/vitals', uri('url', 'http://example.org/fhir/ValueSet/vitals')),
  search('ValueSet?url:below=http://example.org/fhir/ValueSet/vitals', below('url', 'http://example.org/fhir/ValueSet/vitals')),
  search('ValueSet?url:below=http://example.org/fhir', below('url', 'http://example.org/fhir')),
  search(
    'ValueSet?url:above=http://example.org/fhir/ValueSet/vitals/more',
    uri('url', 'http://example.org/fhir/ValueSet/vitals', 'http://example.org/fhir/ValueSet/vitals/more'),
  ),
  search('Observation?_profile=http://hl7.org/fhir/StructureDefinition/bp', uri('meta.profile', 'http://hl7.org/fhir/StructureDefinition/bp')),
  search(
    'Observation?_profile:below=http://hl7.org/fhir/us/core/StructureDefinition/us-core-pulse-oximetry',
    below('meta.profile', 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-pulse-oximetry'),
  ),
  search('Patient?_profile=http://example.org/fhir/StructureDefinition/a', uri('meta.profile', 'http://example.org/fhir/StructureDefinition/a|1.0')),
  search('Patient?_profile=http://example.org/fhir/StructureDefinition/a|1.0', uri('meta.profile', 'http://example.org/fhir/StructureDefinition/a|1.0')),
  search('Patient?_profile=http://example.org/fhir/StructureDefinition/a|2.0', () => false, { nothing: true }),
  search(
    'Observation?_profile:missing=true&status=final&category=imaging,exam',
    both(no(there('meta.profile')), either(code('category', 'imaging'), code('category', 'exam'))),
  ),
  search(`Patient?_id=${patient},oracle-bare,nobody`, ids(patient, 'oracle-bare')),
  search(`Patient?_id=${patient}&gender=male`, both(ids(patient), code('gender', 'male')), { nothing: true }),
  search('Patient?_tag=trial', code('meta.tag', 'trial')),
  search('Patient?_tag=http://example.org/tags|trial', code('meta.tag', 'trial', 'http://example.org/tags')),
  search('Patient?_tag=|trial', code('meta.tag', 'trial', '')),
  search('Patient?_text=brulee%20TEA', narrative('brulee', 'tea')),
  search('Patient?_text=brul', narrative('brul'), { nothing: true }),
  search('CarePlan?_text=diabetes,hypertension', either(narrative('diabetes'), narrative('hypertension'))),
  search('CarePlan?_text=wound%20care', narrative('wound', 'care')),
  search('Condition?_content=chronic%20pain', content('chronic', 'pain')),
  search('AllergyIntolerance?_content=pollen', content('pollen')),
  search('Patient?_content=marlborough,jose', either(content('marlborough'), content('jose'))),
  search('Patient', every),
  search('Medication', every),
];
