import { STATEMENTS, statementId } from './data.ts';

/** A search that is sent again and again, about another patient each time. What it finds is as much however many patients there are. */
export interface Search {
  /** What it is for. */
  readonly name: string;
  /** The part after `/fhir/`. */
  query(patient: number): string;
  /** Why no index can serve it, where that is so. */
  readonly scans?: string;
}
const loinc = 'http://loinc.org|8480-6';
/** Until so many are found that the resources are walked instead. */
const unordered = 'what begins with a text, or lies in a range, comes in no order of rows: all of it is found before the first page';
const ucum = 'http://unitsofmeasure.org';
const mrn = (patient: number): string => `https://clinic.example/mrn|${100_000 + patient}`;

/** What the app on a phone asks: always about one patient. */
const app: readonly Search[] = [
  { name: 'the medications that are taken', query: p => `MedicationStatement?patient=Patient/p${p}&status=active` },
  { name: 'all medications with whose they are', query: p => `MedicationStatement?patient=Patient/p${p}&_include=MedicationStatement:subject` },
  { name: 'the newest medications', query: p => `MedicationStatement?patient=Patient/p${p}&_sort=-effective&_count=20` },
  { name: 'how many medications', query: p => `MedicationStatement?patient=Patient/p${p}&_summary=count` },
  { name: 'medications with the exact total', query: p => `MedicationStatement?patient=Patient/p${p}&_total=accurate&_count=10` },
  { name: 'the newest vital signs', query: p => `Observation?patient=Patient/p${p}&category=vital-signs&_sort=-date&_count=20` },
  { name: 'one measure since a day', query: p => `Observation?patient=Patient/p${p}&code=${loinc}&date=ge2025-01-10` },
  { name: 'the last of a measure', query: p => `Observation?patient=Patient/p${p}&code=${loinc}&_sort=-date&_count=1` },
  { name: 'what changed since', query: p => `Observation?patient=Patient/p${p}&_lastUpdated=gt2020-01-01` },
  { name: 'values above a limit', query: p => `Observation?patient=Patient/p${p}&value-quantity=gt70|${ucum}|kg` },
  { name: 'a measure above a limit', query: p => `Observation?patient=Patient/p${p}&code-value-quantity=${loinc}$gt70` },
  { name: 'a measure by its name', query: p => `Observation?patient=Patient/p${p}&code:text=body weight` },
  { name: 'words in the notes', query: p => `Observation?patient=Patient/p${p}&_content=nurse` },
  { name: 'with who wrote it', query: p => `Observation?patient=Patient/p${p}&_revinclude=Provenance:target` },
  { name: 'one type of a compartment', query: p => `Patient/p${p}/Observation?date=ge2025-01-10` },
  { name: 'all of a compartment', query: p => `Patient/p${p}/*?_count=50` },
  { name: 'two types at once', query: p => `?_type=Observation,MedicationStatement&patient=Patient/p${p}&_count=50` },
];
/** What a hospital's EHR asks: also across patients. */
const ehr: readonly Search[] = [
  { name: 'a patient by number', query: p => `Patient?identifier=${mrn(p)}` },
  { name: 'a patient by name', query: p => `Patient?given:exact=Given${p}` },
  { name: 'a patient by phone', query: p => `Patient?telecom=555-${1000 + p}` },
  { name: 'twenty patients by id', query: p => `Patient?_id=${Array.from({ length: 20 }, (_, at) => `p${(p + at) % 200}`).join(',')}` },
  { name: 'a family', query: p => `Patient?family=family${p % 40}&_count=4`, scans: unordered },
  { name: 'a family, narrowed', query: p => `Patient?name=family${p % 40}&birthdate=gt1931&_count=3`, scans: unordered },
  { name: 'a statement by number', query: p => `MedicationStatement?identifier=https://clinic.example/statement|p${p}-${p % STATEMENTS}` },
  { name: 'some by their ids', query: p => `MedicationStatement?_id=${[0, 1, 2, 3].map(at => statementId(p, at)).join(',')}` },
  { name: 'medications by the number of the patient', query: p => `MedicationStatement?patient.identifier=${mrn(p)}` },
  { name: 'medications by the name of the patient', query: p => `MedicationStatement?subject:Patient.given:exact=Given${p}` },
  { name: 'patients with a measure', query: () => `Patient?_has:Observation:patient:code=${loinc}&_count=20` },
  { name: 'a measure of all, newest first', query: () => `Observation?code=${loinc}&_sort=-date&_count=20` },
  { name: 'a measure of all', query: () => `Observation?code=${loinc}&_count=20` },
  { name: 'a medication of all', query: () => 'MedicationStatement?code=314076&_count=20' },
  { name: 'values of all in a range', query: () => `Observation?value-quantity=gt80|${ucum}|kg&_count=20`, scans: unordered },
  { name: 'what changed last', query: () => 'Observation?_sort=-_lastUpdated&_count=20' },
];
export const searches: readonly Search[] = [...app, ...ehr];
