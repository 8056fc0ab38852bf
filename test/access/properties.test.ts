import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../src/access/decide.ts';
import type { Rule } from '../../src/access/decision.ts';
import { parseScopes } from '../../src/access/scope.ts';
import type { Resource } from '../../src/fhir/types.ts';
import type { Indexed } from '../../src/search/indexed.ts';
import { matches } from '../../src/search/match.ts';
import { all } from '../../src/search/query.ts';
import { callerOf, consentOf, factsOf, indexed, labelCoding, now, rulesFor, type ShortProvision } from './world.ts';

/** What holds of all decisions. */

const some = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const few = (...values: string[]): fc.Arbitrary<string[]> => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const actors = few('RelatedPerson/anna', 'RelatedPerson/carl', 'Organization/harbor', 'Practitioner/doctor', 'CareTeam/t');
const criteria = {
  purpose: some(few('TREAT', 'PATRQT', 'HRESCH', 'BTG')),
  action: some(few('access', 'correct', 'disclose')),
  class: some(few('MedicationStatement', 'Observation', 'Consent')),
  label: some(few('N', 'R', 'V', 'PSY', 'HIV', 'SUD', 'PSYTHPN')),
  period: some(fc.constantFrom<[string | null, string | null]>(['2026-01-01', null], [null, '2026-01-01'], ['2026-11-24', '2026-11-24'])),
  dataPeriod: some(fc.constantFrom<[string | null, string | null]>(['2026-01-01', null], [null, '2025-12-31'])),
};
const nested = (depth: number): fc.Arbitrary<ShortProvision> =>
  fc.record({
    type: fc.constantFrom('permit', 'deny'),
    actor: some(actors),
    ...criteria,
    ...(depth === 0 ? {} : { provision: fc.array(nested(depth - 1), { maxLength: 2 }) }),
  }) as fc.Arbitrary<ShortProvision>;
const root = (type: 'permit' | 'deny'): fc.Arbitrary<ShortProvision> =>
  fc.record({
    type: fc.constant(type),
    actor: type === 'permit' ? actors : some(actors),
    ...criteria,
    provision: fc.array(nested(2), { maxLength: 2 }),
  }) as fc.Arbitrary<ShortProvision>;
const permits = fc.record({ kind: fc.constantFrom('primary-caregiver', 'authorized-user', 'share', 'enrolment'), provision: root('permit') });
const restriction = fc.record({ kind: fc.constant('restriction'), provision: root('deny') });
const consents = fc.array(fc.oneof(permits, permits, restriction), { maxLength: 4 }).map(list => list.map(consentOf));

const labels = fc.uniqueArray(fc.constantFrom('L', 'R', 'V', 'PSY', 'HIV', 'SUD', 'OPIOIDUD', 'PSYTHPN'), { maxLength: 3 });
const stored: fc.Arbitrary<Indexed> = fc
  .record({
    resourceType: fc.constantFrom('MedicationStatement', 'Observation', 'Consent', 'Medication', 'Practitioner'),
    labels,
    date: some(fc.constantFrom('2024', '2026-03-01')),
    origin: fc.constantFrom('organization|general', 'organization|harbor', 'patient|Patient/mary', 'caregiver|RelatedPerson/anna'),
    records: fc.uniqueArray(fc.constantFrom('Patient/mary' as const, 'Patient/bob' as const), { maxLength: 2 }),
  })
  .map(({ resourceType, labels: short, date, origin, records }) =>
    indexed({ resourceType, id: 'x', meta: { security: short.map(labelCoding) }, ...(date === undefined ? {} : { effectiveDateTime: date }) }, origin, {
      records,
    }),
  );
const who = fc.constantFrom('mary', 'bob', 'anna', 'carl', 'lee', 'doctor', 'ima', 'harbor', 'officer').map(name => callerOf(name));
const action = fc.constantFrom('read' as const, 'update' as const, 'create' as const, 'delete' as const);
type Caller = ReturnType<typeof callerOf>;

function permitted(given: readonly Resource[], caller: Caller, act: 'read' | 'update' | 'create' | 'delete', of: Indexed): boolean {
  const around = { ...(act === 'create' ? {} : { before: of }), ...(act === 'create' || act === 'update' ? { after: of } : {}) };
  const type = of.resource.resourceType;
  return decide({ caller, action: act, type, at: now }, factsOf(given, caller, around), rulesFor(type)).effect === 'permit';
}
const numbered = (list: readonly Resource[]): readonly Resource[] => list.map((one, index) => ({ ...one, id: `n${index}` }));

describe('decisions', () => {
  test('what a search shows is exactly what reads permit', () => {
    fc.assert(
      fc.property(consents, who, stored, (given, caller, of) => {
        const type = of.resource.resourceType;
        const search = decide({ caller, action: 'search', type, at: now }, factsOf(given, caller, {}), rulesFor(type));
        const shown = search.effect === 'permit' && matches(search.only, of, factsOf(given, caller, { before: of }).grants);
        expect(shown).toBe(permitted(given, caller, 'read', of));
      }),
      { numRuns: 1500 },
    );
  });
  test('a further restriction never widens', () => {
    fc.assert(
      fc.property(consents, restriction, who, action, stored, (given, more, caller, act, of) => {
        const wider = permitted(numbered([...given, consentOf(more)]), caller, act, of);
        expect(wider && !permitted(numbered(given), caller, act, of)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
  test('revoking a permit never widens, where it denies nothing itself', () => {
    const onlyPermits = (provision: ShortProvision): boolean => provision.type === 'permit' && (provision.provision ?? []).every(onlyPermits);
    fc.assert(
      fc.property(
        consents,
        permits.filter(({ provision }) => onlyPermits(provision)),
        who,
        action,
        stored,
        (given, revoked, caller, act, of) => {
          const without = permitted(numbered(given), caller, act, of);
          expect(without && !permitted([...numbered(given), { ...consentOf(revoked), id: 'revoked' }], caller, act, of)).toBe(false);
        },
      ),
      { numRuns: 1000 },
    );
  });
  test('no consent takes anything from the patient or the contributor, nor gives the patient more', () => {
    fc.assert(
      fc.property(consents, stored, action, fc.constantFrom('mary', 'bob'), (given, of, act, name) => {
        const caller = callerOf(name);
        expect(permitted(given, caller, act, of)).toBe(permitted([], caller, act, of));
      }),
    );
    fc.assert(
      fc.property(consents, given => {
        const own = indexed({ resourceType: 'MedicationStatement', id: 'x' }, 'organization|harbor', { records: ['Patient/mary'] });
        expect(permitted(given, callerOf('harbor'), 'read', own) && permitted(given, callerOf('doctor'), 'update', own)).toBe(true);
      }),
    );
  });
  test('without any consent nobody else reads anything in a record', () => {
    fc.assert(
      fc.property(stored, fc.constantFrom('anna', 'carl', 'lee', 'ima', 'officer'), (of, name) => {
        fc.pre(of.facets.records.length > 0 && of.resource.resourceType !== 'Practitioner');
        expect(permitted([], callerOf(name), 'read', of)).toBe(false);
      }),
    );
  });
  test('more scopes never narrow', () => {
    const scope = fc
      .tuple(
        fc.constantFrom('*', 'MedicationStatement', 'Observation', 'Consent'),
        fc.constantFrom('r', 'rs', 'cruds', 'cud', 'u'),
        fc.constantFrom('', '', '?status=active', '?code=x', '?_id=x'),
      )
      .map(([type, may, where]) => `patient/${type}.${may}${where}`);
    fc.assert(
      fc.property(fc.array(scope, { minLength: 1, maxLength: 3 }), scope, stored, action, (fewer, more, of, act) => {
        const holding = (scopes: readonly string[]): Caller => ({ ...callerOf('mary'), scopes: parseScopes(scopes.join(' ')).scopes });
        expect(permitted([], holding(fewer), act, of) && !permitted([], holding([...fewer, more]), act, of)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

describe('decide', () => {
  const says = (id: string): Rule => ({ id, judge: () => ({ effect: 'permit', only: all, because: 'yes', sources: [] }) });
  const caller = callerOf('mary');
  const question = { caller, action: 'read', type: 'Observation', at: now } as const;
  const facts = factsOf([], caller, {});
  const effect = (rules: readonly Rule[]): string => decide(question, facts, rules).effect;

  test('permits where scope and record have spoken', () => expect(effect([says('scope'), says('record')])).toBe('permit'));
  test('denies where scope or record is silent', () => {
    expect(effect([says('record')])).toBe('deny');
    expect(effect([says('scope'), says('other')])).toBe('deny');
    expect(effect([says('scope'), { id: 'record', judge: () => undefined }])).toBe('deny');
    expect(effect([])).toBe('deny');
  });
  test('a rule that throws denies, and all are asked', () => {
    let asked = 0;
    const failing: Rule = {
      id: 'failing',
      judge: () => {
        throw new Error('broken');
      },
    };
    const last: Rule = {
      id: 'last',
      judge: () => {
        asked += 1;
        return undefined;
      },
    };
    const decision = decide(question, facts, [says('scope'), failing, says('record'), last]);
    expect(decision).toMatchObject({ effect: 'deny', reveal: false });
    expect(asked).toBe(1);
    expect(decision.reasons.map(reason => reason.rule)).toEqual(['scope', 'failing', 'record']);
  });
  test('a refusal is told only where it is plain', () => {
    const refusing = (plain: boolean): Rule => ({ id: 'no', judge: () => ({ effect: 'deny', because: 'no', sources: [], plain }) });
    expect(decide(question, facts, [says('scope'), says('record'), refusing(false)])).toMatchObject({ reveal: false });
    expect(decide(question, facts, [says('scope'), says('record'), refusing(true)])).toMatchObject({ reveal: true });
  });
  test('a permit names what it still demands', () => {
    const decision = decide({ ...question, action: 'search' }, facts, rulesFor('Observation'));
    expect(decision).toMatchObject({ effect: 'permit', only: { op: 'and' } });
  });
  test('a permit names the consents that cover the resource, and no others', () => {
    const anna = callerOf('anna');
    const of = indexed({ resourceType: 'Observation', id: 'x' }, 'organization|ima', { records: ['Patient/mary'] });
    const given = [
      consentOf({ id: 'covers', kind: 'primary-caregiver', provision: { type: 'permit', actor: ['RelatedPerson/anna'] } }),
      consentOf({ id: 'does-not', kind: 'authorized-user', provision: { type: 'permit', actor: ['RelatedPerson/anna'], class: ['Condition'] } }),
    ];
    const decision = decide({ caller: anna, action: 'read', type: 'Observation', at: now }, factsOf(given, anna, { before: of }), rulesFor('Observation'));
    expect(decision.reasons.flatMap(reason => reason.sources).filter(source => source.startsWith('Consent/'))).toEqual(['Consent/covers']);
  });
});
