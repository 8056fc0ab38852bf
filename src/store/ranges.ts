/** The furthest moments that a Date can hold: where an open end is brought to. */
const FURTHEST = 8.64e15;
export const clamp = (moment: number): number => Math.min(FURTHEST, Math.max(-FURTHEST, moment));

/** The first text, in the order of code points, after all that begin with this one; undefined where there is none. */
export function afterPrefix(text: string): string | undefined {
  const points = [...text];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0)!;
    // Between them lie the surrogates, which are no characters.
    if (point < 0x10ffff) return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  return undefined;
}
