import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../../lib/random.ts';

const secretBytes = 32;

/** A node secret, registration token or tunnel key: 64 unpredictable hex digits. */
export function newSecret(random: Pick<Random, 'bytes'>): string {
  return Buffer.from(random.bytes(secretBytes)).toString('hex');
}

/** What is kept of a secret: SHA-256, lower-case hex. Enough for 256 random bits. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

const nothing = hashSecret('');

/** Which of the rows the secret belongs to; null for none. Takes the same time for none, one and many rows alike. */
export function findSecret<Row extends { readonly hash: string }>(secret: string, rows: readonly Row[]): Row | null {
  const presented = Buffer.from(hashSecret(secret), 'hex');
  let found: Row | null = null;
  for (let index = 0; index < Math.max(1, rows.length); index++) {
    const row = rows[index];
    const equal = timingSafeEqual(presented, Buffer.from(row?.hash ?? nothing, 'hex'));
    if (equal && row !== undefined) found = row;
  }
  return found;
}
