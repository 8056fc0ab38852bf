import { type Html, html } from './html.ts';

/**
 * A text as a QR code (ISO/IEC 18004): bytes, error correction level M, versions 1 to 20, so at most 666 bytes. Gives rows of modules, true is dark; undefined
 * where the text is too long.
 */
export function qrCode(text: string): readonly (readonly boolean[])[] | undefined {
  const bytes = Buffer.from(text);
  const version = eccOf.findIndex((_, at) => at > 0 && bytes.length + (at < 10 ? 2 : 3) <= dataSize(at));
  if (version === -1) return undefined;
  const plain = drawPatterns(version);
  drawCodewords(plain, withCorrection(dataOf(bytes, version), version));
  const masked = masks.map((mask, at) => finish(plain, mask, at));
  return masked.reduce((best, one) => (penalty(one.modules) < penalty(best.modules) ? one : best)).modules;
}

/** A QR code as a picture, with the quiet zone of four modules around it that scanners need. */
export function qrPicture(text: string, label: string): Html | undefined {
  const rows = qrCode(text);
  if (rows === undefined) return undefined;
  const size = rows.length + 8;
  const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join('');
  return html`<svg class="scan" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${dark}" fill="#000"/></svg>`;
}

/** Level M by version: codewords of correction in a block, and blocks. */
const eccOf = [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const blocksOf = [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];

const alignments = (version: number): readonly number[] => {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  return [6, ...Array.from({ length: count - 1 }, (_, at) => version * 4 + 10 - at * step).reverse()];
};
/** Codewords that the modules have room for, beside the patterns. */
const rawSize = (version: number): number => {
  const side = version * 4 + 17;
  const aligned = alignments(version).length;
  const alignment = aligned === 0 ? 0 : (aligned * aligned - 3) * 25 - (aligned - 2) * 2 * 5;
  return (side * side - 3 * 64 - 31 - 2 * (side - 16) - alignment - (version < 7 ? 0 : 36)) >> 3;
};
const dataSize = (version: number): number => rawSize(version) - eccOf[version]! * blocksOf[version]!;

/** Mode, length, bytes, and padding to the full size. */
function dataOf(bytes: Buffer, version: number): readonly number[] {
  const length = version < 10 ? [bytes.length] : [bytes.length >> 8, bytes.length & 255];
  // The mode is half a byte, so that everything after it is shifted by one.
  const halves = [4, ...[...length, ...bytes].flatMap(byte => [byte >> 4, byte & 15]), 0];
  const data = Array.from({ length: halves.length / 2 }, (_, at) => (halves[at * 2]! << 4) | halves[at * 2 + 1]!);
  for (let pad = 0xec; data.length < dataSize(version); pad ^= 0xec ^ 0x11) data.push(pad);
  return data;
}

/** Multiplication in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> bit) & 1) * a);
  return product;
}
function remainder(data: readonly number[], degree: number): readonly number[] {
  const divisor: number[] = Array(degree).fill(0);
  divisor[degree - 1] = 1;
  for (let turn = 0, root = 1; turn < degree; turn++, root = times(root, 2))
    for (let at = 0; at < degree; at++) divisor[at] = times(divisor[at]!, root) ^ (divisor[at + 1] ?? 0);
  const rest: number[] = Array(degree).fill(0);
  for (const byte of data) {
    const factor = byte ^ rest.shift()!;
    rest.push(0);
    for (let at = 0; at < degree; at++) rest[at] = rest[at]! ^ times(divisor[at]!, factor);
  }
  return rest;
}
/** Cut into blocks, each with its correction, and woven together. The last blocks are one longer. */
function withCorrection(data: readonly number[], version: number): readonly number[] {
  const [count, ecc] = [blocksOf[version]!, eccOf[version]!];
  const short = Math.floor(data.length / count);
  const longer = data.length % count;
  const starts = (at: number): number => at * short + Math.max(0, at - (count - longer));
  const blocks = Array.from({ length: count }, (_, at) => data.slice(starts(at), starts(at + 1)));
  const corrections = blocks.map(block => remainder(block, ecc));
  const woven = (rows: readonly (readonly number[])[], length: number): readonly number[] =>
    Array.from({ length }, (_, at) => rows.flatMap(row => row[at] ?? [])).flat();
  return [...woven(blocks, short + 1), ...woven(corrections, ecc)];
}

/** `fixed`: the module belongs to a pattern, and is neither data nor masked. */
interface Drawing {
  readonly modules: boolean[][];
  readonly fixed: boolean[][];
}
const put = ({ modules, fixed }: Drawing, x: number, y: number, dark: boolean): void => {
  const row = modules[y];
  if (row === undefined || x < 0 || x >= row.length) return;
  row[x] = dark;
  fixed[y]![x] = true;
};

function drawPatterns(version: number): Drawing {
  const side = version * 4 + 17;
  const empty = (): boolean[][] => Array.from({ length: side }, () => Array<boolean>(side).fill(false));
  const drawing: Drawing = { modules: empty(), fixed: empty() };
  for (let at = 0; at < side; at++) {
    put(drawing, 6, at, at % 2 === 0);
    put(drawing, at, 6, at % 2 === 0);
  }
  const rings = (centreX: number, centreY: number, radius: number, light: readonly number[]): void => {
    for (let y = -radius; y <= radius; y++)
      for (let x = -radius; x <= radius; x++) put(drawing, centreX + x, centreY + y, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
  };
  for (const [x, y] of [
    [3, 3],
    [side - 4, 3],
    [3, side - 4],
  ] as const)
    rings(x, y, 4, [2, 4]);
  const centres = alignments(version);
  const last = centres.length - 1;
  for (const [row, y] of centres.entries())
    for (const [column, x] of centres.entries()) {
      const corner = (row === 0 && column === 0) || (row === 0 && column === last) || (row === last && column === 0);
      if (!corner) rings(x, y, 2, [1]);
    }
  drawFormat(drawing, 0);
  if (version >= 7) drawVersion(drawing, version);
  return drawing;
}
/** Level M is 0, so that the format is the mask alone, with its BCH code. */
function drawFormat(drawing: Drawing, mask: number): void {
  const side = drawing.modules.length;
  let rest = mask;
  for (let turn = 0; turn < 10; turn++) rest = (rest << 1) ^ ((rest >> 9) * 0x537);
  const bits = ((mask << 10) | rest) ^ 0x5412;
  const bit = (at: number): boolean => ((bits >> at) & 1) === 1;
  for (let at = 0; at < 15; at++) {
    const along = at < 6 ? at : at < 8 ? at + 1 : side - 15 + at;
    put(drawing, 8, along, bit(at));
    const across = at < 8 ? side - 1 - at : at === 8 ? 7 : 14 - at;
    put(drawing, across, 8, bit(at));
  }
  put(drawing, 8, side - 8, true);
}
function drawVersion(drawing: Drawing, version: number): void {
  const side = drawing.modules.length;
  let rest = version;
  for (let turn = 0; turn < 12; turn++) rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
  const bits = (version << 12) | rest;
  for (let at = 0; at < 18; at++) {
    const [far, near] = [side - 11 + (at % 3), Math.floor(at / 3)];
    put(drawing, far, near, ((bits >> at) & 1) === 1);
    put(drawing, near, far, ((bits >> at) & 1) === 1);
  }
}

/** In a zigzag of columns two wide, from the lower right, past the timing pattern. */
function drawCodewords({ modules, fixed }: Drawing, codewords: readonly number[]): void {
  const side = modules.length;
  let next = 0;
  for (let right = side - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const upward = ((right + 1) & 2) === 0;
    for (let turn = 0; turn < side; turn++)
      for (const x of [right, right - 1]) {
        const y = upward ? side - 1 - turn : turn;
        if (fixed[y]![x] || next >= codewords.length * 8) continue;
        modules[y]![x] = ((codewords[next >> 3]! >> (7 - (next & 7))) & 1) === 1;
        next++;
      }
  }
}

const masks: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  x => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];
function finish({ modules, fixed }: Drawing, mask: (x: number, y: number) => boolean, at: number): Drawing {
  const drawing: Drawing = { modules: modules.map((row, y) => row.map((on, x) => on !== (!fixed[y]![x] && mask(x, y)))), fixed: fixed.map(row => [...row]) };
  drawFormat(drawing, at);
  return drawing;
}
/** How hard a mask makes the code to scan: long runs, blocks of one colour, and more of one than of the other. */
function penalty(rows: readonly (readonly boolean[])[]): number {
  const columns = rows.map((_, x) => rows.map(row => row[x]!));
  let sum = 0;
  for (const line of [...rows, ...columns])
    for (const run of line
      .map(Number)
      .join('')
      .match(/0{5,}|1{5,}/g) ?? [])
      sum += run.length - 2;
  for (let y = 1; y < rows.length; y++)
    for (let x = 1; x < rows.length; x++)
      if (rows[y]![x] === rows[y - 1]![x] && rows[y]![x] === rows[y]![x - 1] && rows[y]![x] === rows[y - 1]![x - 1]) sum += 3;
  const share = rows.flat().filter(Boolean).length / (rows.length * rows.length);
  return sum + Math.floor(Math.abs(share - 0.5) * 20) * 10;
}
