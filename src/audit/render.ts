import { Buffer } from 'node:buffer';
import type { Coding, Resource } from '../fhir/types.ts';
import { isOccurrence, type OccurrenceCode } from './occurrence.ts';
import type { AuditRecord } from './record.ts';
import { renderOccurrence, subtypeSystem } from './render-occurrence.ts';

// IHE Basic Audit Log Patterns (BALP) 1.1.4: https://profiles.ihe.net/ITI/BALP/
const PROFILE = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.';
const DCM = 'http://dicom.nema.org/resources/ontology/DCM';
const PARTICIPATION = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType';

interface Pattern {
  /** AuditEvent.action. */
  readonly action: string;
  readonly profile: string;
  readonly client: Coding;
  readonly server: Coding;
  readonly user: string;
  /** object-role of the data entity. */
  readonly role: string;
}
const source: Coding = { system: DCM, code: '110153', display: 'Source Role ID' };
const destination: Coding = { system: DCM, code: '110152', display: 'Destination Role ID' };
const reading: Pattern = { action: 'R', profile: 'Read', client: destination, server: source, user: 'IRCP', role: '4' };
const querying: Pattern = { action: 'E', profile: 'Query', client: source, server: destination, user: 'IRCP', role: '24' };
const writing = (action: string, profile: string): Pattern => ({ action, profile, client: source, server: destination, user: 'AUT', role: '4' });
const deleting: Pattern = {
  ...writing('D', 'Delete'),
  client: { system: DCM, code: '110150', display: 'Application' },
  server: { system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'custodian' },
};

/** One row for each interaction that BALP has a pattern for. */
const patterns: Readonly<Record<string, Pattern>> = {
  read: reading,
  vread: reading,
  // BALP has no pattern for a history: it has the shape of a read.
  'history-instance': { ...reading, profile: '' },
  'search-type': querying,
  'search-system': querying,
  create: writing('C', 'Create'),
  update: writing('U', 'Update'),
  delete: deleting,
};
/** Operations, also those of our own pages: FHIR has one code for all of them, and ours says which. */
const operations: readonly string[] = ['who-can-see', 'preview', 'app-authorize', 'app-end'];
const other: Pattern = { ...querying, profile: '' };

/**
 * Whether the event is all that its BALP profile demands, and so may claim it: outcome 0, the network address of the client, and of a query its text, of
 * anything else what it was about.
 */
const keeps = ({ outcome, address, query, target }: AuditRecord, { profile }: Pattern): boolean =>
  profile !== '' && outcome === '0' && address !== undefined && (profile === 'Query' ? query : target) !== undefined;

/** The BALP AuditEvent of a line of the log. Pure. A refusal has the shape of the profiles and does not claim them. */
export function renderAuditEvent(record: AuditRecord): Resource {
  if (isOccurrence(record.code)) return renderOccurrence(record as AuditRecord & { readonly code: OccurrenceCode });
  const pattern = patterns[record.code] ?? other;
  const profile = keeps(record, pattern) ? `${PROFILE}${record.record === undefined ? '' : 'Patient'}${pattern.profile}` : undefined;
  return {
    resourceType: 'AuditEvent',
    id: record.id,
    meta: {
      versionId: '1',
      lastUpdated: record.at,
      ...(profile === undefined ? {} : { profile: [profile] }),
      security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }],
    },
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest', display: 'RESTful Operation' },
    subtype: operations.includes(record.code)
      ? [
          { system: 'http://hl7.org/fhir/restful-interaction', code: 'operation' },
          { system: subtypeSystem, code: record.code },
        ]
      : [{ system: 'http://hl7.org/fhir/restful-interaction', code: record.code }],
    action: pattern.action,
    recorded: record.at,
    outcome: record.outcome,
    ...(record.why === undefined ? {} : { outcomeDesc: record.count === undefined ? record.why : `${record.why} (${record.count} requests)` }),
    ...(record.caller === undefined
      ? {}
      : { purposeOfEvent: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: record.caller.purpose }] }] }),
    agent: agents(record, pattern),
    source: {
      observer: { display: 'Kindred', identifier: { value: record.server } },
      type: [{ system: 'http://terminology.hl7.org/CodeSystem/security-source-type', code: '4', display: 'Application Server' }],
    },
    entity: entities(record, pattern),
  };
}

function agents(record: AuditRecord, pattern: Pattern): object[] {
  const { caller } = record;
  const client = {
    type: { coding: [pattern.client] },
    who: { identifier: { value: caller?.client ?? 'unauthenticated' } },
    requestor: caller === undefined,
    ...(record.address === undefined ? {} : { network: { address: record.address, type: '2' } }),
  };
  const server = {
    type: { coding: [pattern.server] },
    who: { display: 'Kindred', identifier: { value: record.server } },
    requestor: false,
    network: { address: record.server, type: '5' },
  };
  if (caller === undefined) return [client, server];
  const user = {
    type: {
      coding: [
        { system: PARTICIPATION, code: pattern.user },
        { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes', code: 'UserOauthAgent' },
      ],
    },
    who: { reference: caller.who },
    ...(caller.account === undefined ? {} : { altId: caller.account }),
    role: [{ text: caller.onBehalfOf === undefined ? caller.kind : `${caller.kind} on behalf of ${caller.onBehalfOf}` }],
    requestor: true,
    policy: [`urn:ietf:params:oauth:jti:${caller.token}`],
  };
  return [client, server, user];
}

function entities(record: AuditRecord, pattern: Pattern): object[] {
  const entityType = (code: string) => ({ system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code });
  const entityRole = (code: string) => ({ system: 'http://terminology.hl7.org/CodeSystem/object-role', code });
  const { target } = record;
  return [
    ...(record.record === undefined ? [] : [{ what: { reference: record.record }, type: entityType('1'), role: entityRole('1') }]),
    ...(target === undefined
      ? []
      : [
          {
            what: { reference: `${target.type}/${target.id}${target.versionId === undefined ? '' : `/_history/${target.versionId}`}` },
            type: entityType('2'),
            role: entityRole(pattern.role === '24' ? '4' : pattern.role),
          },
        ]),
    ...(record.query === undefined
      ? []
      : [{ type: entityType('2'), role: entityRole('24'), description: record.query, query: Buffer.from(record.query).toString('base64') }]),
    ...record.consents.map(consent => ({ what: { reference: consent }, type: entityType('2'), role: entityRole('13'), name: 'Consent relied on' })),
    {
      what: { identifier: { value: record.request } },
      type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    },
  ];
}
