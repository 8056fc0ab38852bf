import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { consentKindSystem } from '../../src/access/canonical.ts';
import type { Client } from '../../src/auth/client.ts';
import { hashSecret } from '../../src/auth/client-metadata.ts';
import family from '../../src/cli/demo-family.json' with { type: 'json' };
import type { Seed } from '../../src/cli/seed-format.ts';
import { openWorld, type World } from '../http/world.ts';
import { type Browser, openBrowser, type Page } from './browser.ts';

/** A key pair of a client. */
export async function clientKey(alg: string, kid: string): Promise<{ readonly secret: CryptoKey; readonly open: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { secret: privateKey, open: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what servers answer
  readonly body: any;
}
/** A server with the demo's family, and what OAuth clients ask of it. */
export interface AuthWorld extends World {
  readonly issuer: string;
  readonly base: string;
  add(client: Client): Promise<void>;
  browser(): Browser;
  post(path: string, form: Readonly<Record<string, string>>, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  fhir(path: string, token: string): Promise<Answer>;
  assertion(client: string, alg: string, kid: string, secret: CryptoKey, changes?: { readonly claims?: object; readonly header?: object }): Promise<string>;
}

/** Where post ends up. */
export const mail = mkdtempSync(join(tmpdir(), 'kindred-mail-'));
export const REDIRECT = 'http://127.0.0.1:9/callback';

export async function openAuthWorld(environment: Record<string, string> = {}, clients: readonly Client[] = []): Promise<AuthWorld> {
  const world = await openWorld({ KINDRED_PRIVATE_JWKS: 'on', KINDRED_MAIL: `dir:${mail}`, ...environment }, family as Seed);
  const { url } = world;
  const issuer = `${url}/auth`;
  const add = async (client: Client): Promise<void> => {
    const kept = client.client_secret === undefined ? client : { ...client, client_secret: hashSecret(String(client.client_secret)) };
    await world.app.store.commit([{ op: 'document', kind: 'client', id: client.client_id, value: kept }], world.app.now());
  };
  for (const client of clients) await add(client);
  const answerOf = async (response: Response): Promise<Answer> => {
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  return {
    ...world,
    issuer,
    base: `${url}/fhir`,
    add,
    browser: () => openBrowser(new URL(url).origin),
    post: async (path, form, headers = {}) => answerOf(await fetch(`${issuer}${path}`, { method: 'POST', body: new URLSearchParams(form), headers })),
    fhir: async (path, token) => answerOf(await fetch(`${url}/fhir/${path}`, { headers: { Authorization: `Bearer ${token}` } })),
    assertion: (client, alg, kid, secret, { claims = {}, header = {} } = {}) =>
      new SignJWT({ iss: client, sub: client, aud: `${issuer}/token`, jti: randomUUID(), exp: Math.floor(Date.now() / 1000) + 240, ...claims })
        .setProtectedHeader({ alg, kid, typ: 'JWT', ...header })
        .sign(secret),
  };
}

export const publicApp: Client = {
  client_id: 'phone',
  client_name: 'Medication list',
  kind: 'app',
  redirect_uris: [REDIRECT],
  scope:
    'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs user/*.cruds launch launch/patient launch/encounter openid fhirUser profile offline_access online_access',
};

/** PKCE and an authorization request. */
export function authorizationRequest(world: AuthWorld, scope: string, more: Readonly<Record<string, string>> = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const query = {
    response_type: 'code',
    client_id: publicApp.client_id,
    redirect_uri: REDIRECT,
    scope,
    state,
    aud: world.base,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...more,
  };
  return { verifier, state, query, url: `${world.issuer}/authorize?${new URLSearchParams(query)}` };
}

export interface Person {
  readonly username: string;
  readonly password: string;
}
export const mary: Person = { username: 'mary', password: 'correct-horse-battery-1' };
export const anna: Person = { username: 'anna', password: 'correct-horse-battery-2' };
export const drLee: Person = { username: 'dr-lee', password: 'correct-horse-battery-3' };

const coded = (system: string, code: string): object => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] });
/** Mary's practice designates Anna: she may see and change the medications, and see who Mary is. Gives back the Consent's id. */
export async function designate(world: AuthWorld): Promise<string> {
  const ehr = world.as(await world.token('ehr-ima', 'system/*.cruds'));
  const agreement = await ehr.post('DocumentReference', {
    resourceType: 'DocumentReference',
    status: 'current',
    subject: { reference: 'Patient/mary' },
    content: [{ attachment: { contentType: 'application/pdf', title: 'Agreement' } }],
  });
  const made = await ehr.post('Consent', {
    resourceType: 'Consent',
    status: 'active',
    scope: coded('consentscope', 'patient-privacy'),
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: 'primary-caregiver' }] }],
    patient: { reference: 'Patient/mary' },
    performer: [{ reference: 'Patient/mary' }],
    organization: [{ reference: 'Organization/ima' }],
    policy: [{ uri: 'https://kindred.example/policy/caregiver-agreement/1' }],
    sourceReference: { reference: `DocumentReference/${agreement.body.id}` },
    verification: [{ verified: true, verifiedWith: { reference: 'Patient/mary' }, verificationDate: world.app.now() }],
    provision: {
      type: 'permit',
      action: [coded('consentaction', 'access'), coded('consentaction', 'correct')],
      class: ['MedicationStatement', 'Provenance', 'Patient'].map(code => ({ system: 'http://hl7.org/fhir/resource-types', code })),
      actor: [{ role: coded('v3-ParticipationType', 'IRCP'), reference: { reference: 'RelatedPerson/anna-for-mary' } }],
    },
  });
  if (made.status !== 201) throw new Error(JSON.stringify(made.body));
  return made.body.id as string;
}

/** Walks through the pages to the app; signs in where asked, takes the record named, keeps all but what `without` names. */
export async function walk(
  browser: Browser,
  start: string,
  person: Person,
  options: { readonly without?: readonly string[]; readonly record?: string; readonly deny?: boolean } = {},
): Promise<URL> {
  let page: Page & { readonly left?: URL } = await browser.go(start);
  for (let steps = 0; steps < 10; steps++) {
    if (page.left !== undefined) return page.left;
    const { pathname } = new URL(page.url);
    if (page.status !== 200) throw new Error(`${page.status} at ${page.url}: ${page.html}`);
    if (pathname.startsWith('/sign-in')) {
      const form = page.forms.find(one => one.html.includes('name="password"'))!;
      page = await browser.submit(form, { username: person.username, password: person.password });
      continue;
    }
    const form = page.forms.find(one => new URL(one.action).pathname.startsWith('/auth/interaction/'));
    if (form === undefined) throw new Error(`no form at ${page.url}: ${page.html}`);
    const radios = form.boxes.filter(box => options.record !== undefined && box.value.includes(options.record));
    if (radios.length > 0) page = await browser.submit(form, { [radios[0]!.name]: radios[0]!.value });
    else {
      const button = form.buttons.find(([, , text]) => (options.deny ? /deny|no/i : /allow/i).test(text));
      const [name, value] = button ?? ['', ''];
      page = await browser.submit(
        form,
        {},
        { ...(name === '' ? {} : { button: [name, value] as const }), ...(options.without === undefined ? {} : { without: options.without }) },
      );
    }
  }
  throw new Error(`too many steps: ${page.url}`);
}

/** The whole standalone launch of a public app. */
export async function launch(
  world: AuthWorld,
  scope: string,
  person: Person = mary,
  options: Parameters<typeof walk>[3] & { readonly more?: Readonly<Record<string, string>>; readonly browser?: Browser } = {},
) {
  const asked = authorizationRequest(world, scope, options.more);
  const back = await walk(options.browser ?? world.browser(), asked.url, person, options);
  const code = back.searchParams.get('code') ?? '';
  const redeem = (changes: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    world.post('/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      client_id: publicApp.client_id,
      code_verifier: asked.verifier,
      ...changes,
    });
  return { ...asked, back, code, redeem };
}
