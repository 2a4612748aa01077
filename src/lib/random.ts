import { randomBytes } from 'node:crypto';

/** The program's only door to randomness. */
export interface Random {
  /** `length` unpredictable bytes, in a new buffer. */
  bytes(length: number): Uint8Array;
  /** A number in [0, 1), evenly spread. */
  float(): number;
}

/** The operating system's generator, good for secrets. */
export class SystemRandom implements Random {
  bytes(length: number): Uint8Array {
    return new Uint8Array(randomBytes(length));
  }

  float(): number {
    return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
  }
}
