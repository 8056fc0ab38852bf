import { type Case, search } from '../case.ts';
import type { Data, Json } from '../data.ts';
import { encounter, patient, practitioner } from '../extra.ts';
import { both, code, date, either, ids, type Match, refers, starts } from '../match.ts';
import { referencesAt } from '../walk.ts';

const mine = refers('subject', `Patient/${patient}`);
const family = 'name.family';
const targets = (page: readonly Json[], data: Data, path: string, type?: string): readonly Json[] =>
  page.flatMap(each => referencesAt(each, path).flatMap(name => data.named.get(name) ?? [])).filter(each => type === undefined || each.resourceType === type);
const sources = (page: readonly Json[], data: Data, type: string, path: string): readonly Json[] => {
  const names = new Set(page.map(each => `${each.resourceType}/${each.id}`));
  return (data.types.get(type) ?? []).filter(each => referencesAt(each, path).some(name => names.has(name)));
};
/** http://hl7.org/fhir/R4/search.html#include */
export const includes: readonly Case[] = [
  search('Condition?code=233604007&_include=Condition:subject', code('code', '233604007'), { brings: (page, data) => targets(page, data, 'subject') }),
  search('Condition?code=233604007&_include=Condition:patient&_include=Condition:encounter', code('code', '233604007'), {
    brings: (page, data) => [...targets(page, data, 'subject', 'Patient'), ...targets(page, data, 'encounter')],
  }),
  search('Condition?code=233604007&_include=Condition:encounter&_include:iterate=Encounter:service-provider', code('code', '233604007'), {
    brings: (page, data) => {
      const encounters = targets(page, data, 'encounter');
      return [...encounters, ...targets(encounters, data, 'serviceProvider')];
    },
  }),
  search(
    'DiagnosticReport?code=58410-2&date=ge2021-05&_include=DiagnosticReport:result',
    both(code('code', '58410-2'), date('effectiveDateTime', 'ge2021-05')),
    {
      brings: (page, data) => targets(page, data, 'result'),
    },
  ),
  search(`DiagnosticReport?patient=${patient}&_include=DiagnosticReport:performer:Organization`, mine, {
    brings: (page, data) => targets(page, data, 'performer', 'Organization'),
  }),
  search('Patient?_id=oracle-zoe&_include=Patient:general-practitioner&_include=Patient:organization&_include=Patient:link', ids('oracle-zoe'), {
    brings: (page, data) => ['generalPractitioner', 'managingOrganization', 'link.other'].flatMap(path => targets(page, data, path)),
  }),
  search('Patient?_id=oracle-zoe&_include=Patient:*', ids('oracle-zoe'), {
    brings: (page, data) => ['generalPractitioner', 'managingOrganization', 'link.other'].flatMap(path => targets(page, data, path)),
  }),
  search('Patient?family=muller&_revinclude=Observation:subject', starts(family, 'muller'), {
    brings: (page, data) => [
      ...sources(page, data, 'Observation', 'subject'),
      ...(page.some(({ id }) => id === 'oracle-zoe') ? [data.named.get('Observation/oracle-drops')!] : []),
    ],
  }),
  search('Patient?family=guzm&_revinclude=AllergyIntolerance:patient&_revinclude=CarePlan:patient', starts(family, 'guzm'), {
    brings: (page, data) => [...sources(page, data, 'AllergyIntolerance', 'patient'), ...sources(page, data, 'CarePlan', 'subject')],
  }),
  search('Encounter?class=IMP&date=ge2021&_revinclude=Condition:encounter&_include=Encounter:patient', both(code('class', 'IMP'), date('period', 'ge2021')), {
    brings: (page, data) => [...sources(page, data, 'Condition', 'encounter'), ...targets(page, data, 'subject')],
  }),
  search(`Encounter?_id=${encounter}&_revinclude=Procedure:encounter&_include:iterate=Procedure:reason-reference`, ids(encounter), {
    brings: (page, data) => {
      const procedures = sources(page, data, 'Procedure', 'encounter');
      return [...procedures, ...targets(procedures, data, 'reasonReference')];
    },
  }),
  search('Patient?_id=oracle-jose&_revinclude=*', ids('oracle-jose'), {
    brings: (page, data) => [...sources(page, data, 'Observation', 'subject'), data.named.get('List/oracle-list-2')!],
  }),
  search('Encounter?_id=oracle-visit&_include=*', ids('oracle-visit'), {
    brings: (page, data) => [...targets(page, data, 'partOf'), ...targets(page, data, 'subject')],
  }),
  search('Encounter?_id=oracle-visit-2&_include:recurse=Encounter:part-of&_include:iterate=Encounter:patient', ids('oracle-visit-2'), {
    brings: (_, data) => ['Encounter/oracle-visit', `Encounter/${encounter}`, 'Patient/oracle-zoe', `Patient/${patient}`].map(name => data.named.get(name)!),
  }),
  search('Encounter?_id=oracle-visit-2&_include:iterate=Encounter:part-of', ids('oracle-visit-2'), {
    brings: (_, data) => [data.named.get('Encounter/oracle-visit')!, data.named.get(`Encounter/${encounter}`)!],
  }),
  search(
    'Organization?name=CAPE%20COD%20HOSP&_revinclude=Encounter:service-provider&_revinclude:iterate=ImagingStudy:encounter',
    starts('name', 'cape cod hosp'),
    {
      brings: (page, data) => {
        const encounters = sources(page, data, 'Encounter', 'serviceProvider');
        return [...encounters, ...sources(encounters, data, 'ImagingStudy', 'encounter')];
      },
    },
  ),
];

/** What places a resource of a type in the compartment of a patient (http://hl7.org/fhir/R4/compartmentdefinition-patient.html), for the types that occur. */
const compartment: Readonly<Record<string, readonly string[]>> = {
  AllergyIntolerance: ['patient', 'recorder', 'asserter'],
  CarePlan: ['subject', 'activity.detail.performer'],
  CareTeam: ['subject', 'participant.member'],
  Claim: ['patient', 'payee.party'],
  Condition: ['subject', 'asserter'],
  DiagnosticReport: ['subject'],
  DocumentReference: ['subject', 'author'],
  Encounter: ['subject'],
  ExplanationOfBenefit: ['patient', 'payee.party'],
  ImagingStudy: ['subject'],
  Immunization: ['patient'],
  List: ['subject', 'source'],
  MedicationAdministration: ['subject', 'performer.actor'],
  MedicationRequest: ['subject'],
  Observation: ['subject', 'performer'],
  Patient: ['link.other'],
  Procedure: ['subject', 'performer.actor'],
  Provenance: ['target'],
  RiskAssessment: ['subject'],
  SupplyDelivery: ['patient'],
};
const inRecordOf =
  (id: string): Match =>
  resource =>
    (resource.resourceType === 'Patient' && resource.id === id) ||
    (compartment[resource.resourceType] ?? []).some(path => referencesAt(resource, path).includes(`Patient/${id}`));
const child = '0696ac49-3128-87d3-7344-04510aa4f324';
const typed =
  (...types: readonly string[]): Match =>
  resource =>
    types.includes(resource.resourceType);
/** http://hl7.org/fhir/R4/http.html#vsearch, and searches over more than one type. */
export const wide: readonly Case[] = [
  search(`Patient/${patient}/*`, inRecordOf(patient)),
  search(`Patient/${child}/*?_type=Condition,Procedure,CareTeam`, both(inRecordOf(child), typed('Condition', 'Procedure', 'CareTeam'))),
  search(`Patient/${patient}/Observation`, mine),
  search(`Patient/${patient}/Observation?code=85354-9&date=ge2015`, both(mine, code('code', '85354-9'), date('effectiveDateTime', 'ge2015'))),
  search(`Patient/${patient}/Patient`, ids('oracle-zoe', patient)),
  search(`Patient/${patient}/Provenance`, refers('target', `Patient/${patient}`)),
  search(`Encounter/${encounter}/DiagnosticReport`, refers('encounter', `Encounter/${encounter}`)),
  search(`Practitioner/${practitioner}/Encounter`, refers('participant.individual', `Practitioner/${practitioner}`)),
  search(
    '?_type=Patient,Practitioner&name=mil',
    both(typed('Patient', 'Practitioner'), starts(['name.family', 'name.given', 'name.prefix', 'name.text'], 'mil')),
  ),
  search(
    '?_type=Patient,Practitioner,Organization&address-city=greenfield',
    both(typed('Patient', 'Practitioner', 'Organization'), starts('address.city', 'greenfield')),
  ),
  search('?_type=Device,AllergyIntolerance,List', typed('Device', 'AllergyIntolerance', 'List')),
  search('?_type=Patient,Observation&_tag=trial', both(typed('Patient', 'Observation'), code('meta.tag', 'trial'))),
  search(`?_type=Condition,Immunization&patient=${patient}`, both(typed('Condition', 'Immunization'), either(mine, refers('patient', `Patient/${patient}`)))),
];
