import type { IndexValue, PlainAtom, PlainValue } from '../../search/query.ts';
import { clamp } from '../ranges.ts';
import type { Dictionary } from './dictionary.ts';
import { allOf, q, type Sql, sql } from './driver.ts';
import { spanTest } from './spans.ts';

type CompositeValue = Extract<IndexValue, { kind: 'composite' }>;
/** What stands for the uri of a system or a unit. */
type Numbered = (uri: string) => number;

/** The columns of each part. */
const parts = [
  ['a', 'a2'],
  ['b', 'b2'],
  ['c', 'c2'],
] as const;
export const partColumns: readonly string[] = parts.flat();

/** The texts of a value, two for each part; '' where it has fewer parts. They compare as what they stand for does. */
export function partTexts({ parts: values }: CompositeValue, system: Numbered): readonly string[] {
  return parts.flatMap((_, at) => (values[at] === undefined ? ['', ''] : textsOf(values[at], system)));
}
function textsOf(value: PlainValue, system: Numbered): readonly [string, string] {
  switch (value.kind) {
    case 'token':
      return [value.code, String(system(value.system))];
    case 'string':
      return [value.text, value.exact];
    case 'date':
      return [sortable(clamp(value.low)), sortable(clamp(value.high))];
    case 'reference':
      return [value.id, value.type];
    case 'uri':
      return [value.uri, ''];
    case 'quantity': {
      const unit = system(value.unit);
      return [`${unit}|${sortable(value.low)}`, `${unit}|${sortable(value.high)}`];
    }
  }
}

const bits = new DataView(new ArrayBuffer(8));
/** A number as a text that comes before and after others as it does: its bits, turned round where it is negative. Zeros at the end say nothing. */
export function sortable(value: number): string {
  bits.setFloat64(0, value + 0);
  const [high, low] = [bits.getInt32(0), bits.getUint32(4)];
  const hex = (half: number): string => (half >>> 0).toString(16).padStart(8, '0');
  return (high < 0 ? hex(~high) + hex(~low) : hex(high ^ 0x80000000) + hex(low)).replace(/0+$/, '');
}

/** What is asked of one part: values for a condition that is the same for all atoms of one shape. */
interface Asked {
  readonly values: readonly string[];
  /** `of`: the value at a place in `values`. */
  test(one: Sql, other: Sql, of: (at: number) => Sql): Sql;
}
function askedOf(atom: PlainAtom, known: Dictionary): Asked {
  switch (atom.kind) {
    case 'token': {
      const { code, system } = atom;
      const values = [...(code === undefined ? [] : [code]), ...(system === undefined ? [] : [String(known.systemId(system))])];
      return {
        values,
        test: (one, other, of) =>
          allOf([...(code === undefined ? [] : [q`${one} = ${of(0)}`]), ...(system === undefined ? [] : [q`${other} = ${of(values.length - 1)}`])]),
      };
    }
    case 'string': {
      const { how, text } = atom;
      if (how === 'exact') return { values: [text], test: (_, other, of) => q`${other} = ${of(0)}` };
      return { values: [text], test: (one, _, of) => q`instr(${one}, ${of(0)}) ${sql(how === 'starts' ? '= 1' : '> 0')}` };
    }
    case 'date':
      return {
        values: [sortable(clamp(atom.low)), sortable(clamp(atom.high))],
        test: (one, other, of) => spanTest(atom.how, of(0), of(1), one, other),
      };
    case 'reference': {
      const { id, type } = atom;
      if (type === undefined) return { values: [id], test: (one, other, of) => q`${one} = ${of(0)} AND ${other} <> ''` };
      return { values: [id, type], test: (one, other, of) => q`${one} = ${of(0)} AND ${other} = ${of(1)}` };
    }
    case 'uri':
      if (atom.how === 'is') return { values: [atom.uri], test: (one, _, of) => q`${one} = ${of(0)}` };
      return { values: [atom.uri, `${atom.uri}/`], test: (one, _, of) => q`(${one} = ${of(0)} OR instr(${one}, ${of(1)}) = 1)` };
    case 'quantity': {
      const unit = known.systemId(atom.unit);
      return {
        // No number comes before the first or after the second of them.
        values: [`${unit}|`, `${unit}}`, `${unit}|${sortable(atom.low)}`, `${unit}|${sortable(atom.high)}`],
        test: (one, other, of) => q`${one} > ${of(0)} AND ${one} < ${of(1)} AND ${spanTest(atom.how, of(2), of(3), one, other)}`,
      };
    }
  }
}

/** Whether an index finds what the part demands: it is equal to a text. */
export const isExact = (part: PlainAtom | undefined): boolean =>
  part?.kind === 'token' ? part.code !== undefined : part?.kind === 'reference' || (part?.kind === 'uri' && part.how === 'is');

/** Atoms of one shape, at least one: one comparison, however many. */
export function compositeSql(atoms: readonly (readonly PlainAtom[])[], of: (column: string) => Sql, known: Dictionary): Sql {
  const asked = atoms.map(atom => atom.map(part => askedOf(part, known)));
  const first = asked[0]!;
  const test = (operand: (at: number) => Sql): Sql => {
    let before = 0;
    return allOf(
      first.map((part, at) => {
        const start = before;
        before += part.values.length;
        return part.test(of(parts[at]![0]), of(parts[at]![1]), value => operand(start + value));
      }),
    );
  };
  if (atoms.length === 1) {
    const values = first.flatMap(part => part.values);
    return q`(${test(at => sql('?', values[at]!))})`;
  }
  const list = JSON.stringify(asked.map(each => each.flatMap(part => part.values)));
  const seek = isExact(atoms[0]![0]) ? q`${of('a')} IN (SELECT value ->> 0 FROM json_each(${list})) AND ` : sql('');
  return q`${seek}EXISTS (SELECT 1 FROM json_each(${list}) j WHERE ${test(at => sql(`j.value ->> ${at}`))})`;
}
