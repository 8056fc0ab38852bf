import type { Atom, IndexValue } from '../query.ts';
import { baseUnitOf } from './ucum.ts';
import { recordOf, split } from './value.ts';

type PositionAtom = Extract<Atom, { kind: 'position' }>;
type PositionValue = Extract<IndexValue, { kind: 'position' }>;

/** The mean radius of the Earth, and what `near` means where no distance is given, in metres. */
const EARTH = 6_371_008.8;
const NEAR = 50_000;

/** The place of a Location.position (http://hl7.org/fhir/R4/location.html#positional). Odd data gives none. */
export function indexPosition(value: unknown): readonly PositionValue[] {
  const position = recordOf(value);
  const [latitude, longitude] = [position?.latitude, position?.longitude];
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return [];
  return isPlace(latitude, longitude) ? [{ kind: 'position', ...onSphere(latitude, longitude) }] : [];
}
const isPlace = (latitude: number, longitude: number): boolean => Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180;

function onSphere(latitude: number, longitude: number): { readonly x: number; readonly y: number; readonly z: number } {
  const [north, east] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return { x: Math.cos(north) * Math.cos(east), y: Math.cos(north) * Math.sin(east), z: Math.sin(north) };
}

const number = /^[+-]?\d{1,9}(\.\d{1,15})?$/;

/** Reads `latitude|longitude|distance|unit`, the last two optional (kilometres); undefined where it is none. */
export function parsePosition(text: string): PositionAtom | undefined {
  const [latitude = '', longitude = '', distance = '', unit = 'km', ...more] = split(text, '|');
  if (!number.test(latitude) || !number.test(longitude) || !isPlace(Number(latitude), Number(longitude)) || more.length > 0) return undefined;
  const metre = baseUnitOf('m')!.unit;
  const base = baseUnitOf(unit === '' ? 'km' : unit);
  if (base?.unit !== metre || (distance !== '' && !/^\d{1,9}(\.\d{1,15})?$/.test(distance))) return undefined;
  const metres = distance === '' ? NEAR : Number(distance) * base.factor;
  // Nothing is further away than half round the Earth.
  const half = Math.min(metres / EARTH, Math.PI) / 2;
  return { kind: 'position', ...onSphere(Number(latitude), Number(longitude)), reach: (2 * Math.sin(half)) ** 2 };
}

/** Written as every store reckons it, so that all round alike. */
export const passesPosition = (atom: PositionAtom, value: PositionValue): boolean =>
  (value.x - atom.x) * (value.x - atom.x) + (value.y - atom.y) * (value.y - atom.y) + (value.z - atom.z) * (value.z - atom.z) <= atom.reach;
