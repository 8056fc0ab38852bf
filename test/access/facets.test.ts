import { describe, expect, test } from '@jest/globals';
import { joined, lentBy, needsOf, spreads, stamp } from '../../src/access/facets.ts';
import { labelsOf, renderSecurity } from '../../src/access/labels.ts';
import { citersOf, hasRecordKind, recordKindOf } from '../../src/access/record.ts';
import { resourceTypes } from '../../src/fhir/definitions/definitions.ts';
import type { Resource } from '../../src/fhir/types.ts';
import type { Facets, Origin } from '../../src/search/indexed.ts';
import { indexed, labelCoding } from './world.ts';

const at = Date.parse('2026-01-01T00:00:00Z');
const subject = { reference: 'Patient/mary' };
const statement = (more: object = {}): Resource => ({ resourceType: 'MedicationStatement', id: 's', subject, ...more });
const rxnorm = (code: string) => ({ coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code }] });

describe('records', () => {
  test('the table is total over R4', () => {
    expect([...resourceTypes].filter(type => !hasRecordKind(type))).toEqual([]);
  });
  test('a type that R4 does not have is its contributor’s', () => expect(recordKindOf('constructor')).toEqual({ kind: 'none' }));
  test('a Patient is its own record', () => expect(indexed({ resourceType: 'Patient', id: 'new' }).facets.records).toEqual(['Patient/new']));
  test('the subject’s', () => expect(indexed(statement()).facets.records).toEqual(['Patient/mary']));
  test('a subject that does not exist adds nothing', () => expect(indexed(statement({ subject: { reference: 'Patient/nobody' } })).facets.records).toEqual([]));
  test('a subject by identifier only adds nothing', () => expect(indexed(statement({ subject: { identifier: { value: '1' } } })).facets.records).toEqual([]));
  test('a versioned reference counts', () =>
    expect(indexed(statement({ subject: { reference: 'Patient/mary/_history/3' } })).facets.records).toEqual(['Patient/mary']));
  test('a subject that is a group: the members’', () => {
    const group = indexed({ resourceType: 'Group', id: 'g', member: [{ entity: subject }, { entity: { reference: 'Patient/bob' } }] });
    expect(group.facets.records).toEqual(['Patient/bob', 'Patient/mary']);
    expect(indexed(statement({ subject: { reference: 'Group/g' } }), undefined, {}, [group]).facets.records).toEqual(['Patient/bob', 'Patient/mary']);
  });
  test('a list: those of its subject and of every entry', () => {
    const other = indexed({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/bob' } });
    expect(indexed({ resourceType: 'List', id: 'l', subject, entry: [{ item: { reference: 'Condition/c' } }] }, undefined, {}, [other]).facets.records).toEqual(
      ['Patient/bob', 'Patient/mary'],
    );
  });
  test('a Bundle: those of its entries', () => {
    const bundle = { resourceType: 'Bundle', id: 'b', entry: [{ resource: statement() }, { resource: statement({ subject: { reference: 'Patient/bob' } }) }] };
    expect(needsOf(bundle)).toEqual(['Patient/mary', 'Patient/bob']);
    expect(indexed(bundle).facets.records).toEqual(['Patient/bob', 'Patient/mary']);
  });
  test('a Binary: those of its security context', () => {
    const other = indexed(statement());
    expect(
      indexed({ resourceType: 'Binary', id: 'b', securityContext: { reference: 'MedicationStatement/s' } }, undefined, {}, [other]).facets.records,
    ).toEqual(['Patient/mary']);
  });
  test('a Task: whom it is for, not who asked', () =>
    expect(indexed({ resourceType: 'Task', id: 't', for: subject, requester: { reference: 'Patient/bob' } }).facets.records).toEqual(['Patient/mary']));
});

describe('stamp', () => {
  const medication = indexed({ resourceType: 'Medication', id: 'm', code: rxnorm('6813') });
  test('a statement carries the labels and codes of the Medication that it cites', () => {
    const resource = statement({ medicationReference: { reference: 'Medication/m' } });
    expect(needsOf(resource)).toEqual(['Patient/mary', 'Medication/m']);
    const { facets } = indexed(resource, undefined, {}, [medication]);
    expect(facets).toMatchObject({ confidentiality: 4, sensitivity: ['OPIOIDUD'] });
    expect(facets.codes).toContainEqual({ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6813' });
  });
  test('a Provenance carries the facets of its targets', () => {
    const one = indexed(statement({ medicationReference: { reference: 'Medication/m' } }), undefined, {}, [medication]);
    const two = indexed({ resourceType: 'Condition', id: 'c', subject: { reference: 'Patient/bob' }, meta: { security: [labelCoding('V')] } });
    const provenance = { resourceType: 'Provenance', id: 'p', target: [{ reference: 'MedicationStatement/s/_history/1' }, { reference: 'Condition/c' }] };
    expect(indexed(provenance, undefined, {}, [one, two]).facets).toMatchObject({
      records: ['Patient/bob', 'Patient/mary'],
      confidentiality: 5,
      sensitivity: ['OPIOIDUD'],
      about: ['MedicationStatement/s', 'Condition/c'],
      targetTypes: ['MedicationStatement', 'Condition'],
    });
  });
  test('the origin of the first version stays', () => {
    const previous = indexed(statement(), 'patient|Patient/mary').facets;
    const origin: Origin = { kind: 'organization', by: 'ima' };
    expect(stamp(statement(), { origin, at, known: () => ({ exists: true }), previous }).origin).toEqual(previous.origin);
    expect(stamp(statement(), { origin, at, known: () => ({ exists: true }) }).origin).toEqual(origin);
  });
  test('a label goes only where the contributing organization takes it away', () => {
    const labelled = statement({ meta: { security: [labelCoding('R'), labelCoding('HIV')] } });
    const again = (origin: string): Facets => {
      const previous = indexed(labelled, origin).facets;
      return stamp(statement(), { origin: previous.origin, at, known: () => ({ exists: true }), previous });
    };
    expect(again('organization|ima')).toMatchObject({ confidentiality: 3, sensitivity: [] });
    expect(again('patient|Patient/mary')).toMatchObject({ confidentiality: 4, sensitivity: ['HIV'] });
  });
  test.each<[object, string, string]>([
    [{ effectiveDateTime: '2024-05' }, '2024-05-01T00:00:00.000Z', '2024-05-31T23:59:59.999Z'],
    [{ effectivePeriod: { start: '2024', end: '2025' }, dateAsserted: '2020' }, '2024-01-01T00:00:00.000Z', '2025-12-31T23:59:59.999Z'],
    [{ dateAsserted: '2020-02-29' }, '2020-02-29T00:00:00.000Z', '2020-02-29T23:59:59.999Z'],
    [{ occurrenceTiming: { event: ['2021', '2023'] } }, '2021-01-01T00:00:00.000Z', '2023-12-31T23:59:59.999Z'],
    [{}, '2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z'],
  ])('the clinical date of %j', (more, low, high) =>
    expect(indexed(statement(more)).facets.clinicalDate).toEqual({ low: Date.parse(low), high: Date.parse(high) }),
  );
  test('authors and information sources', () =>
    expect(
      indexed({ resourceType: 'Procedure', id: 'p', asserter: subject, performer: [{ actor: { reference: 'Practitioner/lee' } }] }).facets.authors,
    ).toEqual(['Patient/mary', 'Practitioner/lee']));
});

describe('what changes with others', () => {
  test('who cites a Medication', () =>
    expect(citersOf('Medication')).toEqual(expect.arrayContaining(['MedicationStatement', 'MedicationRequest', 'Provenance', 'List'])));
  test('an Observation changes reports, not statements', () => {
    expect(citersOf('Observation')).toContain('DiagnosticReport');
    expect(citersOf('Observation')).not.toContain('MedicationStatement');
  });
  test('a new Patient gives a record to what waits for it', () => expect(citersOf('Patient')).toContain('Observation'));
  test('only what others carry spreads', () => {
    const { facets } = indexed(statement());
    expect(spreads(facets, { ...facets, about: [] })).toBe(false);
    expect(spreads(facets, { ...facets, clinicalDate: { low: 0, high: 0 } })).toBe(true);
    expect(spreads(facets, { ...facets, confidentiality: 4 })).toBe(true);
    expect(spreads(facets, { ...facets, records: [] })).toBe(true);
    expect(spreads(undefined, facets)).toBe(false);
    expect(spreads(undefined, { ...facets, confidentiality: 4 })).toBe(true);
    expect(spreads(undefined, indexed({ resourceType: 'Patient', id: 'new' }).facets)).toBe(true);
  });
  test('a Medication joins the records of what cites it', () => {
    expect(lentBy(statement({ medicationReference: { reference: 'Medication/m' } }))).toEqual(['Medication/m']);
    expect(lentBy({ resourceType: 'DiagnosticReport', result: [{ reference: 'Observation/o' }] })).toEqual([]);
    const { facets } = indexed({ resourceType: 'Medication', id: 'm' });
    expect(joined(facets, ['Patient/mary']).records).toEqual(['Patient/mary']);
    expect(joined({ ...facets, records: ['Patient/mary'] }, ['Patient/mary', 'Patient/bob']).records).toEqual(['Patient/bob', 'Patient/mary']);
  });
});

describe('labels', () => {
  const of = (text: string) => labelsOf([], [text], [], []).sensitivity;
  test.each([
    ['buprenorphine 2 MG / naloxone 0.5 MG Sublingual Tablet', ['OPIOIDUD']],
    ['Naltrexone hydrochloride 50 MG Oral Tablet', ['SUD']],
    ['Antabuse 250 mg', ['ETHUD']],
    ['acamprosate calcium', ['ETHUD']],
    ['Biktarvy', ['HIV']],
    ['HIV-1 RNA', ['HIV']],
    ['QUEtiapine 25 MG', ['MH', 'PSY']],
    ['mifepristone 200 MG', ['SEX']],
    ['Victim of intimate partner abuse (finding)', ['SDV']],
    ['Hives', []],
    ['Rapeseed allergy', []],
    ['Romania', []],
    ['lisinopril 10 MG Oral Tablet', []],
    ['nonalcoholic steatohepatitis', []],
  ])('%s → %j', (text, labels) => expect(of(text)).toEqual(labels));
  test('the words of narrative, of sections, results and conclusions count', () => {
    const text = { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">HIV positive</div>' };
    const words = 'HIV positive';
    const bodies: readonly object[] = [
      { resourceType: 'Observation', valueString: words },
      { resourceType: 'Observation', component: [{ valueString: words }] },
      { resourceType: 'Observation', text },
      { resourceType: 'DiagnosticReport', conclusion: words },
      { resourceType: 'Composition', section: [{ section: [{ text }] }] },
      { resourceType: 'ClinicalImpression', summary: words },
      { resourceType: 'Communication', payload: [{ contentString: words }] },
    ];
    for (const body of bodies) expect([body, indexed({ id: 'x', ...body } as Resource).facets.sensitivity]).toEqual([body, ['HIV']]);
    expect(indexed({ resourceType: 'Observation', id: 'x', valueString: '5 mg' }).facets.sensitivity).toEqual([]);
  });
  test('a code system counts by each of its names', () => {
    const labels = (system: string, code: string): unknown => labelsOf([{ system, code }], [], [], []).sensitivity;
    expect(labels('urn:oid:2.16.840.1.113883.6.88', '6813')).toEqual(['OPIOIDUD']);
    for (const system of ['http://hl7.org/fhir/sid/icd-10', 'urn:oid:2.16.840.1.113883.6.3', 'urn:oid:2.16.840.1.113883.6.90'])
      expect(labels(system, 'F11.20')).toEqual(['OPIOIDUD']);
  });
  test('ICD-10-CM with and without its dot', () => {
    const icd = (code: string) => labelsOf([{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code }], [], [], []).sensitivity;
    expect([icd('F11.20'), icd('F1120'), icd('B20'), icd('F17.210'), icd('O80')]).toEqual([['OPIOIDUD'], ['OPIOIDUD'], ['HIV'], [], ['SEX']]);
  });
  test('a code of another system is another code', () => expect(labelsOf([{ system: 'http://loinc.org', code: '6813' }], [], [], []).sensitivity).toEqual([]));
  test('confidentiality: the highest; N without any; R at least with a sensitivity', () => {
    const level = (...codes: string[]) => labelsOf([], [], codes.map(labelCoding), []).confidentiality;
    expect([level(), level('L'), level('L', 'V'), level('N', 'HIV'), level('V', 'HIV')]).toEqual([3, 1, 5, 4, 5]);
  });
  test('a document’s own security label counts', () =>
    expect(indexed({ resourceType: 'DocumentReference', id: 'd', subject, securityLabel: [{ coding: [labelCoding('V')] }] }).facets.confidentiality).toBe(5));
  test('rendered: one confidentiality, every sensitivity, others as they were', () => {
    const patast = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'PATAST' };
    const resource = statement({ meta: { versionId: '1', security: [labelCoding('N'), patast] } });
    expect(renderSecurity(resource, { confidentiality: 4, sensitivity: ['HIV'] }).meta).toEqual({
      versionId: '1',
      security: [labelCoding('R'), patast, labelCoding('HIV')],
    });
  });
  test('a label code in another system is none', () =>
    expect(
      labelsOf(
        [],
        [],
        [
          { system: 'http://example.org', code: 'V' },
          { system: 'http://example.org', code: 'HIV' },
        ],
        [],
      ),
    ).toEqual({ confidentiality: 3, sensitivity: [] }));
  test('a Composition’s own confidentiality counts', () =>
    expect(indexed({ resourceType: 'Composition', id: 'd', subject, confidentiality: 'V' }).facets.confidentiality).toBe(5));
  test('a coding without system is among the codes', () =>
    expect(indexed(statement({ medicationCodeableConcept: { coding: [{ code: 'x' }] } })).facets.codes).toEqual([{ code: 'x' }]));
  test('rendered: a sensitivity that is missing beside one that is there', () =>
    expect(
      renderSecurity(statement({ meta: { security: [labelCoding('R'), labelCoding('HIV')] } }), { confidentiality: 4, sensitivity: ['HIV', 'PSY'] }).meta
        ?.security,
    ).toEqual([labelCoding('R'), labelCoding('HIV'), labelCoding('PSY')]));
  test('rendered: a resource without labels stays as it is', () => {
    const resource = statement();
    expect(renderSecurity(resource, { confidentiality: 3, sensitivity: [] })).toBe(resource);
  });
});
