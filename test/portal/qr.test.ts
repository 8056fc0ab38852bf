import { expect, test } from '@jest/globals';
import { qrPicture } from '../../src/portal/qr.ts';

test('a picture is named, has the three finders (ISO/IEC 18004), and the quiet zone around it', () => {
  const { html } = qrPicture('Kindred', 'QR "code"')!;
  expect(html).toMatch(/^<svg class="scan" role="img" aria-label="QR &quot;code&quot;" viewBox="0 0 29 29"/);
  for (const [x, y] of [
    [4, 4],
    [18, 4],
    [4, 18],
  ] as const)
    for (let at = 0; at < 7; at++) {
      expect(html).toContain(`M${x + at} ${y}h1v1h-1z`);
      expect(html).toContain(`M${x} ${y + at}h1v1h-1z`);
    }
  expect(html).not.toMatch(/M[0-3] |M\d+ [0-3]h/);
});
test('another text is another picture; what no phone reads from a screen is none', () => {
  const address = (secret: string) => qrPicture(`otpauth://totp/Kindred:mary?issuer=Kindred&secret=${secret}`, 'QR code')!.html;
  expect(address('JBSWY3DPEHPK3PXP')).not.toBe(address('JBSWY3DPEHPK3PXQ'));
  expect(qrPicture('x'.repeat(601), 'QR code')).toBeUndefined();
});
