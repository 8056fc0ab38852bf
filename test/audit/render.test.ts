import { describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '../../src/audit/record.ts';
import { renderAuditEvent } from '../../src/audit/render.ts';
import { validate } from '../../src/fhir/validate/validate.ts';

const record = (more: Partial<AuditRecord>): AuditRecord => ({
  id: 'e1',
  at: '2026-11-24T10:00:00.000Z',
  code: 'read',
  outcome: '0',
  caller: { kind: 'caregiver', client: 'med-app', account: 'anna', who: 'RelatedPerson/anna', onBehalfOf: 'Patient/mary', purpose: 'FAMRQT', token: 'jti-1' },
  address: '203.0.113.9',
  server: 'https://kindred.example/fhir',
  request: 'r1',
  target: { type: 'MedicationStatement', id: 'm1', versionId: '1' },
  record: 'Patient/mary',
  consents: ['Consent/c1'],
  labels: { confidentiality: 3, sensitivity: [], types: [] } as unknown as AuditRecord['labels'],
  ...more,
});
interface Rendered {
  readonly meta: { readonly profile?: readonly string[] };
  readonly action: string;
  readonly agent: readonly {
    readonly type: { readonly coding: readonly { readonly code: string }[] };
    readonly requestor: boolean;
    readonly network?: object;
  }[];
  readonly entity: readonly { readonly role?: { readonly code: string }; readonly query?: string; readonly what?: { readonly reference?: string } }[];
}
const rendered = (more: Partial<AuditRecord>): Rendered => renderAuditEvent(record(more)) as unknown as Rendered;
const profileOf = (more: Partial<AuditRecord>): string | undefined =>
  rendered(more).meta.profile?.[0]?.replace('https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.', '');

// BALP 1.1.4: action, client agent, server agent, user agent, role of the data entity.
describe.each([
  ['read', 'PatientRead', 'R', '110152', '110153', 'IRCP', '4'],
  ['vread', 'PatientRead', 'R', '110152', '110153', 'IRCP', '4'],
  ['create', 'PatientCreate', 'C', '110153', '110152', 'AUT', '4'],
  ['update', 'PatientUpdate', 'U', '110153', '110152', 'AUT', '4'],
  ['delete', 'PatientDelete', 'D', '110150', 'custodian', 'AUT', '4'],
])('%s', (code, profile, action, client, server, user, role) => {
  test('claims its profile and keeps it', () => {
    const event = rendered({ code });
    expect(profileOf({ code })).toBe(profile);
    expect(event.action).toBe(action);
    expect(event.agent.map(agent => agent.type.coding[0]!.code)).toEqual([client, server, user]);
    expect(event.agent.map(agent => agent.requestor)).toEqual([false, false, true]);
    expect(event.agent.map(agent => agent.network !== undefined)).toEqual([true, true, false]);
    expect(event.entity.map(entity => entity.what?.reference)).toEqual(
      expect.arrayContaining(['Patient/mary', 'MedicationStatement/m1/_history/1', 'Consent/c1']),
    );
    expect(event.entity.find(entity => entity.what?.reference?.startsWith('MedicationStatement'))?.role?.code).toBe(role);
    expect(validate(renderAuditEvent(record({ code })))).toEqual([]);
  });
});

test('a query has action E, role 24 and its text in base64', () => {
  const { target: _target, ...query } = record({ code: 'search-type', query: 'MedicationStatement?status=active' });
  const event = renderAuditEvent(query) as unknown as Rendered;
  expect(event.action).toBe('E');
  expect(event.meta.profile).toEqual(['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery']);
  const entity = event.entity.find(one => one.role?.code === '24');
  expect(Buffer.from(entity!.query!, 'base64').toString()).toBe('MedicationStatement?status=active');
  expect(validate(renderAuditEvent(query))).toEqual([]);
});

test('no profile is claimed by what does not keep it', () => {
  const without = (name: 'address' | 'target'): Partial<AuditRecord> => ({ [name]: undefined });
  expect(profileOf({ outcome: '8' })).toBeUndefined();
  expect(profileOf(without('address'))).toBeUndefined();
  expect(profileOf(without('target'))).toBeUndefined();
  expect(profileOf({ code: 'search-type' })).toBeUndefined();
  expect(profileOf({ code: 'history-instance' })).toBeUndefined();
  expect(profileOf({ code: 'unauthenticated' })).toBeUndefined();
});

test('an event about nobody’s record claims the profile without the patient', () => {
  const { record: _record, ...nobody } = record({});
  expect((renderAuditEvent(nobody) as unknown as Rendered).meta.profile).toEqual(['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Read']);
});
