import { brandIdentifier } from './brands.ts';
import { contextScopes } from './scopes.ts';
import { audienceOf, issuerOf } from './verify.ts';

/** http://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#capability-sets */
const capabilities = [
  'launch-ehr',
  'launch-standalone',
  'authorize-post',
  'client-public',
  'client-confidential-symmetric',
  'client-confidential-asymmetric',
  'sso-openid-connect',
  'context-banner',
  'context-style',
  'context-ehr-patient',
  'context-ehr-encounter',
  'context-standalone-patient',
  'context-standalone-encounter',
  'permission-offline',
  'permission-online',
  'permission-patient',
  'permission-user',
  'permission-v1',
  'permission-v2',
];

/** `.well-known/smart-configuration`: all required and recommended fields (STU2.2 §Conformance). `url`: public, without a slash at the end. `registers`: apps may register themselves. */
export function smartConfiguration(url: string, registers: boolean): object {
  const issuer = issuerOf(url);
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    ...(registers ? { registration_endpoint: `${issuer}/register` } : {}),
    management_endpoint: `${url}/apps`,
    user_access_brand_bundle: `${audienceOf(url)}/.well-known/user-access-brands.json`,
    user_access_brand_identifier: brandIdentifier(url),
    grant_types_supported: ['authorization_code', 'client_credentials', 'refresh_token'],
    response_types_supported: ['code'],
    scopes_supported: [...contextScopes, 'patient/*.cruds', 'patient/*.*', 'user/*.cruds', 'user/*.*', 'system/*.cruds', 'system/*.*'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['RS384', 'ES384'],
    dpop_signing_alg_values_supported: ['ES256', 'ES384', 'RS256'],
    capabilities,
  };
}

/** What apps make their own look fit by (context-style: STU2.2 §Styling). */
export const smartStyle = {
  color_background: '#ffffff',
  color_error: '#a4161a',
  color_highlight: '#0b5c63',
  color_success: '#1f6f43',
  color_text: '#1b1f24',
  dim_border_radius: '6px',
  dim_font_size: '16px',
  dim_spacing_size: '16px',
  font_family_body: "system-ui, -apple-system, 'Segoe UI', sans-serif",
  font_family_heading: "system-ui, -apple-system, 'Segoe UI', sans-serif",
};
