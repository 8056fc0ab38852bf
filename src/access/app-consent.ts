import type { Instant, KeyName, Resource, ResourceType } from '../fhir/types.ts';
import type { RecordId } from '../search/indexed.ts';
import { canonical, consentKindSystem } from './canonical.ts';
import { systems } from './codes.ts';
import { kindOf } from './consent.ts';
import { elements, readRange, referenceName } from './elements.ts';
import { parseScopes } from './scope.ts';

/** The authorization of an app, as a Consent of kind `app` mirrors it. It never permits anything: what the app may do, its tokens and the other Consents say. */
export interface AppConsent {
  readonly id: string;
  readonly patient: RecordId;
  /** Who let the app in: the patient, or a RelatedPerson within her own rights. */
  readonly performer: KeyName;
  readonly client: { readonly id: string; readonly name: string };
  /** As it was granted. */
  readonly scope: string;
  readonly at: Instant;
  /** Absent: it has no end. */
  readonly until?: Instant;
}

/** The scopes of an authorization, as OAuth writes them. */
export const scopeExtension = `${canonical}/StructureDefinition/app-scope`;
/** The system of the OAuth client ids that this server gives. */
export const clientSystem = `${canonical}/NamingSystem/oauth-client`;
const contained = 'app';

/** The resource (profiles/StructureDefinition-consent-app.json): the app is a contained Device, so that it is in no set of actors. Pure. */
export function writeAppConsent({ id, patient, performer, client, scope, at, until }: AppConsent): Resource & { readonly id: string } {
  const types = typesOf(scope);
  const may = new Set(parseScopes(scope).scopes.flatMap(one => [...one.may]));
  const actions = [...(may.has('r') || may.has('s') ? ['access'] : []), ...(may.has('c') || may.has('u') || may.has('d') ? ['correct'] : [])];
  return {
    resourceType: 'Consent',
    id,
    meta: { profile: [`${canonical}/StructureDefinition/consent-app`] },
    contained: [
      {
        resourceType: 'Device',
        id: contained,
        identifier: [{ system: clientSystem, value: client.id }],
        deviceName: [{ name: client.name, type: 'user-friendly-name' }],
      },
    ],
    extension: [{ url: scopeExtension, valueString: scope }],
    status: 'active',
    scope: { coding: [{ system: systems.scope, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: 'app' }] }],
    patient: { reference: patient },
    dateTime: at,
    performer: [{ reference: performer }],
    policyRule: { text: `${client.name} may ask for no more than these scopes, and gets no more than who let it in may see and change: ${scope}` },
    provision: {
      type: 'permit',
      period: { start: at, ...(until === undefined ? {} : { end: until }) },
      actor: [
        {
          role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
          reference: { reference: `#${contained}`, display: client.name },
        },
      ],
      ...(actions.length === 0 ? {} : { action: actions.map(code => ({ coding: [{ system: systems.action, code }] })) }),
      ...(types.length === 0 ? {} : { class: types.map(code => ({ system: systems.types, code })) }),
    },
  };
}

/** The types that the scopes name; none where some scope is about all of them. */
function typesOf(scope: string): readonly ResourceType[] {
  const types = [...new Set(parseScopes(scope).scopes.map(one => one.type))];
  return types.includes('*') ? [] : types.toSorted();
}

/** What a Consent of kind `app` says; undefined for any other. */
export function readAppConsent(consent: Resource): (Pick<AppConsent, 'client' | 'scope'> & { readonly performer?: KeyName }) | undefined {
  if (kindOf(consent) !== 'app') return undefined;
  const device = elements(consent.contained).find(one => one.resourceType === 'Device');
  const client = elements(device?.identifier).find(one => one.system === clientSystem)?.value;
  const name = elements(device?.deviceName)[0]?.name;
  const scope = elements(consent.extension).find(one => one.url === scopeExtension)?.valueString;
  const performer = referenceName(elements(consent.performer)[0]);
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return { client: { id: text(client), name: text(name) }, scope: text(scope), ...(performer === undefined ? {} : { performer }) };
}

/** Whether the authorization behind it stands at this moment: it is of kind `app`, active, and within its period. */
export function appStands(consent: Resource, at: Instant): boolean {
  if (kindOf(consent) !== 'app' || consent.status !== 'active') return false;
  const [provision] = elements(consent.provision);
  const period = provision?.period === undefined ? undefined : readRange(provision.period);
  if (provision === undefined || (provision.period !== undefined && period === undefined)) return false;
  const now = Date.parse(at);
  return period === undefined || (period.low <= now && now <= period.high);
}

/** The same authorization, ended. */
export const endAppConsent = (consent: Resource): Resource => ({ ...consent, status: 'inactive' });
