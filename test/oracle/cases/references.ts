import { type Case, search } from '../case.ts';
import { encounter, organization, patient, practitioner } from '../extra.ts';
import { both, code, contains, date, either, hasOf, ids, type Match, no, quantity, refers, starts, there, via } from '../match.ts';
import { at } from '../walk.ts';

const mine = refers('subject', `Patient/${patient}`);
const family = 'name.family';
const system = 'https://github.com/synthetichealth/synthea';

/** http://hl7.org/fhir/R4/search.html#reference */
export const references: readonly Case[] = [
  search(`Observation?subject=Patient/${patient}`, mine),
  search(`Observation?subject=${patient}`, mine),
  search(`Observation?subject:Patient=${patient}`, mine),
  search(`Observation?patient=${patient}`, mine),
  search(`Observation?patient=Patient/${patient}`, mine),
  search(`Observation?subject={base}/Patient/${patient}`, mine),
  search(`Observation?subject=Group/${patient}`, () => false, { nothing: true }),
  search('Observation?subject=https://elsewhere.example/fhir/Patient/9', refers('subject', 'https://elsewhere.example/fhir/Patient/9')),
  search('Observation?subject=9', () => false, { nothing: true }),
  search('Observation?subject=Patient/oracle-zoe', refers('subject', 'Patient/oracle-zoe')),
  search('Observation?subject=Patient/oracle-zoe/_history/1', ids('oracle-drops')),
  search('Observation?subject:identifier=http://example.org/ids|p-7', ids('oracle-string')),
  search(`Observation?subject=Patient/oracle-zoe,Patient/oracle-jose`, refers('subject', 'Patient/oracle-zoe', 'Patient/oracle-jose')),
  search(`Encounter?participant=Practitioner/${practitioner}`, refers('participant.individual', `Practitioner/${practitioner}`)),
  search(`Encounter?practitioner=${practitioner}`, refers('participant.individual', `Practitioner/${practitioner}`)),
  search(`Encounter?service-provider=${organization}`, refers('serviceProvider', `Organization/${organization}`)),
  search(`Encounter?part-of=${encounter}`, refers('partOf', `Encounter/${encounter}`)),
  search(`DiagnosticReport?encounter=Encounter/${encounter}`, refers('encounter', `Encounter/${encounter}`)),
  search(`DiagnosticReport?performer:Organization=${organization}`, refers('performer', `Organization/${organization}`)),
  search('Patient?general-practitioner:missing=false', there('generalPractitioner')),
  search(`Patient?general-practitioner=${organization}`, refers('generalPractitioner', `Organization/${organization}`)),
  search(`Patient?general-practitioner:Practitioner=${organization}`, () => false, { nothing: true }),
  search(`Patient?link=Patient/${patient}`, refers('link.other', `Patient/${patient}`)),
  search(`Provenance?target=Patient/${patient}`, refers('target', `Patient/${patient}`)),
  search(`Provenance?patient=${patient}`, refers('target', `Patient/${patient}`)),
  search(`PractitionerRole?practitioner:identifier=http://hl7.org/fhir/sid/us-npi|9999999989`, resource =>
    at(resource, 'practitioner.identifier.value').includes('9999999989'),
  ),
  search(`Location?organization:identifier=${system}|69176529-fd1f-3b3f-abce-a0a3626769eb`, resource =>
    at(resource, 'managingOrganization.identifier.value').includes('69176529-fd1f-3b3f-abce-a0a3626769eb'),
  ),
  search('MedicationRequest?medication:missing=false', there('medicationReference.reference')),
  search(`CareTeam?participant:Patient=${patient}`, refers('participant.member', `Patient/${patient}`)),
  search('Observation?subject:missing=true&code:not=72514-3', both(no(there('subject')), no(code('code', '72514-3')))),
  search(`CarePlan?condition:missing=false&patient=${patient}`, both(there('addresses'), mine)),
  search('List?item=Patient/oracle-jose', refers('entry.item', 'Patient/oracle-jose')),
];

const provider = (match: Match): Match => via('serviceProvider', match, 'Organization');
const woman = code('gender', 'female');
/** http://hl7.org/fhir/R4/search.html#chaining, #has and #list */
export const chains: readonly Case[] = [
  search('Condition?patient.family=muller,Guzm', via('subject', either(starts(family, 'muller'), starts(family, 'guzm')))),
  search('Condition?subject:Patient.family=ank', via('subject', starts(family, 'ank'), 'Patient')),
  search('Procedure?patient.gender=male&code=73761001', both(via('subject', code('gender', 'male')), code('code', '73761001'))),
  search('Immunization?patient.birthdate=lt1955&vaccine-code=33', both(via('patient', date('birthDate', 'lt1955')), code('vaccineCode', '33'))),
  search('Immunization?patient.birthdate=ge2010-06', via('patient', date('birthDate', 'ge2010-06'))),
  search('Condition?patient._id=oracle-zoe', via('subject', ids('oracle-zoe')), { nothing: true }),
  search('Observation?patient.active=false', via('subject', code('active', 'false'))),
  search(
    'Observation?patient.general-practitioner:Practitioner.name=wint',
    via('subject', via('generalPractitioner', starts(['name.family', 'name.given'], 'wint'), 'Practitioner')),
  ),
  search('Observation?patient.organization.address-city=greenfield', via('subject', via('managingOrganization', starts('address.city', 'greenfield')))),
  search('Encounter?service-provider.name=cape%20cod', provider(starts('name', 'cape cod'))),
  search('Encounter?service-provider.address-city=greenfield&class=IMP', both(provider(starts('address.city', 'greenfield')), code('class', 'IMP'))),
  search('Encounter?location.name:contains=urgent&class=EMER', both(via('location.location', contains('name', 'urgent')), code('class', 'EMER')), {
    nothing: true,
  }),
  search(
    'Encounter?participant:Practitioner.name=wint',
    via('participant.individual', starts(['name.family', 'name.given', 'name.prefix'], 'wint'), 'Practitioner'),
  ),
  search(
    'Observation?encounter.service-provider.name=STURDY&category=survey',
    both(via('encounter', provider(starts('name', 'sturdy'))), code('category', 'survey')),
  ),
  search('DiagnosticReport?encounter.service-provider.address-city=greenfield', via('encounter', provider(starts('address.city', 'greenfield')))),
  search('DiagnosticReport?result.encounter.service-provider.name=HOLYOKE', via('result', via('encounter', provider(starts('name', 'holyoke'))))),
  search('DiagnosticReport?result:Observation.code=2093-3&patient.gender=female', both(via('result', code('code', '2093-3')), via('subject', woman))),
  search(
    'DiagnosticReport?result.value-quantity=gt300&result.code=2093-3',
    both(via('result', quantity('valueQuantity', 'gt300')), via('result', code('code', '2093-3'))),
  ),
  search('Encounter?part-of.part-of.patient.family=cormier', via('partOf', via('partOf', via('subject', starts(family, 'cormier'))))),
  search('Encounter?part-of.class=AMB', via('partOf', code('class', 'AMB'))),
  search('MedicationRequest?requester:Practitioner.gender=female&status=active', both(via('requester', woman, 'Practitioner'), code('status', 'active'))),
  search('CarePlan?care-team.status=active&patient.gender=male', both(via('careTeam', code('status', 'active')), via('subject', code('gender', 'male')))),
  search('Claim?facility.name=CAPE&use=claim', both(via('facility', starts('name', 'cape')), code('use', 'claim'))),
  search('Provenance?target:Patient.family=cormier', via('target', starts(family, 'cormier'), 'Patient')),
  search('Patient?_has:Observation:patient:code=8331-1', hasOf('Observation', 'subject', code('code', '8331-1'))),
  search('Patient?_has:Condition:subject:code=59621000', hasOf('Condition', 'subject', code('code', '59621000'))),
  search('Patient?_has:Condition:patient:code=59621000&gender=female', both(hasOf('Condition', 'subject', code('code', '59621000')), woman)),
  search(
    'Patient?_has:Condition:patient:code=59621000&_has:Condition:patient:code=15777000',
    both(hasOf('Condition', 'subject', code('code', '59621000')), hasOf('Condition', 'subject', code('code', '15777000'))),
  ),
  search('Patient?_has:Condition:patient:onset-date=ge2021-03', hasOf('Condition', 'subject', date('onsetDateTime', 'ge2021-03'))),
  search('Patient?_has:Observation:patient:value-quantity=gt250||mg/dL', hasOf('Observation', 'subject', quantity('valueQuantity', 'gt250||mg/dL'))),
  search(
    'Patient?_has:Encounter:patient:_has:Procedure:encounter:code=73761001',
    hasOf('Encounter', 'subject', hasOf('Procedure', 'encounter', code('code', '73761001'))),
  ),
  search('Patient?_has:Encounter:patient:service-provider.name=STURDY', hasOf('Encounter', 'subject', provider(starts('name', 'sturdy')))),
  search(
    'Practitioner?_has:Encounter:practitioner:_has:Condition:encounter:code=233604007',
    hasOf('Encounter', 'participant.individual', hasOf('Condition', 'encounter', code('code', '233604007'))),
  ),
  search('Organization?_has:Encounter:service-provider:class=EMER', hasOf('Encounter', 'serviceProvider', code('class', 'EMER'))),
  search(
    'Organization?_has:Encounter:service-provider:patient.family=cormier',
    hasOf('Encounter', 'serviceProvider', via('subject', starts(family, 'cormier'))),
  ),
  search(
    'Observation?patient._has:AllergyIntolerance:patient:code=417532002&code=8302-2',
    both(via('subject', hasOf('AllergyIntolerance', 'patient', code('code', '417532002'))), code('code', '8302-2')),
  ),
  search('Encounter?_has:ImagingStudy:encounter:modality=US', hasOf('ImagingStudy', 'encounter', code('series.modality', 'US'))),
  search('Condition?code=233604007&patient.gender:not=male', both(code('code', '233604007'), via('subject', no(code('gender', 'male'))))),
  search('Patient?_has:Condition:patient:clinical-status:not=resolved', hasOf('Condition', 'subject', no(code('clinicalStatus', 'resolved')))),
  search(
    'Patient?_has:Observation:patient:code-value-quantity=2093-3$gt235',
    hasOf('Observation', 'subject', both(code('code', '2093-3'), quantity('valueQuantity', 'gt235'))),
  ),
  search('Patient?_has:Observation:patient:code=8331-1,2093-3', hasOf('Observation', 'subject', either(code('code', '8331-1'), code('code', '2093-3')))),
  search('Observation?subject:Patient._tag=trial', via('subject', code('meta.tag', 'trial'), 'Patient')),
  search('Patient?_list=oracle-list', ids('oracle-zoe', patient)),
  search('Patient?_list=oracle-list,oracle-list-2&gender:missing=true', ids('oracle-jose')),
  search('Encounter?_list=oracle-list', ids(encounter)),
  search('Observation?subject._list=oracle-list-2', refers('subject', 'Patient/oracle-jose')),
  search('Patient?_has:List:item:code=x', () => false, { nothing: true }),
  search('Patient?_has:List:item:status=retired', ids('oracle-jose')),
];
