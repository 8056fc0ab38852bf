import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { anna, type AuthWorld, launch, mary, openAuthWorld, publicApp } from './world.ts';

// SMART App Launch 2.2: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
let world: AuthWorld;
beforeAll(async () => {
  world = await openAuthWorld({}, [publicApp]);
});
afterAll(() => world.end());

test('standalone launch of a public app: token, launch context, id_token (§Launch App: Standalone)', async () => {
  const { redeem, state, back } = await launch(world, 'launch/patient openid fhirUser offline_access patient/MedicationStatement.rs patient/Patient.read nonsense');
  expect([back.searchParams.get('state'), back.searchParams.get('iss')]).toEqual([state, world.issuer]);
  const { status, body, headers } = await redeem();
  expect([status, body]).toEqual([
    200,
    expect.objectContaining({
      token_type: 'Bearer',
      expires_in: 3600,
      patient: 'mary',
      need_patient_banner: true,
      smart_style_url: `${world.url}/smart-style.json`,
      scope: 'launch/patient openid fhirUser offline_access patient/MedicationStatement.rs patient/Patient.read',
    }),
  ]);
  expect([headers.get('cache-control'), headers.get('pragma')]).toEqual(['no-store', 'no-cache']);
  expect(decodeProtectedHeader(body.id_token).alg).toBe('RS256');
  const keys = createRemoteJWKSet(new URL(`${world.issuer}/jwks`));
  const { payload } = await jwtVerify(body.id_token, keys, { issuer: world.issuer, audience: publicApp.client_id });
  expect(payload).toMatchObject({ sub: 'mary', fhirUser: `${world.base}/Patient/mary` });
  expect((await world.fhir('MedicationStatement', body.access_token)).status).toBe(200);
  expect((await world.fhir('Condition', body.access_token)).status).toBe(403);
});
