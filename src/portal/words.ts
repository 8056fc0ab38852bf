import { isDirectory } from '../access/record.ts';
import type { ScopeLetter } from '../access/scope.ts';
import type { ResourceType } from '../fhir/types.ts';

/**
 * What people call the types that they meet, in the order in which a page lists them: to stand after "your"; one of them; and many of them, where that differs.
 */
const nouns: Readonly<Record<ResourceType, readonly [noun: string, one: string, many?: string]>> = {
  Patient: ['personal details (name, birth date, address)', 'entry of personal details', 'entries of personal details'],
  MedicationStatement: ['medications', 'medication'],
  MedicationRequest: ['prescriptions', 'prescription'],
  MedicationDispense: ['medications handed out by pharmacies', 'medication handed out by a pharmacy'],
  MedicationAdministration: ['medications given during care', 'medication given during care'],
  Medication: ['details of medications', 'detail of a medication'],
  AllergyIntolerance: ['allergies', 'allergy'],
  Condition: ['health problems', 'health problem'],
  Observation: ['measurements and results', 'measurement or result'],
  DiagnosticReport: ['reports of tests and examinations', 'report', 'reports'],
  Immunization: ['vaccinations', 'vaccination'],
  Procedure: ['operations and other procedures', 'procedure', 'procedures'],
  Encounter: ['visits and hospital stays', 'visit or hospital stay'],
  Appointment: ['appointments', 'appointment'],
  DocumentReference: ['documents', 'document'],
  Binary: ['attached files', 'attached file'],
  Media: ['pictures, video and sound', 'picture, video or sound', 'pictures, videos and sounds'],
  ImagingStudy: ['X-rays and other scans', 'scan', 'scans'],
  ServiceRequest: ['orders and referrals', 'order or referral'],
  Specimen: ['samples taken for tests', 'sample', 'samples'],
  CarePlan: ['care plans', 'care plan'],
  CareTeam: ['care teams', 'care team'],
  Goal: ['health goals', 'health goal'],
  Device: ['devices and implants', 'device or implant'],
  FamilyMemberHistory: ['illnesses in the family', 'illness in the family'],
  QuestionnaireResponse: ['answers to questionnaires', 'answered questionnaire', 'answered questionnaires'],
  NutritionOrder: ['diets', 'diet'],
  VisionPrescription: ['glasses and contact lenses', 'prescription of glasses or lenses', 'prescriptions of glasses and lenses'],
  Communication: ['messages', 'message'],
  Task: ['requests and their progress', 'request', 'requests'],
  Coverage: ['insurance', 'insurance', 'insurances'],
  Claim: ['insurance claims', 'insurance claim'],
  ExplanationOfBenefit: ['bills and what insurance paid', 'bill', 'bills'],
  RelatedPerson: ['family members and helpers', 'family member or helper'],
  Consent: ['consents', 'consent', 'consents'],
  Provenance: ['notes on who wrote what', 'note on who wrote what'],
  AuditEvent: ['access log', 'line of the access log', 'lines of the access log'],
  Organization: ['practices and hospitals', 'practice or hospital'],
  Practitioner: ['doctors, nurses and other clinicians', 'clinician', 'clinicians'],
  PractitionerRole: ['where clinicians work', 'place where a clinician works', 'places where clinicians work'],
  Location: ['places of care', 'place of care'],
  HealthcareService: ['services that practices offer', 'service', 'services'],
};
/** The types that have a name of their own on our pages. */
export const namedTypes: readonly ResourceType[] = Object.keys(nouns);

/** The place of a type among them; whatever has no name comes last. */
export const rankOf = (type: ResourceType): number => (namedTypes.includes(type) ? namedTypes.indexOf(type) : namedTypes.length);

/** What stands for the types that people do not meet. */
export const others = '*';

/** `MolecularSequence` → "molecular sequence entries", where people have no word of their own. */
export const nounOf = (type: ResourceType): string =>
  type === others ? 'everything else' : Object.hasOwn(nouns, type) ? nouns[type]![0] : `${type.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()} entries`;

/** The noun where there are so many of it: "1 medication", "12 medications". */
export function countOf(type: ResourceType, count: number): string {
  const noun = nounOf(type);
  const [, one, many = noun] = Object.hasOwn(nouns, type) ? nouns[type]! : [noun, noun.replace(/ entries$/, ' entry')];
  return `${count} ${count === 1 ? one : many}`;
}

/** A part of a type that a person can keep or take away by itself. */
export interface Category {
  readonly system: string;
  readonly code: string;
  readonly noun: string;
}
const condition = 'http://terminology.hl7.org/CodeSystem/condition-category';
const observation = 'http://terminology.hl7.org/CodeSystem/observation-category';
/** Those that ONC §170.315(g)(10) names, and so those that can be chosen one by one. */
const categories: Readonly<Record<ResourceType, readonly Category[]>> = {
  Condition: [
    { system: condition, code: 'problem-list-item', noun: 'ongoing health problems' },
    { system: condition, code: 'encounter-diagnosis', noun: 'diagnoses made at visits' },
    { system: 'http://hl7.org/fhir/us/core/CodeSystem/condition-category', code: 'health-concern', noun: 'health concerns' },
  ],
  Observation: [
    { system: observation, code: 'laboratory', noun: 'laboratory results' },
    { system: observation, code: 'vital-signs', noun: 'vital signs' },
    { system: observation, code: 'social-history', noun: 'smoking and other habits' },
    { system: observation, code: 'survey', noun: 'answers to health surveys' },
    { system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category', code: 'sdoh', noun: 'living situation' },
  ],
};
export const categoriesOf = (type: ResourceType): readonly Category[] => (Object.hasOwn(categories, type) ? categories[type]! : []);

const verbs: readonly (readonly [letters: string, verb: string])[] = [
  ['rs', 'see'],
  ['c', 'add'],
  ['u', 'change'],
  ['d', 'delete'],
];
/** SMART's letters as what is done: "See", "Add and change". */
export const actOf = (letters: ReadonlySet<ScopeLetter>): string =>
  capital(listed(verbs.filter(([of]) => [...of].some(letter => letters.has(letter as ScopeLetter))).map(([, verb]) => verb)));

/** "a", "a and b", "a, b and c"; where one of them has an "and" of its own, "a, b and c, and d". */
export function listed(words: readonly string[]): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')}${words.some(word => word.includes(' and ')) ? ',' : ''} and ${words.at(-1)}`;
}
export const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);
/** "Mary Reyes" → "Mary Reyes’s". */
export const possessive = (name: string): string => `${name}’s`;

/** Whether people say "your" of it: a directory is nobody's. */
export const isOwned = (type: ResourceType): boolean => !isDirectory(type);

/** 2 March 1947, of an instant, or epoch ms. */
export const dayOf = (instant: string | number): string =>
  new Date(instant).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
