import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { qrCode, qrPicture } from '../../src/portal/qr.ts';

const drawn = (text: string): string =>
  qrCode(text)!
    .map(row => row.map(on => (on ? '#' : '.')).join(''))
    .join('\n');

// Both have been read back by an independent reader of QR codes.
test('ISO/IEC 18004: a short text, drawn', () => {
  expect(drawn('Kindred')).toBe(
    [
      '#######.##.#..#######',
      '#.....#.#..#..#.....#',
      '#.###.#....##.#.###.#',
      '#.###.#.#.###.#.###.#',
      '#.###.#..###..#.###.#',
      '#.....#....##.#.....#',
      '#######.#.#.#.#######',
      '........##.##........',
      '#.##.###.#.##.#..#.##',
      '##.#.#.#...#####....#',
      '...#.##..###.......##',
      '.#.###..#..#..#.##..#',
      '#...#.##.#..#.......#',
      '........####..#.#.#.#',
      '#######.#..##..##.#..',
      '#.....#.#........####',
      '#.###.#..#..####.####',
      '#.###.#.####..#..#.#.',
      '#.###.#.##..#.#...#..',
      '#.....#...#..#..#...#',
      '#######.#....#..###..',
    ].join('\n'),
  );
});
test('ISO/IEC 18004: an address for an authenticator app, in several blocks, with its version drawn into it', () => {
  const address =
    'otpauth://totp/Kindred:mary?issuer=Kindred&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30&image=https%3A%2F%2Fkindred.example%2Fmark.png';
  expect(qrCode(address)).toHaveLength(53);
  expect(createHash('sha256').update(drawn(address)).digest('hex').slice(0, 16)).toBe('c2d85e54e93eeba1');
});
test('666 bytes are the most', () => {
  expect(qrCode('x'.repeat(666))).toHaveLength(97);
  expect(qrCode('x'.repeat(667))).toBeUndefined();
  expect(qrPicture('x'.repeat(667), 'QR code')).toBeUndefined();
});
test('a picture is named, and has the quiet zone around it', () => {
  const { html } = qrPicture('Kindred', 'QR "code"')!;
  expect(html).toMatch(/^<svg class="scan" role="img" aria-label="QR &quot;code&quot;" viewBox="0 0 29 29"/);
  expect(html).toContain('M4 4h1v1h-1z');
  expect(html).not.toMatch(/M[0-3] |M\d+ [0-3]h/);
});
