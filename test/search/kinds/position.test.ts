import { describe, expect, test } from '@jest/globals';
import { indexPosition, parsePosition, passesPosition } from '../../../src/search/kinds/position.ts';

const berlin = { latitude: 52.52, longitude: 13.405 };
const potsdam = { latitude: 52.39, longitude: 13.06 };
const near = (text: string, place: unknown) => indexPosition(place).some(each => passesPosition(parsePosition(text)!, each));

/** http://hl7.org/fhir/R4/location.html#positional */
describe('near', () => {
  test('within the distance, over ground: Potsdam is some 27 km from Berlin', () => {
    expect([near('52.52|13.405|26|km', potsdam), near('52.52|13.405|29|km', potsdam), near('52.52|13.405|29', potsdam)]).toEqual([false, true, true]);
    expect([near('52.52|13.405|16|[mi_us]', potsdam), near('52.52|13.405|19|[mi_us]', potsdam), near('52.52|13.405|29000|m', potsdam)]).toEqual([
      false,
      true,
      true,
    ]);
  });
  test('50 km where no distance is given; 0 is the place itself', () =>
    expect([near('52.52|13.405', potsdam), near('51.5|13.405', potsdam), near('52.52|13.405|0', berlin), near('52.52|13.405|0', potsdam)]).toEqual([
      true,
      false,
      true,
      false,
    ]));
  test('round the date line, the poles and all the Earth', () => {
    expect(near('0|179.9|30|km', { latitude: 0, longitude: -179.9 })).toBe(true);
    expect(near('89.9|0|30|km', { latitude: 89.9, longitude: 180 })).toBe(true);
    expect(near('0|0|20100|km', { latitude: 0, longitude: 180 })).toBe(true);
    expect(near('0|0|19900|km', { latitude: 0, longitude: 180 })).toBe(false);
  });
  test.each(['', '52', '91|0', '0|181', '1|x', '1|2|-3', '1|2|3|kg', '1|2|3|km|5', '1|2|x'])('refuses %j', text => expect(parsePosition(text)).toBeUndefined());
  test.each([{}, 'x', { latitude: 1 }, { latitude: '1', longitude: 2 }, { latitude: 91, longitude: 0 }])('odd data gives none: %j', place =>
    expect(indexPosition(place)).toEqual([]),
  );
});
