import { Buffer } from 'node:buffer';
import { canonical } from '../access/canonical.ts';
import type { Coding, Resource } from '../fhir/types.ts';
import type { OccurrenceCode } from './occurrence.ts';
import type { AuditRecord } from './record.ts';

// IHE Basic Audit Log Patterns (BALP) 1.1.4, ITI-71: https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.IUA.71.html
const PROFILE = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.IUA.71';
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const authentication: Coding = { system: DCM, code: '110114', display: 'User Authentication' };
const application: Coding = { system: DCM, code: '110150', display: 'Application' };
const getToken: Coding = { system: 'urn:ihe:event-type-code', code: 'ITI-71', display: 'Get Access Token' };
const userAgents = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes';
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

/** What has a code elsewhere; all else has one of ours. */
const subtypes: Partial<Readonly<Record<OccurrenceCode, Coding>>> = {
  'sign-in': { system: DCM, code: '110122', display: 'Login' },
  'sign-out': { system: DCM, code: '110123', display: 'Logout' },
  token: getToken,
  refresh: getToken,
};
export const subtypeSystem = `${canonical}/CodeSystem/audit-event`;

/** The AuditEvent of what happened beside the road (occurrence.ts): DICOM's user authentication; tokens by the pattern of ITI-71. Pure. */
export function renderOccurrence(record: AuditRecord & { readonly code: OccurrenceCode }): Resource {
  const { caller, code } = record;
  const ofToken = code === 'token' || code === 'refresh';
  return {
    resourceType: 'AuditEvent',
    id: record.id,
    meta: {
      versionId: '1',
      lastUpdated: record.at,
      ...(ofToken && keeps(record) ? { profile: [PROFILE] } : {}),
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    },
    type: authentication,
    subtype: [subtypes[code] ?? { system: subtypeSystem, code }],
    action: 'E',
    recorded: record.at,
    outcome: record.outcome,
    ...outcomeText(record),
    ...(caller?.purpose === undefined
      ? {}
      : { purposeOfEvent: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: caller.purpose }] }] }),
    agent: agents(record, ofToken),
    source: {
      observer: { display: 'Kindred', identifier: { value: record.server } },
      type: [{ system: 'http://terminology.hl7.org/CodeSystem/security-source-type', code: '3', display: 'Web Server' }],
    },
    ...entities(record, ofToken),
  };
}

/**
 * Whether it is all that the profile of ITI-71 demands, which has room for the request and for nothing else: the patient must be the user, since that makes
 * the line the patient's too.
 */
const keeps = ({ outcome, address, text, caller, record }: AuditRecord): boolean =>
  outcome === '0' && address !== undefined && text !== undefined && caller?.client !== undefined && (record === undefined || record === caller.who);

function outcomeText({ why, count }: AuditRecord): object {
  const text = [...(why === undefined ? [] : [why]), ...(count === undefined ? [] : [`(${count} times)`])].join(' ');
  return text === '' ? {} : { outcomeDesc: text };
}

function agents({ caller, address, server, consents }: AuditRecord, ofToken: boolean): object[] {
  const network = address === undefined ? {} : { network: { address, type: '2' } };
  const person = caller !== undefined && (caller.who !== undefined || caller.account !== undefined);
  // Where a browser asks without an app, the address is the person's.
  const alone = person && caller.client === undefined && !ofToken;
  const policy = [
    ...(caller?.token === undefined ? [] : [`urn:ietf:params:oauth:jti:${caller.token}`]),
    ...(ofToken ? consents.map(consent => `${server}/${consent}`) : []),
  ];
  const under = policy.length === 0 ? {} : { policy };
  const client = {
    type: { coding: [application] },
    who: { identifier: { value: caller?.client ?? 'unauthenticated' } },
    requestor: !person,
    ...(person ? {} : under),
    ...network,
  };
  const authorizing = {
    type: { coding: [{ system: userAgents, code: 'AuthzOauthService' }] },
    who: { display: 'Kindred', identifier: { value: server } },
    requestor: false,
    network: { address: server, type: '5' },
  };
  if (!person) return [client, authorizing];
  const { who, account, kind, onBehalfOf } = caller;
  const user = {
    type: { coding: [{ system: participation, code: 'IRCP' }, ...(caller.token === undefined ? [] : [{ system: userAgents, code: 'UserOauthAgent' }])] },
    who: who === undefined ? { identifier: { value: account } } : { reference: who },
    // ITI-71 has no alternative ids.
    ...(account === undefined ? {} : ofToken ? { name: account } : { altId: account }),
    role: [{ text: onBehalfOf === undefined ? kind : `${kind} on behalf of ${onBehalfOf}` }],
    requestor: true,
    ...under,
    ...(alone ? network : {}),
  };
  return alone ? [authorizing, user] : [client, authorizing, user];
}

function entities({ record, caller, account, consents, text, code }: AuditRecord, ofToken: boolean): object {
  const entityType = (of: string) => ({ system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: of });
  const entityRole = (of: string) => ({ system: 'http://terminology.hl7.org/CodeSystem/object-role', code: of });
  const query = text === undefined ? {} : { query: Buffer.from(text).toString('base64'), description: text };
  const entity = [
    ...(text === undefined ? [] : [{ type: entityType('2'), role: entityRole('24'), ...query, detail: [{ type: 'event', valueString: code }] }]),
    ...(record === undefined || (ofToken && record === caller?.who) ? [] : [{ what: { reference: record }, type: entityType('1'), role: entityRole('1') }]),
    ...(account === undefined ? [] : [{ what: { identifier: { value: account } }, type: entityType('1'), role: entityRole('11') }]),
    ...(ofToken ? [] : consents.map(consent => ({ what: { reference: consent }, type: entityType('2'), role: entityRole('13'), name: 'Consent' }))),
  ];
  return entity.length === 0 ? {} : { entity };
}
