import { Buffer } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import codeSystem from '../../profiles/CodeSystem-audit-event.json' with { type: 'json' };
import { verifyChain } from '../../src/audit/chain.ts';
import { auditEntry } from '../../src/audit/event.ts';
import { type Occurrence, type OccurrenceCode, occurrenceRecord } from '../../src/audit/occurrence.ts';
import { subtypeSystem } from '../../src/audit/render-occurrence.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { validate } from '../../src/fhir/validate/validate.ts';
import { makeNote } from '../../src/interaction/occurrence.ts';
import { openScratch } from '../engine.ts';

const moment = { id: 'l1', at: '2026-11-24T10:00:00.000Z', server: 'https://kindred.example/fhir' };
interface Rendered {
  readonly meta: { readonly profile?: readonly string[] };
  readonly type: { readonly code: string };
  readonly subtype: readonly { readonly system: string; readonly code: string }[];
  readonly outcome: string;
  readonly outcomeDesc?: string;
  readonly agent: readonly {
    readonly type: { readonly coding: readonly { readonly code: string }[] };
    readonly who: { readonly reference?: string; readonly identifier?: { readonly value: string } };
    readonly altId?: string;
    readonly requestor: boolean;
    readonly policy?: readonly string[];
    readonly network?: { readonly address: string };
  }[];
  readonly entity?: readonly {
    readonly role: { readonly code: string };
    readonly query?: string;
    readonly what?: { readonly reference?: string; readonly identifier?: { readonly value: string } };
  }[];
}
const entryOf = (occurrence: Occurrence) => auditEntry(occurrenceRecord(occurrence, moment));
const resourceOf = (occurrence: Occurrence): Resource => entryOf(occurrence).indexed.resource;
const rendered = (occurrence: Occurrence): Rendered => resourceOf(occurrence) as unknown as Rendered;

const token: Occurrence = {
  code: 'token',
  client: 'med-app',
  account: 'mary',
  who: 'Patient/mary',
  purpose: 'PATRQT',
  token: 'jti-1',
  record: 'Patient/mary',
  consents: ['Consent/app-1'],
  text: 'patient/Observation.rs launch/patient',
  address: '203.0.113.9',
};
const signIn: Occurrence = { code: 'sign-in', account: 'mary', who: 'Patient/mary', record: 'Patient/mary', address: '203.0.113.9', text: 'pwd otp' };

const codes: readonly OccurrenceCode[] = [
  ...(['sign-up', 'sign-in', 'sign-out', 'credentials', 'authorize', 'token', 'refresh'] as const),
  ...(['introspect', 'revoke', 'launch', 'register', 'client', 'account', 'key'] as const),
];

describe.each(codes)('%s', code => {
  test.each<[string, Omit<Occurrence, 'code'>]>([
    ['with all that can be known', token],
    ['with nothing known', {}],
    ['refused', { outcome: '8', why: 'wrong', account: 'mary', client: 'med-app', count: 3 }],
  ])('%s is sound R4 under User Authentication, with a subtype that is defined', (_name, more) => {
    const event = rendered({ ...more, code });
    expect(validate(event as unknown as Resource)).toEqual([]);
    expect(event.type.code).toBe('110114');
    const [subtype, ...others] = event.subtype;
    expect(others).toEqual([]);
    if (subtype!.system === subtypeSystem) expect(codeSystem.concept.map(concept => concept.code)).toContain(subtype!.code);
    else expect(['110122', '110123', 'ITI-71']).toContain(subtype!.code);
  });
});

describe('BALP ITI-71: a token, and a refreshed one', () => {
  test.each(['token', 'refresh'] as const)('%s claims the profile and keeps it', code => {
    const event = rendered({ ...token, code });
    expect(event.meta.profile).toEqual(['https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.IUA.71']);
    expect(event.subtype).toEqual([{ system: 'urn:ihe:event-type-code', code: 'ITI-71', display: 'Get Access Token' }]);
    expect(event.agent.map(agent => agent.type.coding[0]!.code)).toEqual(['110150', 'AuthzOauthService', 'IRCP']);
    expect(event.agent.map(agent => agent.network !== undefined)).toEqual([true, true, false]);
    expect(event.agent.map(agent => agent.requestor)).toEqual([false, false, true]);
    expect(event.agent.map(agent => agent.altId)).toEqual([undefined, undefined, undefined]);
    expect(event.agent[2]!.policy).toEqual(['urn:ietf:params:oauth:jti:jti-1', 'https://kindred.example/fhir/Consent/app-1']);
    // One entity, the request, and nothing else in it.
    expect(event.entity!.map(entity => [entity.role.code, Buffer.from(entity.query!, 'base64').toString()])).toEqual([
      ['24', 'patient/Observation.rs launch/patient'],
    ]);
  });

  test('what has no room in the profile does not claim it: a refusal, another’s record', () => {
    expect(rendered({ ...token, outcome: '4', why: 'invalid_grant' }).meta.profile).toBeUndefined();
    const anna = rendered({ ...token, account: 'anna', who: 'RelatedPerson/anna-for-mary', onBehalfOf: 'Patient/mary' });
    expect(anna.meta.profile).toBeUndefined();
    expect(anna.entity!.map(entity => entity.what?.reference)).toContain('Patient/mary');
  });

  test('of a system there is the organization, and no person', () => {
    const event = rendered({ code: 'token', client: 'ehr-ima', who: 'Organization/ima', token: 'jti-2', text: 'system/*.rs', address: '203.0.113.9' });
    expect(event.meta.profile).toHaveLength(1);
    expect(event.agent.map(agent => agent.who.reference ?? agent.who.identifier?.value)).toEqual([
      'ehr-ima',
      'https://kindred.example/fhir',
      'Organization/ima',
    ]);
  });
});

test('DICOM: sign-in is Login, sign-out Logout, and the address is the person’s where there is no app', () => {
  expect(rendered(signIn).subtype[0]).toMatchObject({ code: '110122' });
  expect(rendered({ ...signIn, code: 'sign-out' }).subtype[0]).toMatchObject({ code: '110123' });
  const { agent } = rendered(signIn);
  expect(agent.map(one => [one.who.reference, one.network?.address])).toEqual([
    [undefined, 'https://kindred.example/fhir'],
    ['Patient/mary', '203.0.113.9'],
  ]);
});

test('who did not get in is no caller: the account that was named is in the line as that', () => {
  const failed: Occurrence = { code: 'sign-in', outcome: '8', why: 'refused', account: 'mary', record: 'Patient/mary', address: '203.0.113.9', count: 4 };
  const line = occurrenceRecord(failed, moment);
  expect(line.caller).toBeUndefined();
  const event = rendered(failed);
  expect(event.agent.map(agent => agent.who.identifier?.value)).toEqual(['unauthenticated', 'https://kindred.example/fhir']);
  expect(event.entity!.find(entity => entity.role.code === '11')?.what?.identifier?.value).toBe('mary');
  expect(event.outcomeDesc).toBe('refused (4 times)');
  // Who has signed in already and shows a wrong factor is known.
  expect(occurrenceRecord({ ...failed, code: 'credentials' }, moment).caller?.account).toBe('mary');
});

test('a line is in the record that it names, and about more than any permit covers by itself', () => {
  const of = (code: OccurrenceCode) => entryOf({ ...token, code }).indexed.facets;
  for (const code of codes) {
    expect(of(code).records).toEqual(['Patient/mary']);
    const [log, ...others] = of(code).targetTypes!;
    expect(log).toBe('AuditEvent');
    expect([['Consent'], ['Person']]).toContainEqual(others);
  }
  expect(entryOf({ code: 'key' }).indexed.facets.records).toEqual([]);
});

describe('the lines in a store', () => {
  const parts = { base: () => moment.server, now: () => moment.at, newId: () => crypto.randomUUID() };
  test('are in the chain with what they are found by', async () => {
    const store = await openScratch();
    const note = makeNote({ ...parts, audit: true });
    const all = [token, signIn, ...codes.map((code): Occurrence => ({ ...token, code })), { code: 'key' } as const];
    expect((await store.commit(all.flatMap(note), moment.at)).ok).toBe(true);
    const { events, faults } = await verifyChain(store.chain());
    expect([events, faults]).toEqual([all.length, []]);
    await store.close();
  });
  test('with the log off there are none', () => {
    expect(makeNote({ ...parts, audit: false })(token)).toEqual([]);
  });
});
