import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../../src/fhir/types.ts';
import { readCondition } from '../../../src/search/condition.ts';
import { passes } from '../../../src/search/match.ts';
import type { Atom } from '../../../src/search/query.ts';
import { buildRegistry } from '../../../src/search/registry.ts';

const registry = buildRegistry();
const coded = (...codes: string[]) => ({ coding: codes.map(code => ({ system: 'http://loinc.org', code })) });
const pressure = {
  resourceType: 'Observation',
  status: 'final',
  code: coded('85354-9', '55284-4'),
  component: [
    { code: coded('8480-6'), valueQuantity: { value: 150, unit: 'mmHg' } },
    { code: coded('8462-4'), valueQuantity: { value: 90, unit: 'mmHg' } },
  ],
} as unknown as Resource;

const valuesOf = (code: string, resource: Resource) => registry.param('Observation', code)!.extract({ resource } as never);
function found(code: string, value: string, resource: Resource = pressure): boolean {
  const read = readCondition('Observation', code, value, { registry });
  const atoms = (read as { where: { test: { anyOf: readonly Atom[] } } }).where.test.anyOf;
  return atoms.some(atom => valuesOf(code, resource).some(each => passes(atom, each)));
}

/** http://hl7.org/fhir/R4/search.html#composite */
describe('composites', () => {
  test('the parts must be those of one occurrence', () => {
    expect(found('component-code-value-quantity', 'http://loinc.org|8480-6$gt140')).toBe(true);
    expect(found('component-code-value-quantity', '8462-4$90')).toBe(true);
    expect(found('component-code-value-quantity', '8462-4$gt140')).toBe(false);
    expect(found('component-code-value-quantity', '|8480-6$gt140')).toBe(false);
  });
  test('what is combined is taken from the resource and from its components', () => {
    const whole = { ...pressure, valueQuantity: { value: 7 } } as Resource;
    expect([found('combo-code-value-quantity', '8480-6$150', whole), found('combo-code-value-quantity', '55284-4$7', whole)]).toEqual([true, true]);
    expect([found('code-value-quantity', '85354-9$7', whole), found('code-value-quantity', '85354-9$150', whole)]).toEqual([true, false]);
  });
  test('every combination of the values of the parts is there', () => {
    const values = valuesOf('component-code-value-quantity', pressure);
    // Each of two components: in no unit and in mmHg.
    expect(values).toHaveLength(4);
    expect(valuesOf('code-value-quantity', { ...pressure, valueQuantity: { value: 7 } } as Resource)).toHaveLength(2);
  });
  test('a part that is not there leaves nothing to find', () => {
    expect(valuesOf('code-value-quantity', pressure)).toEqual([]);
    expect(valuesOf('component-code-value-quantity', { ...pressure, component: [{ code: coded('x') }] } as unknown as Resource)).toEqual([]);
  });
  test.each(['8480-6', '8480-6$1$2', '8480-6$x', '|$1'])('refuses %s', value =>
    expect(() => readCondition('Observation', 'code-value-quantity', value, { registry })).toThrow(),
  );
});
