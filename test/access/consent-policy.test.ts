import { describe, expect, test } from '@jest/globals';
import { actorsOf, grantsOf, kindOf } from '../../src/access/consent.ts';
import { decide } from '../../src/access/decide.ts';
import type { Found } from '../../src/access/decision.ts';
import { activate } from '../../src/access/policies/consent.ts';
import { policyOf } from '../../src/access/policies/index.ts';
import type { KeyName, Resource } from '../../src/fhir/types.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { buildRegistry } from '../../src/search/registry.ts';
import { callerOf, consentOf, factsOf, indexed, labelCoding, now, rulesFor, type ShortConsent } from './world.ts';

/** Who makes, changes and ends a Consent (ACCESS §4): each test is one thing that somebody might try through the API. */

const policy = policyOf('Consent');
const registry = buildRegistry();
type Who = Parameters<typeof callerOf>[0];
interface World {
  readonly hats?: readonly KeyName[];
  readonly stored?: readonly Found[];
  readonly consents?: readonly Found[];
  readonly contributed?: readonly KeyName[];
}
const found = (resource: Resource, origin = 'organization|ima', versionId = '1'): Found => ({ ...indexed(resource, origin), versionId });
const named = (who: string): Who => ({ as: who, scope: who === 'mary' || who === 'anna' ? 'patient/Consent.cruds' : 'system/*.cruds' });

/** What would be stored, or why not. */
function write(who: Who, consent: Resource, world: World = {}, before?: Found): string | Resource {
  const caller = callerOf(who);
  const action = before === undefined ? 'create' : 'update';
  const question = { caller, action, type: 'Consent', at: now } as const;
  const origin = caller.organization === undefined ? `${caller.kind}|${caller.who}` : `organization|${caller.organization}`;
  const after: Indexed = {
    ...indexed(consent, origin),
    ...(before === undefined ? {} : { facets: { ...indexed(consent, origin).facets, origin: before.facets.origin } }),
  };
  const searches = new Map([
    ['standing', world.consents ?? []],
    ['enrolments', world.consents ?? []],
  ]);
  const known = {
    hats: new Set(world.hats ?? []),
    resources: new Map((world.stored ?? []).map(one => [`${one.resource.resourceType}/${one.resource.id}` as KeyName, one])),
    contributed: new Set(world.contributed ?? []),
    searches,
  };
  try {
    const sent = factsOf([], caller, { after, known, ...(before === undefined ? {} : { before }) });
    const resource = policy.prepare!(question, { ...sent, after });
    const facts = { ...sent, after: { ...after, resource } };
    const decision = decide(question, facts, rulesFor('Consent'));
    if (decision.effect === 'deny') return `denied: ${decision.reasons.flatMap(reason => (reason.effect === 'deny' ? [reason.because] : [])).join(' ')}`;
    policy.conditions!(question, facts, registry);
    return resource;
  } catch (problem) {
    return `${(problem as { code: string }).code}: ${(problem as Error).message}`;
  }
}
const statusOf = (result: string | Resource): unknown => (typeof result === 'string' ? result : result.status);

const grant = (kind: string, more: object = {}, short: Partial<ShortConsent> = {}): Resource =>
  consentOf({ id: 'c', kind, ...short, provision: { type: kind === 'restriction' ? 'deny' : 'permit', actor: ['RelatedPerson/anna'], ...more } });

describe('what a patient’s app sends', () => {
  test.each(['authorized-user', 'share', 'restriction'])('%s becomes a proposal', kind => expect(statusOf(write(named('mary'), grant(kind)))).toBe('proposed'));
  test.each(['enrolment', 'guardian', 'app'])('%s is refused', kind => expect(write(named('mary'), grant(kind))).toContain('by its own procedure only'));
  test('a primary caregiver is refused', () => expect(write(named('mary'), grant('primary-caregiver'))).toContain('designated at the practice'));
  test('somebody else’s record is refused', () => expect(write(named('mary'), grant('share', {}, { patient: 'Patient/bob' }))).toContain('denied'));
  test('with a wildcard scope it is refused', () => expect(write('mary', grant('share'))).toContain('no scope of the token'));
  test.each<[string, Resource]>([
    ['a permit without actor', grant('share', { actor: undefined })],
    ['no kind', { ...grant('share'), category: [{ text: 'share' }] }],
    ['an unknown kind', grant('friendship')],
    ['another scope', { ...grant('share'), scope: { coding: [{ code: 'research' }] } }],
    ['no patient', { ...grant('share'), patient: { display: 'Mary' } }],
    ['no provision', { ...grant('share'), provision: undefined }],
    ['no root type', grant('share', { type: undefined })],
    ['a share that denies', grant('share', { type: 'deny' })],
    ['a restriction that permits', grant('restriction', { type: 'permit' })],
    ['a permit inside a restriction', grant('restriction', { provision: [{ type: 'permit', actor: ['RelatedPerson/anna'] }] })],
    ['a nested provision without type', grant('share', { provision: [{ class: ['Observation'] }] })],
    ['a modifierExtension', { ...grant('share'), modifierExtension: [{ url: 'http://x' }] }],
    ['a nested modifierExtension', grant('share', { raw: { modifierExtension: [{ url: 'http://x' }] } })],
    ['an unknown label', grant('share', { raw: { securityLabel: [{ system: 'http://x', code: 'y' }] } })],
    ['an unknown label on a nested deny', grant('share', { provision: [{ type: 'deny', raw: { securityLabel: [{ system: 'http://x', code: 'y' }] } }] })],
    ['a device as actor', grant('share', { actor: ['Device/d'] })],
    ['an actor elsewhere', grant('share', { actor: ['https://elsewhere.example/Practitioner/1'] })],
    [
      'a provision four deep',
      grant('share', { provision: [{ type: 'permit', provision: [{ type: 'permit', provision: [{ type: 'permit', provision: [{ type: 'permit' }] }] }] }] }),
    ],
  ])('%s: 422', (_name, consent) => expect(write(named('mary'), consent)).toMatch(/^business-rule: /));
});

describe('what others send', () => {
  test('a caregiver grants nothing', () => expect(write(named('anna'), grant('share'))).toContain('A caregiver grants nothing'));
  test('an organization that treats the patient may propose', () =>
    expect(statusOf(write(named('ima'), grant('share'), { contributed: ['Patient/mary'] }))).toBe('proposed'));
  test('an organization that has nothing to do with the patient may not', () => expect(write(named('ima'), grant('share'))).toContain('denied'));
  test.each(['enrolment', 'guardian', 'app'])('an organization does not send %s', kind =>
    expect(write(named('ima'), grant(kind), { contributed: ['Patient/mary'] })).toContain('denied'),
  );
});

describe('designating a primary caregiver', () => {
  const person = found({ resourceType: 'RelatedPerson', id: 'anna', patient: { reference: 'Patient/mary' } });
  const agreement = found({ resourceType: 'DocumentReference', id: 'agreement', subject: { reference: 'Patient/mary' } });
  const verification = [{ verified: true, verifiedWith: { reference: 'Patient/mary' } }];
  const sourceReference = { reference: 'DocumentReference/agreement' };
  const designation = grant('primary-caregiver', {}, { raw: { verification, sourceReference } });
  const world: World = { hats: ['RelatedPerson/anna'], stored: [person, agreement], contributed: ['Patient/mary'] };
  const enrolment = found(consentOf({ id: 'e', kind: 'enrolment', provision: { type: 'permit', actor: ['Organization/ima'] } }));

  test('is active at once', () => expect(statusOf(write(named('ima'), designation, world))).toBe('active'));
  test('for a patient that it enrolled', () =>
    expect(statusOf(write(named('ima'), designation, { ...world, contributed: [], consents: [enrolment] }))).toBe('active'));
  test('not where the enrolment has ended', () => {
    const ended = { ...enrolment, resource: { ...enrolment.resource, status: 'inactive' } };
    expect(write(named('ima'), designation, { ...world, contributed: [], consents: [ended] })).toContain('denied');
  });
  test('not where another organization is enrolled', () => {
    const other = found(consentOf({ id: 'e', kind: 'enrolment', provision: { type: 'permit', actor: ['Organization/harbor'] } }));
    expect(write(named('ima'), designation, { ...world, contributed: [], consents: [other] })).toContain('denied');
  });
  test.each<[string, Resource, World]>([
    ['for a patient of others', designation, { ...world, contributed: [] }],
    ['for a RelatedPerson without account', designation, { ...world, hats: [] }],
    ['for a RelatedPerson that is not there', designation, { ...world, stored: [agreement] }],
    [
      'for a RelatedPerson of another patient',
      designation,
      { ...world, stored: [found({ ...person.resource, patient: { reference: 'Patient/bob' } }), agreement] },
    ],
    ['for two people', grant('primary-caregiver', { actor: ['RelatedPerson/anna', 'RelatedPerson/carl'] }, { raw: { verification, sourceReference } }), world],
    [
      'with a second person below',
      grant('primary-caregiver', { provision: [{ type: 'permit', actor: ['RelatedPerson/carl'] }] }, { raw: { verification, sourceReference } }),
      world,
    ],
    [
      'for a practitioner',
      grant('primary-caregiver', { actor: ['Practitioner/lee'] }, { raw: { verification, sourceReference } }),
      { ...world, hats: ['Practitioner/lee'] },
    ],
    ['without agreement', grant('primary-caregiver', {}, { raw: { verification } }), world],
    ['with an agreement that is not there', designation, { ...world, stored: [person] }],
    [
      'with an agreement in another record',
      designation,
      { ...world, stored: [person, found({ ...agreement.resource, subject: { reference: 'Patient/bob' } })] },
    ],
    ['with an agreement that the patient entered', designation, { ...world, stored: [person, found(agreement.resource, 'patient|Patient/mary')] }],
    ['with an agreement that another organization contributed', designation, { ...world, stored: [person, found(agreement.resource, 'organization|harbor')] }],
    ['without verification', grant('primary-caregiver', {}, { raw: { sourceReference } }), world],
    [
      'with a verification that failed',
      grant('primary-caregiver', {}, { raw: { sourceReference, verification: [{ ...verification[0], verified: false }] } }),
      world,
    ],
    [
      'verified with somebody else',
      grant('primary-caregiver', {}, { raw: { sourceReference, verification: [{ verified: true, verifiedWith: { reference: 'RelatedPerson/anna' } }] } }),
      world,
    ],
    ['up to very restricted', grant('primary-caregiver', { label: ['V'] }, { raw: { verification, sourceReference } }), world],
    ['with psychotherapy notes', grant('primary-caregiver', { label: ['PSYTHPN'] }, { raw: { verification, sourceReference } }), world],
    [
      'with psychotherapy notes below what is denied',
      grant(
        'primary-caregiver',
        { provision: [{ type: 'deny', label: ['PSYTHPN'], provision: [{ type: 'permit' }] }] },
        { raw: { verification, sourceReference } },
      ),
      world,
    ],
    [
      'with 42 CFR Part 2 below',
      grant('primary-caregiver', { provision: [{ type: 'permit', label: ['42CFRPart2'] }] }, { raw: { verification, sourceReference } }),
      world,
    ],
  ])('not %s', (_name, consent, around) => expect(write(named('ima'), consent, around)).toMatch(/^denied/));
  test('not as a proposal', () => expect(write(named('ima'), { ...designation, status: 'proposed' }, world)).toMatch(/^business-rule/));
  test('with restricted named', () =>
    expect(statusOf(write(named('ima'), grant('primary-caregiver', { label: ['R'] }, { raw: { verification, sourceReference } }), world))).toBe('active'));
  test('not while another one stands', () => {
    const standing = found(consentOf({ id: 'other', kind: 'primary-caregiver', provision: { type: 'permit', actor: ['RelatedPerson/carl'] } }));
    expect(write(named('ima'), designation, { ...world, consents: [standing] })).toMatch(/^duplicate/);
  });
  test('where the one before has lapsed', () => {
    const lapsed = found(
      consentOf({ id: 'other', kind: 'primary-caregiver', provision: { type: 'permit', actor: ['RelatedPerson/carl'], period: [null, '2025-01-01'] } }),
    );
    expect(statusOf(write(named('ima'), designation, { ...world, consents: [lapsed] }))).toBe('active');
  });
  test('what must be known first, and what holds in the commit', () => {
    const question = { caller: callerOf('ima'), action: 'create', type: 'Consent', at: now } as const;
    const needs = policy.needs!(question, undefined, indexed(designation), registry);
    expect(needs).toMatchObject({ keys: ['RelatedPerson/anna', 'DocumentReference/agreement'], hats: ['RelatedPerson/anna'] });
    expect(Object.keys(needs.searches!)).toEqual(['standing', 'enrolments']);
    const agreement = { ...found({ resourceType: 'DocumentReference', id: 'agreement' }), updated: 0 };
    const known = { searches: new Map([['standing', [enrolment]]]), resources: new Map([['DocumentReference/agreement' as KeyName, agreement]]) };
    expect(policy.conditions!(question, factsOf([], callerOf('ima'), { after: indexed(designation), known }), registry)).toMatchObject([
      { op: 'when', query: needs.searches!.standing, matches: [{ type: 'Consent', id: 'e' }] },
      { op: 'expect', key: { type: 'DocumentReference', id: 'agreement' }, expect: { versionId: agreement.versionId } },
    ]);
  });
});

describe('changing a Consent', () => {
  const active = (kind: string, origin = 'patient|Patient/mary'): Found => found({ ...grant(kind), status: 'active' }, origin);
  const end = (of: Found): Resource => ({ ...of.resource, status: 'inactive' });
  test.each(['primary-caregiver', 'authorized-user', 'share', 'enrolment', 'app'])('the patient’s app ends %s', kind => {
    const before = active(kind, 'organization|ima');
    expect(statusOf(write(named('mary'), end(before), {}, before))).toBe('inactive');
  });
  test.each(['restriction', 'guardian'])('the patient’s app does not end %s', kind =>
    expect(write(named('mary'), end(active(kind)), {}, active(kind))).toContain('denied'),
  );
  test('ended, it is as it was', () => {
    const before = found({ ...active('share').resource, meta: { versionId: '1', profile: ['http://x'] } });
    expect(write(named('mary'), { ...end(before), meta: { tag: [{ code: 'sneaked' }] } }, {}, before)).toEqual({ ...before.resource, status: 'inactive' });
  });
  test('its content is frozen', () => {
    const before = active('share');
    expect(write(named('mary'), { ...before.resource, dateTime: '2020' }, {}, before)).toContain('can only be ended');
    expect(write(named('mary'), { ...end(before), dateTime: '2020' }, {}, before)).toContain('can only be ended');
    expect(write(named('mary'), before.resource, {}, before)).toContain('can only be ended');
    expect(write(named('mary'), { ...before.resource, status: 'entered-in-error' }, {}, before)).toContain('can only be ended');
  });
  test('nobody else ends it', () => {
    const before = active('primary-caregiver', 'organization|ima');
    expect(write(named('ima'), end(before), { contributed: ['Patient/mary'] }, before)).toContain('ended by the patient');
    expect(write(named('anna'), end(before), {}, before)).toContain('A caregiver grants nothing');
    expect(write({ as: 'bob', scope: 'patient/Consent.cruds' }, end(before), {}, before)).toContain('denied');
  });
  test('an ended one stays ended', () => {
    const before = found({ ...grant('share'), status: 'inactive' }, 'patient|Patient/mary');
    expect(write(named('mary'), { ...before.resource, status: 'active' }, {}, before)).toContain('has ended');
  });
  const proposal = found({ ...grant('share'), status: 'proposed' }, 'patient|Patient/mary');
  test('a proposal is changed by who made it', () =>
    expect(write(named('mary'), { ...proposal.resource, dateTime: '2026' }, {}, proposal)).toMatchObject({ status: 'proposed', dateTime: '2026' }));
  test('a proposal is not activated by an app', () =>
    expect(write(named('mary'), { ...proposal.resource, status: 'active' }, {}, proposal)).toContain('second factor'));
  test('a proposal keeps its kind', () =>
    expect(write(named('mary'), { ...grant('restriction'), status: 'proposed' }, {}, proposal)).toContain('keeps its kind'));
  test('a proposal stays well-formed', () =>
    expect(write(named('mary'), { ...grant('share', { actor: undefined }), status: 'proposed' }, {}, proposal)).toMatch(/^business-rule/));
  test('a proposal may be withdrawn', () =>
    expect(statusOf(write(named('mary'), { ...proposal.resource, status: 'rejected' }, {}, proposal))).toBe('rejected'));
  const theirs = { ...proposal, facets: { ...proposal.facets, origin: { kind: 'organization', by: 'ima' } } } as const;
  test('the patient rejects an organization’s proposal, unchanged', () => {
    expect(statusOf(write(named('mary'), { ...theirs.resource, status: 'rejected' }, {}, theirs))).toBe('rejected');
    expect(write(named('mary'), { ...theirs.resource, dateTime: '2020' }, {}, theirs)).toContain('by whoever made it');
    expect(write(named('harbor'), { ...theirs.resource, dateTime: '2020' }, {}, theirs)).toContain('by whoever made it');
  });
  test('it is never deleted', () => expect(policy.notAllowed).toEqual(['delete']));
});

describe('activate', () => {
  const proposal = (kind: string, status = 'proposed'): Found => found({ ...grant(kind), status }, 'patient|Patient/mary', '3');
  const outcome = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (problem) {
      return (problem as { code: string }).code;
    }
  };
  test('the version that was seen comes into force', () =>
    expect(activate(proposal('share'), '3', 'Patient/mary')).toEqual({ ...proposal('share').resource, status: 'active' }));
  test('another version does not', () => expect(outcome(() => activate(proposal('share'), '2', 'Patient/mary'))).toBe('version-changed'));
  test('somebody else’s does not', () => expect(outcome(() => activate(proposal('share'), '3', 'Patient/bob'))).toBe('forbidden'));
  test('what is no proposal does not', () => expect(outcome(() => activate(proposal('share', 'inactive'), '3', 'Patient/mary'))).toBe('business-rule'));
  test.each(['enrolment', 'guardian', 'app', 'primary-caregiver'])('%s does not', kind =>
    expect(outcome(() => activate(proposal(kind), '3', 'Patient/mary'))).toBe('business-rule'),
  );
});

describe('rows', () => {
  test('of what is stored, in step with it', () => {
    const stored = indexed(grant('share'));
    expect(policy.grants!(stored)).toEqual([{ op: 'grants', consent: 'Consent/c', record: 'Patient/mary', rows: grantsOf(stored.resource, 'Patient/mary') }]);
    expect(policy.grants!(undefined)).toEqual([]);
  });
  test('the whole of one', () => {
    const consent = grant('authorized-user', {
      action: ['correct'],
      purpose: ['PATRQT'],
      class: ['Observation'],
      period: ['2026', null],
      provision: [{ type: 'deny', label: ['R', 'SUD'] }],
    });
    const shared = {
      consent: 'Consent/c',
      record: 'Patient/mary',
      actors: ['RelatedPerson/anna'],
      actions: ['access', 'correct'],
      during: { low: Date.parse('2026-01-01'), high: 8.64e15 },
    };
    expect(grantsOf(consent, 'Patient/mary')).toEqual([
      {
        ...shared,
        effect: 'permit',
        depth: 0,
        purposes: ['PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'],
        what: { classes: ['Observation'], upTo: 3, notSensitivities: ['PSYTHPN', '42CFRPart2'] },
      },
      {
        ...shared,
        effect: 'deny',
        depth: 1,
        purposes: ['PATRQT', 'FAMRQT', 'PWATRNY', 'SUPNWK'],
        what: { labelled: { atLeast: 4, anyOf: ['SUD', 'ETHUD', 'OPIOIDUD'] } },
      },
    ]);
  });
  test('kind and actors, in nested provisions too', () => {
    expect(kindOf(grant('share'))).toBe('share');
    expect(actorsOf(grant('share', { provision: [{ type: 'deny', actor: ['Practitioner/lee'] }] }))).toEqual(['RelatedPerson/anna', 'Practitioner/lee']);
  });
});

describe('other policies', () => {
  test('an agreement that a consent in force rests on is neither deleted nor moved', () => {
    const document = indexed({ resourceType: 'DocumentReference', id: 'agreement', subject: { reference: 'Patient/mary' } }, 'organization|ima');
    const moved = { ...document, facets: { ...document.facets, records: ['Patient/zed'] as const } };
    const caller = callerOf('ima');
    const policyOfIt = policyOf('DocumentReference');
    const resting = found({ ...grant('primary-caregiver'), sourceReference: { reference: 'DocumentReference/agreement' } });
    const asked = (after: typeof document | undefined, consents: readonly (typeof resting)[]): unknown => {
      const question = { caller, action: after === undefined ? 'delete' : 'update', type: 'DocumentReference', at: now } as const;
      const facts = factsOf([], caller, { before: document, ...(after === undefined ? {} : { after }), known: { searches: new Map([['resting', consents]]) } });
      const query = policyOfIt.needs!(question, document, after, registry).searches?.resting;
      // The commit looks again.
      expect(policyOfIt.conditions!(question, facts, registry)).toEqual(query === undefined ? [] : [{ op: 'when', query, matches: [] }]);
      return policyOfIt.rules!(registry).some(rule => rule.judge(question, facts)?.effect === 'deny');
    };
    expect([asked(undefined, [resting]), asked(undefined, [])]).toEqual([true, false]);
    expect([asked(moved, [resting]), asked(document, [resting])]).toEqual([true, false]);
  });
  test('a Provenance is about what its sender may change, in the sender’s name', () => {
    const caller = callerOf('ima');
    const target = found({ resourceType: 'Observation', id: 'o', subject: { reference: 'Patient/mary' } });
    const send = (agent: string, targets: readonly string[]): string => {
      const resource = { resourceType: 'Provenance', id: 'p', target: targets.map(reference => ({ reference })), agent: [{ who: { reference: agent } }] };
      const after = indexed(resource, 'organization|ima', {}, [target]);
      const resources = new Map([['Observation/o' as KeyName, target]]);
      return decide(
        { caller, action: 'create', type: 'Provenance', at: now },
        factsOf([], caller, { after, known: { resources, contributed: new Set(['Patient/mary']) } }),
        rulesFor('Provenance'),
      ).effect;
    };
    expect(send('Organization/ima', ['Observation/o'])).toBe('permit');
    expect(send('Practitioner/lee', ['Observation/o'])).toBe('deny');
    expect(send('Organization/ima', ['Observation/o', 'Observation/gone'])).toBe('deny');
    expect(send('Organization/ima', ['Observation/o', 'https://elsewhere.example/Observation/1'])).toBe('deny');
    expect(send('Organization/ima', [])).toBe('deny');
    const after = indexed({ resourceType: 'Provenance', id: 'p', target: [{ reference: 'Observation/o/_history/2' }] });
    expect(policyOf('Provenance').also!(after).writes).toEqual([{ action: 'update', key: 'Observation/o' }]);
  });
  test('what clients never do', () => {
    expect(policyOf('AuditEvent').notAllowed).toEqual(['create', 'update', 'delete']);
    expect(policyOf('Provenance').notAllowed).toEqual(['update', 'delete']);
  });
  test('labels of consents are what they say', () =>
    expect(grantsOf(grant('share', { raw: { securityLabel: [labelCoding('R')] } }), 'Patient/mary')[0]?.what.upTo).toBe(4));
});
