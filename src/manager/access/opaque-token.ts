import { createHash } from 'node:crypto';
import type { Random } from '../../lib/random.ts';

const tokenBytes = 32;

/** 256 random bits in base64url. Only its hash is stored. */
export function newToken(random: Pick<Random, 'bytes'>, prefix = ''): string {
  return prefix + Buffer.from(random.bytes(tokenBytes)).toString('base64url');
}

/** SHA-256, lower-case hex: enough for a token of 256 random bits. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
