import { createHash } from 'node:crypto';
import type { ResourceType } from '../../fhir/types.ts';
import type { SearchParam } from '../../search/query.ts';
import { afterPrefix, clamp } from '../ranges.ts';

/** What stands for the parameter of the type; undefined where the type does not carry it, though another of the same code. */
export const paramOf = ({ code, base }: SearchParam, type: ResourceType): string | undefined =>
  base.length === 0 || base.includes(type) ? `${type}/${code}` : undefined;

export const entryText = (p: string, value: string): string => `${p} ${value}`;

/** All texts that begin with this one, as a range that an index can seek. */
export function startsWith(text: string): { readonly $gte: string; readonly $lt?: string } {
  const end = afterPrefix(text);
  return end === undefined ? { $gte: text } : { $gte: text, $lt: end };
}
/** All texts of a parameter. */
export const textsOf = (p: string): { readonly $gte: string; readonly $lt?: string } => startsWith(entryText(p, ''));

export const targetOf = (type: ResourceType, id: string): string => `${type}/${id}`;

/** Whoever refers to something through a parameter of all types is found by one text, whatever its type. */
export const joinOf = (code: string): string => `/${code}`;

/** A moment as a text of the same order. */
export function momentText(moment: number): string {
  return (BigInt(Math.round(clamp(moment))) + 8_640_000_000_000_000n).toString(36).padStart(11, '0');
}

const bits = new DataView(new ArrayBuffer(8));
const sign = 1n << 63n;
/** A number as a text of the same order: its bits, of which a negative one's are turned over. */
export function numberText(number: number): string {
  // There is one zero.
  bits.setFloat64(0, number + 0);
  const plain = bits.getBigUint64(0);
  return BigInt.asUintN(64, plain < sign ? plain + sign : ~plain)
    .toString(16)
    .padStart(16, '0');
}
/** What all numbers in a unit begin with. It says how long the unit is, so that no other unit begins so, whatever characters it has. */
export const unitText = (unit: string): string => `${unit.length} ${unit}`;

const LONGEST = 64;
/** A word as it is kept: in place of a very long one its digest, with a sign before it that no word has. */
export const wordText = (p: string, word: string): string =>
  entryText(p, word.length <= LONGEST ? word : `#${createHash('sha256').update(word).digest('base64url')}`);
