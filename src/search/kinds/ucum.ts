import { type UcumLhcUtils as Ucum, UcumLhcUtils } from '@lhncbc/ucum-lhc';

export const ucumSystem = 'http://unitsofmeasure.org';

/** A unit brought to base units: a value in it is `offset + factor * value` of `unit`. */
export interface BaseUnit {
  readonly unit: string;
  readonly factor: number;
  readonly offset: number;
}
/** Units whose scale is shifted but straight; others that are special (pH) would turn the order of values round. */
const straight: ReadonlySet<string> = new Set(['Cel', 'degF', 'degRe']);
/** So many units are remembered: what clients send has no end. */
const MOST = 5000;
const known = new Map<string, BaseUnit | undefined>();
let ucum: Ucum | undefined;

/** The base units of a UCUM code; undefined where it is none, or an arbitrary unit (`[IU]`), which is comparable with nothing but itself. */
export function baseUnitOf(code: string): BaseUnit | undefined {
  if (known.has(code)) return known.get(code);
  if (known.size >= MOST) known.clear();
  const found = findBaseUnit(code);
  known.set(code, found);
  return found;
}
function findBaseUnit(code: string): BaseUnit | undefined {
  if (code === '' || code.length > 100) return undefined;
  ucum ??= UcumLhcUtils.getInstance();
  // `validate`: no guesses.
  const { unit } = ucum.getSpecifiedUnit(code, 'validate');
  if (unit == null || unit.isArbitrary_ || (unit.cnv_ != null && !straight.has(unit.cnv_))) return undefined;
  const base = (value: number): number | undefined => {
    const { status, magnitude } = ucum!.convertToBaseUnits(code, value);
    return status === 'succeeded' ? magnitude : undefined;
  };
  const [zero, one] = [unit.cnv_ == null ? 0 : base(0), base(1)];
  if (zero === undefined || one === undefined) return undefined;
  return { unit: `=${(unit.dim_?.dimVec_ ?? []).join(',')};${unit.moleExp_ ?? 0}`, factor: one - zero, offset: zero };
}
