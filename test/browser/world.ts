import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TOTP } from 'otpauth';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import type { Resource } from '../../src/fhir/types.ts';
import { keepSmart, type SmartClient, smart } from '../clients/fhirclient.ts';
import { agreement, buprenorphine, designation, lisinopril, statement } from '../http/resources.ts';
import { type Client, openWorld, scratch, type World } from '../http/world.ts';

/** An app that runs at an address of its own; SMART's JS library does its part of the conversation. */
export interface App {
  /** Where a person begins. */
  readonly launch: string;
  readonly redirect: string;
  /** What came of the last launch that ended. Throws why there is none. */
  client(): SmartClient;
  end(): Promise<void>;
}

export async function openApp(clientId: string, iss: () => string, scope: string): Promise<App> {
  const kept = keepSmart();
  let outcome: SmartClient | Error = new Error('the app was not launched');
  const server: Server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://app');
    const library = smart(request, response, kept);
    try {
      if (pathname === '/launch') await library.authorize({ clientId, scope, iss: iss(), redirectUri: '/callback' });
      else if (pathname === '/callback') {
        outcome = await library.ready();
        response.setHeader('Content-Type', 'text/html').end('<!doctype html><html lang="en"><title>App</title><h1>The app is connected</h1>');
      } else response.writeHead(404).end();
    } catch (error) {
      outcome = error as Error;
      response.writeHead(400, { 'Content-Type': 'text/html' }).end('<!doctype html><html lang="en"><title>App</title><h1>The app is not connected</h1>');
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve).unref());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    launch: `${origin}/launch`,
    redirect: `${origin}/callback`,
    client() {
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    async end() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

/** The HTTP status of what an app asks for. */
export const statusOf = (client: SmartClient, path: string): Promise<unknown> =>
  client.request(path).then(
    () => 200,
    error => (error as { readonly statusCode?: number }).statusCode,
  );

/** What the medications are called that the app can see. */
export async function medicationsOf(client: SmartClient): Promise<readonly string[]> {
  const found = await client.request('MedicationStatement', { flat: true });
  return (found as unknown as readonly { readonly medicationCodeableConcept: { readonly coding: readonly { readonly display: string }[] } }[]).map(
    ({ medicationCodeableConcept }) => medicationCodeableConcept.coding[0]!.display,
  );
}

export interface BrowserWorld extends World {
  /** The practice's EHR. */
  readonly ehr: Client;
  readonly medications: App;
}

export const MARYS_TOTP = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';

/** The demo's family: Mary has an authenticator app, Anna a record of her own besides. With what the practice wrote, and Anna's designation. */
export async function openBrowserWorld(environment: Readonly<Record<string, string>> = {}): Promise<BrowserWorld> {
  let base = '';
  const mail = scratch();
  const scope = 'launch/patient openid fhirUser offline_access patient/Patient.r patient/MedicationStatement.rs patient/Condition.rs';
  const medications = await openApp('medications', () => base, scope);
  const seed = family as Seed;
  const world = await openWorld(
    { KINDRED_MAIL: `dir:${mail.path}`, ...environment },
    {
      ...seed,
      accounts: seed.accounts!.map(account => ({
        ...account,
        ...(account.username === 'mary' ? { totp: MARYS_TOTP } : {}),
        hats: [...account.hats, ...(account.username === 'anna' ? [{ kind: 'patient' as const, resource: 'Patient/anna' as const }] : [])],
      })),
      clients: [
        ...seed.clients!,
        {
          client_id: 'medications',
          client_name: 'Pill diary',
          kind: 'app',
          redirect_uris: [medications.redirect],
          scope: 'patient/*.cruds openid fhirUser launch/patient offline_access',
        },
      ],
      records: [...seed.records!, { patients: ['Patient/anna'], enrolled: [] }],
      resources: [
        ...seed.resources!,
        {
          origin: { kind: 'patient', by: 'Patient/anna' },
          resource: { resourceType: 'Patient', id: 'anna', name: [{ family: 'Reyes', given: ['Anna'] }], gender: 'female', birthDate: '1975-06-11' },
        },
      ],
    },
  );
  base = `${world.url}/fhir`;
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  const post = async (client: Client, resource: Resource): Promise<string> => {
    const answer = await client.post(resource.resourceType, resource);
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    return answer.body.id as string;
  };
  await post(ehr, lisinopril());
  await post(ehr, buprenorphine());
  await post(ehr, designation(`DocumentReference/${await post(ehr, agreement())}`));
  const anna = world.as(await world.token('med-app', 'patient/*.cruds', 'anna', 'Patient/anna'));
  await post(anna, statement('161', 'acetaminophen', { subject: { reference: 'Patient/anna' } }));
  return {
    ...world,
    ehr,
    medications,
    async end() {
      await medications.end();
      await world.end();
      mail.remove();
    },
  };
}

/**
 * The codes of an authenticator app. One is good once, and the server takes those of the step before and after too: so three can be had without waiting.
 */
export function makeCodes(totp: TOTP, clock: () => number = Date.now): () => string {
  let last = -1;
  return () => {
    const now = Math.floor(clock() / 30_000);
    last = Math.max(now - 1, last + 1);
    if (last > now + 1) throw new Error('more codes than there are in so short a time');
    return totp.generate({ timestamp: last * 30_000 });
  };
}
