import { STATEMENTS, statementId } from './data.ts';

export const readPath = (patient: number, at: number): string => `/fhir/MedicationStatement/${statementId(patient, at % STATEMENTS)}`;
export const searchPath = (patient: number): string => `/fhir/MedicationStatement?patient=Patient/p${patient}&_count=20`;
