import { encode } from 'uqr';
import { type Html, html } from './html.ts';

/** Modules of quiet zone around it, which scanners need (ISO/IEC 18004). */
const QUIET = 4;

/** A text as a QR code, as a picture; undefined where it is too long for one that a phone reads from a screen. */
export function qrPicture(text: string, label: string): Html | undefined {
  if (Buffer.byteLength(text) > 600) return undefined;
  const { data: rows } = encode(text, { ecc: 'M', border: 0 });
  const size = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : []))).join('');
  return html`<svg class="scan" role="img" aria-label="${label}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${dark}" fill="#000"/></svg>`;
}
