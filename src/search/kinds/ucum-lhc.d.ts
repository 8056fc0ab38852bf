/** What is used of the package, which has no types of its own. */
declare module '@lhncbc/ucum-lhc' {
  interface UcumUnit {
    readonly dim_: { readonly dimVec_: readonly number[] | null } | null;
    /** The name of its conversion, where that is more than a factor. */
    readonly cnv_: string | null;
    readonly isArbitrary_: boolean;
    readonly moleExp_: number;
  }
  export class UcumLhcUtils {
    static getInstance(): UcumLhcUtils;
    getSpecifiedUnit(code: string, how: 'validate'): { readonly unit: UcumUnit | null };
    convertToBaseUnits(code: string, value: number): { readonly status: string; readonly magnitude: number };
  }
}
