import { type Case, search } from '../case.ts';
import { loinc, own, patient, snomed } from '../extra.ts';
import { both, called, code, contains, either, every, exact, ids, type Match, no, refers, starts, there, value } from '../match.ts';
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
  search('Observation?value-string=apfel%20und%20b', starts('valueString', 'apfel und b')),
];

const observationCategory = 'http://terminology.hl7.org/CodeSystem/observation-category';
const bloodPressure = code('code', '85354-9', loinc);
/** http://hl7.org/fhir/R4/search.html#token */
export const tokens: readonly Case[] = [
  search(`Observation?code=72166-2`, code('code', '72166-2')),
  search(`Observation?code=${loinc}|72166-2`, code('code', '72166-2', loinc)),
  search(`Observation?code=${snomed}|72166-2`, code('code', '72166-2', snomed), { nothing: true }),
  search('Observation?code=|72166-2', code('code', '72166-2', ''), { nothing: true }),
  search(`Observation?code=${own}|`, code('code', undefined, own)),
  search('Observation?code=8331-1,85354-9', either(code('code', '8331-1'), bloodPressure)),
  search(`Observation?code=${loinc}|8310-5&code=${loinc}|8331-1`, both(code('code', '8310-5', loinc), code('code', '8331-1', loinc))),
  search(`Observation?category=${observationCategory}|imaging`, code('category', 'imaging')),
  search(`Observation?category=survey,exam&code:not=72514-3`, both(either(code('category', 'survey'), code('category', 'exam')), no(code('code', '72514-3')))),
  search(`Observation?patient=${patient}&category:not=laboratory`, both(refers('subject', `Patient/${patient}`), no(code('category', 'laboratory')))),
  search('Observation?code:missing=true', no(there('code')), { nothing: true }),
  search('Observation?category:missing=true', no(there('category'))),
  search('Observation?value-concept=8517006', code('valueCodeableConcept', '8517006')),
  search(
    `Observation?combo-code=${own}|mass,${own}|girth`,
    either(code(['code', 'component.code'], 'mass', own), code(['code', 'component.code'], 'girth', own)),
  ),
  search(`Observation?component-code=${own}|girth`, code('component.code', 'girth', own)),
  search('Observation?combo-value-concept=good', code(['valueCodeableConcept', 'component.valueCodeableConcept'], 'good')),
  search('Observation?code:text=body%20temp', called('code', 'body temp')),
  search('Observation?code:text=diary', called('code', 'diary')),
  search('Condition?code:text=pneumonia', called('code', 'pneumonia')),
  search(
    'Condition?code=72892002,40055000&clinical-status=active',
    both(either(code('code', '72892002'), code('code', '40055000')), code('clinicalStatus', 'active')),
  ),
  search('Condition?code=59621000,840539006', either(code('code', '59621000'), code('code', '840539006'))),
  search('Condition?clinical-status=resolved&code=72892002', both(code('clinicalStatus', 'resolved'), code('code', '72892002'))),
  search('Condition?clinical-status:not=resolved', no(code('clinicalStatus', 'resolved'))),
  search('Condition?abatement-date:missing=true&code=162864005', both(no(there('abatementDateTime')), code('code', '162864005'))),
  search('Patient?gender=female', code('gender', 'female')),
  search('Patient?gender=http://hl7.org/fhir/administrative-gender|other', code('gender', 'other')),
  search('Patient?gender:not=male', no(code('gender', 'male'))),
  search('Patient?gender:not=male,female', no(either(code('gender', 'male'), code('gender', 'female')))),
  search('Patient?gender:missing=true', no(there('gender'))),
  search('Patient?active=true', code('active', 'true')),
  search('Patient?active=false', code('active', 'false')),
  search('Patient?active:missing=false', there('active')),
  search('Patient?deceased=true', there('deceasedDateTime')),
  search('Patient?deceased=false', no(there('deceasedDateTime'))),
  search('Patient?identifier=999-44-4680', value('identifier', '999-44-4680')),
  search('Patient?identifier=http://hl7.org/fhir/sid/us-ssn|999-44-4680', value('identifier', '999-44-4680', 'http://hl7.org/fhir/sid/us-ssn')),
  search('Patient?identifier=http://hospital.smarthealthit.org|999-44-4680', value('identifier', '999-44-4680', 'http://hospital.smarthealthit.org'), {
    nothing: true,
  }),
  search('Patient?identifier=|0012', value('identifier', '0012', '')),
  search('Patient?identifier=http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber|', resource =>
    at(resource, 'identifier').some(each => (each as { system?: string }).system === 'http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber'),
  ),
  search('Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|SS|999-44-4680', value('identifier', '999-44-4680')),
  search('Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|999-44-4680', () => false, { nothing: true }),
  search('Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|0012', ids('oracle-zoe')),
  search('Patient?identifier:text=passport', resource => at(resource, 'identifier.type.text').some(each => String(each).startsWith('Passport'))),
  search('Patient?phone=555-699-1679', value('telecom', '555-699-1679', 'phone')),
  search('Patient?telecom=555-699-1679', value('telecom', '555-699-1679')),
  search('Patient?email=zoe@example.org', value('telecom', 'zoe@example.org', 'email')),
  search('Patient?phone=zoe@example.org', value('telecom', 'zoe@example.org', 'phone'), { nothing: true }),
  search('Patient?phone=%2B49%2030%201234', value('telecom', '+49 30 1234', 'phone')),
  search('Patient?language=en-US', code('communication.language', 'en-US')),
  search('Encounter?class=EMER,IMP', either(code('class', 'EMER'), code('class', 'IMP'))),
  search('Encounter?class=http://terminology.hl7.org/CodeSystem/v3-ActCode|IMP&status=finished', both(code('class', 'IMP'), code('status', 'finished'))),
  search('Encounter?status:not=finished', no(code('status', 'finished'))),
  search('Encounter?type=424441002&reason-code=72892002', both(code('type', '424441002'), code('reasonCode', '72892002'))),
  search('Encounter?reason-code:text=normal', called('reasonCode', 'normal')),
  search('MedicationRequest?status=active', code('status', 'active')),
  search('MedicationRequest?code=http://www.nlm.nih.gov/research/umls/rxnorm|197361', code('medicationCodeableConcept', '197361')),
  search('AllergyIntolerance?category=food&criticality=low', both(code('category', 'food'), code('criticality', 'low'))),
  search('ImagingStudy?modality=US,CR', either(code('series.modality', 'US'), code('series.modality', 'CR'))),
  search('ImagingStudy?bodysite=http://snomed.info/sct|51185008', code('series.bodySite', '51185008')),
  search('DocumentReference?contenttype=text/plain;%20charset=utf-8&status=current', both(there('content.attachment.contentType'), code('status', 'current'))),
  search(
    'Immunization?vaccine-code=http://hl7.org/fhir/sid/cvx|121,10',
    either(code('vaccineCode', '121', 'http://hl7.org/fhir/sid/cvx'), code('vaccineCode', '10')),
  ),
  search('CarePlan?category=698360004', code('category', '698360004')),
  search('CarePlan?activity-code=160670007', code('activity.detail.code', '160670007')),
  search('Claim?use=claim&priority=normal&status=active&item-udi:missing=false', () => false, { nothing: true }),
  search('Organization?type=prov&active=true', both(code('type', 'prov'), code('active', 'true'))),
  search('PractitionerRole?specialty=208D00000X', code('specialty', '208D00000X')),
  search('Provenance?agent-type=author', code('agent.type', 'author')),
  search('Observation?code:in=http://example.org/fhir/ValueSet/vitals', either(code('code', '8867-4', loinc), code('code', '2708-6', loinc))),
  search(
    'Observation?category=exam,procedure,therapy&code:not-in=http://example.org/fhir/ValueSet/vitals',
    both(
      either(code('category', 'exam'), code('category', 'procedure'), code('category', 'therapy')),
      no(either(code('code', '8867-4', loinc), code('code', '2708-6', loinc))),
    ),
  ),
  search(`Observation?code:below=${own}|mass`, either(code('code', 'mass', own), code('code', 'lean-mass', own))),
  search(`Observation?code:above=${own}|lean-mass`, either(...['body', 'mass', 'lean-mass'].map(each => code('code', each, own)))),
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
