import type { ResourceType } from '../fhir/types.ts';

/** How a resource comes to belong to records (ACCESS §1). Paths are element names from the root; arrays are walked. */
export type RecordKind =
  /** Its own record. */
  | { readonly kind: 'self' }
  /** No record: readable by every caller, written by its contributor. */
  | { readonly kind: 'directory' }
  /** The records that refer to it; any one of them suffices. */
  | { readonly kind: 'shared' }
  /** The records of what these paths name: subject-like elements, and the members of what only collects. */
  | { readonly kind: 'subject'; readonly paths: readonly string[]; readonly follows: readonly string[] }
  /** No record: its contributor's only. */
  | { readonly kind: 'none' };

const self: RecordKind = { kind: 'self' };
const directory: RecordKind = { kind: 'directory' };
const shared: RecordKind = { kind: 'shared' };
const none: RecordKind = { kind: 'none' };
const by = (...paths: readonly string[]): RecordKind => ({ kind: 'subject', paths, follows: [] });
/** What stands for its members: it is labelled and coded like them too. */
const follow = (follows: readonly string[], paths: readonly string[] = []): RecordKind => ({ kind: 'subject', paths, follows });

/** Total over the types of R4, so that a type without a thought given to it cannot exist. */
const table: Readonly<Record<ResourceType, RecordKind>> = {
  Account: by('subject'),
  ActivityDefinition: none,
  AdverseEvent: by('subject'),
  AllergyIntolerance: by('patient'),
  Appointment: by('participant.actor'),
  AppointmentResponse: follow(['appointment'], ['actor']),
  // The log makes the facets of its events itself: of what they are about, never of who acted.
  AuditEvent: none,
  Basic: by('subject'),
  Binary: follow(['securityContext']),
  BiologicallyDerivedProduct: by('collection.source'),
  BodyStructure: by('patient'),
  Bundle: follow(['entry.resource']),
  CapabilityStatement: directory,
  CarePlan: by('subject'),
  CareTeam: by('subject'),
  CatalogEntry: none,
  ChargeItem: by('subject'),
  ChargeItemDefinition: none,
  Claim: by('patient'),
  ClaimResponse: by('patient'),
  ClinicalImpression: by('subject'),
  CodeSystem: directory,
  Communication: by('subject'),
  CommunicationRequest: by('subject'),
  CompartmentDefinition: directory,
  Composition: by('subject'),
  ConceptMap: directory,
  Condition: by('subject'),
  Consent: by('patient'),
  Contract: by('subject'),
  Coverage: by('beneficiary'),
  CoverageEligibilityRequest: by('patient'),
  CoverageEligibilityResponse: by('patient'),
  DetectedIssue: by('patient'),
  Device: by('patient'),
  DeviceDefinition: none,
  DeviceMetric: by('source', 'parent'),
  DeviceRequest: by('subject'),
  DeviceUseStatement: by('subject'),
  DiagnosticReport: by('subject'),
  DocumentManifest: by('subject'),
  DocumentReference: by('subject', 'context.sourcePatientInfo'),
  EffectEvidenceSynthesis: none,
  Encounter: by('subject'),
  Endpoint: directory,
  EnrollmentRequest: by('candidate'),
  EnrollmentResponse: follow(['request']),
  EpisodeOfCare: by('patient'),
  EventDefinition: none,
  Evidence: none,
  EvidenceVariable: none,
  ExampleScenario: directory,
  ExplanationOfBenefit: by('patient'),
  FamilyMemberHistory: by('patient'),
  Flag: by('subject'),
  Goal: by('subject'),
  GraphDefinition: directory,
  Group: follow(['member.entity']),
  GuidanceResponse: by('subject'),
  HealthcareService: directory,
  ImagingStudy: by('subject'),
  Immunization: by('patient'),
  ImmunizationEvaluation: by('patient'),
  ImmunizationRecommendation: by('patient'),
  ImplementationGuide: directory,
  InsurancePlan: none,
  Invoice: by('subject'),
  Library: none,
  Linkage: follow(['item.resource']),
  List: follow(['entry.item'], ['subject']),
  Location: directory,
  Measure: none,
  MeasureReport: follow(['evaluatedResource'], ['subject']),
  Media: by('subject'),
  Medication: shared,
  MedicationAdministration: by('subject'),
  MedicationDispense: by('subject'),
  MedicationKnowledge: none,
  MedicationRequest: by('subject'),
  MedicationStatement: by('subject'),
  MedicinalProduct: none,
  MedicinalProductAuthorization: none,
  MedicinalProductContraindication: none,
  MedicinalProductIndication: none,
  MedicinalProductIngredient: none,
  MedicinalProductInteraction: none,
  MedicinalProductManufactured: none,
  MedicinalProductPackaged: none,
  MedicinalProductPharmaceutical: none,
  MedicinalProductUndesirableEffect: by('subject'),
  MessageDefinition: directory,
  MessageHeader: follow(['focus']),
  MolecularSequence: by('patient'),
  NamingSystem: directory,
  NutritionOrder: by('patient'),
  Observation: by('subject'),
  ObservationDefinition: none,
  OperationDefinition: directory,
  OperationOutcome: none,
  Organization: directory,
  OrganizationAffiliation: none,
  Parameters: none,
  Patient: self,
  PaymentNotice: follow(['request', 'response']),
  PaymentReconciliation: follow(['detail.request', 'detail.response']),
  Person: by('link.target'),
  PlanDefinition: none,
  Practitioner: directory,
  PractitionerRole: directory,
  Procedure: by('subject'),
  Provenance: follow(['target']),
  Questionnaire: none,
  QuestionnaireResponse: by('subject'),
  RelatedPerson: by('patient'),
  RequestGroup: by('subject'),
  ResearchDefinition: none,
  ResearchElementDefinition: none,
  ResearchStudy: none,
  ResearchSubject: by('individual'),
  RiskAssessment: by('subject'),
  RiskEvidenceSynthesis: none,
  Schedule: by('actor'),
  SearchParameter: directory,
  ServiceRequest: by('subject'),
  Slot: follow(['schedule']),
  Specimen: by('subject'),
  SpecimenDefinition: none,
  StructureDefinition: directory,
  StructureMap: directory,
  Subscription: none,
  Substance: none,
  SubstanceNucleicAcid: none,
  SubstancePolymer: none,
  SubstanceProtein: none,
  SubstanceReferenceInformation: none,
  SubstanceSourceMaterial: none,
  SubstanceSpecification: none,
  SupplyDelivery: by('patient'),
  SupplyRequest: by('deliverTo'),
  Task: by('for'),
  TerminologyCapabilities: directory,
  TestReport: none,
  TestScript: directory,
  ValueSet: directory,
  VerificationResult: follow(['target']),
  VisionPrescription: by('patient'),
};

export const hasRecordKind = (type: ResourceType): boolean => Object.hasOwn(table, type);
/** The row of a type; of a type that R4 does not have, the narrowest. */
export const recordKindOf = (type: ResourceType): RecordKind => (Object.hasOwn(table, type) ? table[type]! : none);

export const isDirectory = (type: ResourceType): boolean => recordKindOf(type).kind === 'directory';
export const isShared = (type: ResourceType): boolean => recordKindOf(type).kind === 'shared';
/** A resource of this type begins a record. */
export const isRecord = (type: ResourceType): boolean => recordKindOf(type).kind === 'self';

/** What else a resource is labelled and coded by: element path → type that it cites there. */
const cited: Readonly<Record<ResourceType, readonly (readonly [path: string, type: ResourceType])[]>> = {
  CarePlan: [['activity.detail.productReference', 'Medication']],
  DiagnosticReport: [['result', 'Observation']],
  Medication: [['ingredient.itemReference', 'Medication']],
  MedicationAdministration: [['medicationReference', 'Medication']],
  MedicationDispense: [['medicationReference', 'Medication']],
  MedicationRequest: [['medicationReference', 'Medication']],
  MedicationStatement: [['medicationReference', 'Medication']],
};
export const citedPaths = (type: ResourceType): readonly string[] => (Object.hasOwn(cited, type) ? cited[type]!.map(([path]) => path) : []);

/** What stands for its targets, and where it cites what else it came from. */
const standing: Readonly<Record<ResourceType, { readonly targets: string; readonly cites: string }>> = {
  Provenance: { targets: 'target', cites: 'entity.what' },
};
export const standsFor = (type: ResourceType): { readonly targets: string; readonly cites: string } | undefined =>
  Object.hasOwn(standing, type) ? standing[type] : undefined;

// Those whose `follows` lead to one type only; the others may lead to any.
const followedFrom: Readonly<Record<ResourceType, readonly ResourceType[]>> = {
  AppointmentResponse: ['Appointment'],
  EnrollmentResponse: ['EnrollmentRequest'],
  Group: ['Patient', 'Device', 'Medication'],
  Slot: ['Schedule'],
};
/** What a subject may be besides a Patient, and belong to records itself. */
const subjects: readonly ResourceType[] = ['Patient', 'Group', 'Device'];

/** The types whose facets may change with those of a resource of this type that they refer to. */
export function citersOf(type: ResourceType): readonly ResourceType[] {
  return Object.keys(table).filter(citer => {
    const row = recordKindOf(citer);
    const named = row.kind === 'subject' && row.paths.length > 0 && subjects.includes(type);
    const member = row.kind === 'subject' && row.follows.length > 0 && (Object.hasOwn(followedFrom, citer) ? followedFrom[citer]!.includes(type) : true);
    const citing = Object.hasOwn(cited, citer) && cited[citer]!.some(([, of]) => of === type);
    return named || member || citing;
  });
}
