import { parseArgs } from 'node:util';
import { consentKindSystem } from '../access/canonical.ts';
import type { Resource } from '../fhir/types.ts';
import { printBody } from '../interaction/print.ts';
import { type Command, configOf, exits, print, type Running, untilSignal } from './command.ts';
import { activateAs } from './consent.ts';
import family from './demo-family.json' with { type: 'json' };
import type { Seed } from './seed-format.ts';
import { plant } from './seeding.ts';

/** A family, a practice and its EHR on a server in memory, with everything to try. */
export const demo: Command = {
  name: 'demo',
  summary: 'a family and a practice on a server in memory, with curl lines to try',
  help: `Usage: npm run demo       (or npx kindred demo [--once])

  --once   set it up, print it, and end
  --json   print it as one JSON object

Nothing is kept: the store is in memory and gone when the demo ends.`,
  async run(args, doors) {
    const { values } = parseArgs({ args: [...args], options: { once: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } } });
    const config = configOf({ ...doors.environment, KINDRED_STORE: 'sqlite::memory:', KINDRED_AUTH: 'on', KINDRED_AUDIT: 'on' });
    const ended = untilSignal();
    const running = await doors.serve(config);
    const lines = await setUp(running);
    print(values.json, { url: running.url, lines }, lines.join('\n'));
    if (!values.once) await ended;
    await running.stop();
    return exits.done;
  },
};

const statement = (code: string, display: string): Resource => ({
  resourceType: 'MedicationStatement',
  status: 'active',
  subject: { reference: 'Patient/mary' },
  medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code, display }] },
});
const coded = (system: string, code: string): object => ({ coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }] });

/** What the daughter may: medications, to read and to write, nothing above N. */
const consentOf = (kind: string, more: object, narrowed: object = {}): Resource => ({
  resourceType: 'Consent',
  status: 'active',
  scope: coded('consentscope', 'patient-privacy'),
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }, { coding: [{ system: consentKindSystem, code: kind }] }],
  patient: { reference: 'Patient/mary' },
  performer: [{ reference: 'Patient/mary' }],
  policy: [{ uri: 'https://kindred.example/policy/caregiver-agreement/1' }],
  provision: {
    type: 'permit',
    action: [coded('consentaction', 'access'), coded('consentaction', 'correct')],
    class: ['MedicationStatement', 'Provenance'].map(code => ({ system: 'http://hl7.org/fhir/resource-types', code })),
    securityLabel: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }],
    ...narrowed,
  },
  ...more,
});
const actor = (reference: string): object => ({ actor: [{ role: coded('v3-ParticipationType', 'IRCP'), reference: { reference } }] });

async function setUp({ app, url }: Running): Promise<readonly string[]> {
  await plant(family as Seed, app);
  const tokenFor = async (client: string, scope: string, account?: string, record?: string): Promise<string> =>
    (await app.issue({ client, scope, ...(account === undefined ? {} : { account }), ...(record === undefined ? {} : { record }) })).access_token;
  const ehr = await tokenFor('ehr-ima', 'system/*.cruds');
  const mary = await tokenFor('med-app', 'patient/*.cruds patient/Consent.cruds patient/AuditEvent.rs', 'mary', 'Patient/mary');
  const anna = await tokenFor('med-app', 'patient/*.cruds', 'anna', 'Patient/mary');
  const post = async (token: string, resource: Resource): Promise<Resource> => {
    const answer = await app.run({ method: 'POST', path: [resource.resourceType], query: [], headers: {}, body: resource }, await app.verify(token));
    return JSON.parse(Buffer.from(printBody(answer.body!)).toString('utf8')) as Resource;
  };
  const lisinopril = await post(ehr, statement('314076', 'lisinopril 10 MG Oral Tablet'));
  const sensitive = await post(ehr, statement('1819', 'buprenorphine'));
  await post(mary, statement('5640', 'ibuprofen'));
  const agreement = await post(ehr, {
    resourceType: 'DocumentReference',
    status: 'current',
    subject: { reference: 'Patient/mary' },
    content: [{ attachment: { contentType: 'application/pdf', title: 'Caregiver agreement, signed' } }],
  });
  const consent = await post(
    ehr,
    consentOf(
      'primary-caregiver',
      {
        organization: [{ reference: 'Organization/ima' }],
        sourceReference: { reference: `DocumentReference/${agreement.id}` },
        verification: [{ verified: true, verifiedWith: { reference: 'Patient/mary' }, verificationDate: app.now() }],
      },
      actor('RelatedPerson/anna-for-mary'),
    ),
  );
  await post(anna, statement('161', 'acetaminophen'));
  const proposal = await post(mary, consentOf('authorized-user', {}, { ...actor('Practitioner/lee'), action: [coded('consentaction', 'access')] }));
  await activateAs(app, proposal.id!, '1', 'mary', { password: 'correct-horse-battery-1' });

  const curl = (token: string, path: string, more = ''): string => `  curl -s -H "Authorization: Bearer $${token}" ${more}"${url}/fhir/${path}"`;
  return [
    `Kindred is at ${url}/fhir, in memory. Mary keeps a medication list; her practice (IMA) writes to it; her daughter Anna helps.`,
    '',
    'Paste these three lines first (tokens last an hour, the EHR’s five minutes):',
    `  MARY=${mary}`,
    `  ANNA=${anna}`,
    `  EHR=${ehr}`,
    '',
    'Mary sees her whole list, four entries:',
    curl('MARY', 'MedicationStatement?_total=accurate'),
    '',
    'Anna sees three of them, and the total says three. The one that is labelled sensitive is not there for her (404, like an unknown id):',
    curl('ANNA', 'MedicationStatement?_total=accurate'),
    curl('ANNA', `MedicationStatement/${sensitive.id}`),
    '',
    'Mary cannot change what her practice wrote; she is told whom to ask (403):',
    curl('MARY', `MedicationStatement/${lisinopril.id}`, '-X DELETE '),
    '',
    'Who wrote what, for whom, under which Consent:',
    curl('MARY', 'Provenance?agent=RelatedPerson/anna-for-mary'),
    '',
    'Every permission over her record is a Consent that Mary can read:',
    curl('MARY', 'Consent?status=active'),
    '',
    'Everything is in her log:',
    curl('MARY', 'AuditEvent?agent=RelatedPerson/anna-for-mary'),
    '',
    'Mary ends the Consent; Anna’s next request is refused:',
    `${curl('MARY', `Consent/${consent.id}`)} | sed 's/"status":"active"/"status":"inactive"/' |`,
    `  ${curl('MARY', `Consent/${consent.id}`, '-X PUT -H "Content-Type: application/fhir+json" -d @- ')}`,
    curl('ANNA', 'MedicationStatement'),
    '',
    'The same for people, in a browser (who can see the record, the apps that are connected, the proposals that wait):',
    `  ${url}   as mary (correct-horse-battery-1), or as anna (correct-horse-battery-2), who acts for her`,
    '',
    'Where SMART apps begin:',
    `  curl -s "${url}/fhir/.well-known/smart-configuration"`,
    '',
    'What the server can do (no token needed):',
    `  curl -s "${url}/fhir/metadata"`,
    '',
    'Ctrl-C ends it.',
  ];
}
