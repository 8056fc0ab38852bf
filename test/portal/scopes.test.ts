import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isInWildcard } from '../../src/access/policies/index.ts';
import { parseScopes, type ScopeLetter } from '../../src/access/scope.ts';
import { grantedScopes, mannerKey, mannerOf, partsOf } from '../../src/portal/scopes.ts';
import { namedTypes } from '../../src/portal/words.ts';

const observation = 'http://terminology.hl7.org/CodeSystem/observation-category';
const keysOf = (asked: readonly string[]): ReadonlySet<string> =>
  new Set([...partsOf(asked).map(part => part.key), ...asked.filter(scope => !scope.startsWith('patient/') && !scope.startsWith('user/')).map(mannerKey)]);
const without = (asked: readonly string[], ...gone: readonly string[]): readonly string[] =>
  grantedScopes(asked, new Set([...keysOf(asked)].filter(key => !gone.includes(key))));

describe('a person chooses what of a request to allow (ONC §170.315(g)(10))', () => {
  test('what is kept whole stays as it was written: v1, v2, wildcard', () => {
    const asked = [
      'openid',
      'fhirUser',
      'launch/patient',
      'offline_access',
      'patient/*.read',
      'patient/Observation.rs',
      'patient/Goal.write',
      'patient/Task.*',
    ];
    expect(without(asked)).toEqual(asked);
  });

  test('per resource type', () => {
    expect(without(['patient/Goal.rs', 'patient/Device.rs'], 'patient/Goal.see')).toEqual(['patient/Device.rs']);
  });

  test('seeing without changing, and changing without seeing', () => {
    expect(without(['patient/Goal.cruds'], 'patient/Goal.change')).toEqual(['patient/Goal.rs']);
    expect(without(['patient/Goal.cus'], 'patient/Goal.see')).toEqual(['patient/Goal.cu']);
  });

  test('an app that asked in v1 is answered in v1', () => {
    expect(without(['patient/Goal.*'], 'patient/Goal.change')).toEqual(['patient/Goal.read']);
    expect(without(['patient/Goal.*'], 'patient/Goal.see')).toEqual(['patient/Goal.write']);
  });

  test('per category of Observation', () => {
    expect(without(['patient/Observation.rs'], 'patient/Observation.see|laboratory')).toEqual([
      `patient/Observation.rs?category=${observation}|vital-signs`,
      `patient/Observation.rs?category=${observation}|social-history`,
      `patient/Observation.rs?category=${observation}|survey`,
      'patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
    ]);
  });

  test('per category of Condition, and writes stay as they are', () => {
    expect(without(['patient/Condition.cruds'], 'patient/Condition.see|problem-list-item', 'patient/Condition.see|health-concern')).toEqual([
      'patient/Condition.cud',
      'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
    ]);
  });

  test('a category taken away is taken from every scope that gives it', () => {
    const asked = ['patient/Observation.rs', `patient/Observation.rs?category=${observation}|laboratory`];
    expect(without(asked, 'patient/Observation.see|laboratory').join(' ')).not.toContain('laboratory');
    expect(without(asked, 'patient/Observation.see|survey')).toContain(`patient/Observation.rs?category=${observation}|laboratory`);
  });

  test('offline_access', () => {
    expect(without(['patient/Goal.rs', 'offline_access'], 'offline')).toEqual(['patient/Goal.rs']);
  });

  test('a wildcard without one type is the list of the others', () => {
    const granted = without(['patient/*.rs'], 'patient/MedicationStatement.see');
    expect(granted).toContain('patient/AllergyIntolerance.rs');
    expect(granted).toContain('patient/MolecularSequence.rs');
    expect(granted.join(' ')).not.toContain('MedicationStatement');
  });

  test('a wildcard without everything else is the list of what has a name', () => {
    const granted = without(['patient/*.rs'], 'patient/*.see');
    expect(granted).not.toContain('patient/MolecularSequence.rs');
    expect(granted.length).toBe(namedTypes.filter(type => isInWildcard(type, 'r')).length);
  });

  test('what a wildcard leaves out is not offered, and does not come of it (ACCESS §3.1)', () => {
    const keys = keysOf(['patient/*.cruds']);
    expect([...keys].filter(key => key.includes('AuditEvent'))).toEqual([]);
    expect(keys.has('patient/Consent.see')).toBe(true);
    expect(keys.has('patient/Consent.change')).toBe(false);
    const granted = without(['patient/*.cruds'], 'patient/Goal.see');
    expect(granted).toContain('patient/Consent.rs');
    expect(granted).toContain('patient/Provenance.rs');
    expect(granted.join(' ')).not.toContain('AuditEvent');
  });

  test('a granular scope of another kind is one part, kept or not', () => {
    const asked = ['patient/Observation.rs?code=http://loinc.org|4548-4'];
    expect(without(asked)).toEqual(asked);
    expect(without(asked, 'patient/Observation.see?code=http://loinc.org|4548-4')).toEqual([]);
  });

  test('what another scope gives as well is not taken away in appearance only', () => {
    const asked = ['patient/*.rs', 'patient/Basic.rs', 'patient/Goal.rs?lifecycle-status=active'];
    expect([...keysOf(asked)].filter(key => key.includes('?'))).toEqual([]);
    const twice = ['patient/Observation.cud', `patient/Observation.cud?category=${observation}|laboratory`];
    expect([...keysOf(twice)]).toEqual(['patient/Observation.change']);
    expect(without(asked, 'patient/Basic.see').filter(one => one.includes('Basic'))).toEqual([]);
    expect(without(asked, 'patient/Goal.see').filter(one => one.includes('Goal'))).toEqual([]);
  });

  test('nothing kept leaves nothing but the context', () => {
    expect(grantedScopes(['openid', 'launch/patient', 'patient/*.cruds', 'offline_access', 'x'], new Set())).toEqual(['launch/patient']);
  });

  test('a scope that is not understood is never granted', () => {
    expect(without(['patient/Observation.rs?code:in=http://x', 'patient/Nothing.rs'])).toEqual([]);
  });
});

/** Everything that scopes permit, one line each. */
function permits(scopes: readonly string[], types: readonly string[]): ReadonlySet<string> {
  const lines = new Set<string>();
  for (const { level, type, may, where } of parseScopes(scopes.join(' ')).scopes) {
    for (const one of type === '*' ? types : [type]) {
      for (const letter of may) {
        if (type === '*' && !isInWildcard(one, letter as ScopeLetter)) continue;
        lines.add(`${level}/${one}.${letter}?${where.map(pair => pair.join('=')).join('&')}`);
      }
    }
  }
  return lines;
}
/** Whether each line is permitted, by itself or without its narrowing. */
const within = (some: ReadonlySet<string>, all: ReadonlySet<string>): readonly string[] =>
  [...some].filter(line => !all.has(line) && !all.has(line.slice(0, line.indexOf('?') + 1)));

describe('of any request', () => {
  const everyType = [...new Set(['MolecularSequence', 'StructureDefinition', 'Basic', 'List', ...namedTypes])];
  const letters = fc.subarray([...'cruds'], { minLength: 1 }).map(some => some.join(''));
  const query = fc.constantFrom(
    '',
    '',
    `?category=${observation}|laboratory`,
    `?category=${observation}|a%26b%20c`,
    '?code=http://loinc.org|4548-4&status=final',
  );
  const scope = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.constantFrom('patient', 'user'), fc.constantFrom('*', 'Observation', 'Condition', ...everyType), letters, query)
        .map(([level, type, may, where]) => `${level}/${type}.${may}${where}`),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom('*', 'Observation', ...everyType), fc.constantFrom('read', 'write', '*'))
        .map(([type, may]) => `patient/${type}.${may}`),
    },
    fc.constantFrom('openid', 'fhirUser', 'offline_access', 'online_access', 'launch/patient', 'launch', 'more', 'patient/Nothing.rs', 'patient/Goal.sr'),
  );
  const request = fc.uniqueArray(scope, { maxLength: 6 });

  test('what results permits no more than was asked for, and nothing of what was taken away', () => {
    fc.assert(
      fc.property(request, fc.infiniteStream(fc.boolean()), (asked, keeps) => {
        const chosen = new Set([...keysOf(asked)].filter(() => keeps.next().value));
        const granted = grantedScopes(asked, chosen);
        const all = [...new Set([...everyType, ...parseScopes(granted.join(' ')).scopes.map(one => one.type)])];
        expect(within(permits(granted, all), permits(asked, all))).toEqual([]);
        expect(granted.filter(one => mannerOf(one) !== 'strange' && !asked.includes(one) && !one.includes('/'))).toEqual([]);
        // What it can be taken apart into is what was chosen, nothing else.
        const named = [...namedTypes, ...parseScopes(asked.join(' ')).scopes.map(one => one.type)];
        const keys = [
          ...partsOf(granted)
            .filter(part => named.includes(part.type))
            .map(part => part.key),
          ...granted.map(mannerKey),
        ];
        expect(keys.filter(key => !chosen.has(key) && key !== 'context' && !key.startsWith('other:'))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  test('keeping everything gives exactly what was asked for', () => {
    fc.assert(
      fc.property(request, asked => {
        expect(grantedScopes(asked, keysOf(asked))).toEqual(asked.filter(one => parseScopes(one).ignored.length === 0));
      }),
    );
  });
});
