import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../../src/protocol/beat/crc32c.ts';

describe('CRC-32C', () => {
  it('gives the check value of the Castagnoli polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe306_9283);
  });

  it('reads only the range that it is given', () => {
    expect(crc32c(Buffer.from('xx123456789yy'), 2, 11)).toBe(0xe306_9283);
  });

  it('is 0 for no bytes', () => {
    expect(crc32c(new Uint8Array())).toBe(0);
  });
});
