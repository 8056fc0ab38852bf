import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { Resource } from '../../src/fhir/types.ts';

/** What is used of an authorized client of SMART on FHIR's JS library. */
export interface SmartClient {
  readonly state: { readonly tokenResponse?: Readonly<Record<string, unknown>> };
  readonly patient: { readonly id: string | null; read(): Promise<Resource> };
  readonly encounter: { readonly id: string | null; read(): Promise<Resource> };
  readonly user: { readonly id: string | null; readonly resourceType: string | null; read(): Promise<Resource> };
  request(path: string, options?: { readonly pageLimit?: number; readonly flat?: boolean }): Promise<Resource & Readonly<Record<string, unknown>>>;
  refresh(): Promise<{ readonly tokenResponse?: Readonly<Record<string, unknown>> }>;
  getIdToken(): Readonly<Record<string, unknown>> | null;
}
export interface SmartConfig {
  readonly clientId: string;
  readonly scope: string;
  readonly redirectUri: string;
  readonly iss?: string;
  readonly clientSecret?: string;
  readonly clientPrivateJwk?: object;
  /** The registered JWKS URL, for the header `jku`. */
  readonly clientPublicKeySetUrl?: string;
}
interface Smart {
  authorize(config: SmartConfig): Promise<unknown>;
  ready(): Promise<SmartClient>;
}
export interface SmartStorage {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<unknown>;
  unset(key: string): Promise<boolean>;
}
type Library = (request: IncomingMessage, response: ServerResponse, storage: SmartStorage) => Smart;

// Its types would bring those of browsers into all of the project.
const require = createRequire(import.meta.url);
/** https://github.com/smart-on-fhir/client-js, its entry for servers. */
export const smart: Library = require('fhirclient');

/** What the library keeps of one user of an app. */
export function keepSmart(): SmartStorage {
  const kept = new Map<string, unknown>();
  return {
    get: async key => kept.get(key),
    set: async (key, value) => {
      kept.set(key, value);
      return value;
    },
    unset: async key => kept.delete(key),
  };
}
