import { argon2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Random } from '../../lib/random.ts';

const derive = promisify(argon2);

/** OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane. */
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;
const saltBytes = 16;

const shortestPassword = 12;
/** A longer one only costs time. */
const longestPassword = 1_024;

/** Why a password cannot be taken; null for one that can. */
export function passwordProblem(password: string, name: string): string | null {
  const length = Array.from(password).length;
  if (length < shortestPassword) return `has ${length} characters; at least ${shortestPassword} are needed`;
  if (password.length > longestPassword) return `is longer than ${longestPassword} characters`;
  if (new Set(password).size < 5) return 'repeats too few characters; use a passphrase';
  if (name.length > 2 && password.toLowerCase().includes(name.toLowerCase())) return 'contains the name';
  return null;
}

/** A PHC string of argon2id, with its parameters and salt in it. */
export async function hashPassword(password: string, random: Pick<Random, 'bytes'>): Promise<string> {
  const salt = Buffer.from(random.bytes(saltBytes));
  const tag = await derive('argon2id', { ...cost, message: password, nonce: salt });
  const { memory, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/**
 * Whether the password belongs to the hash. Takes the time of one derivation for null too, so that the answer does not
 * show which names exist.
 */
export async function passwordMatches(password: string, hash: string | null): Promise<boolean> {
  const parts = parsePhc(hash ?? unknownHash);
  const message = password.slice(0, longestPassword);
  const tag = await derive('argon2id', { ...parts.cost, message, nonce: parts.salt });
  return timingSafeEqual(tag, parts.tag) && hash !== null;
}

const unknownHash = [
  '$argon2id$v=19',
  `m=${cost.memory},t=${cost.passes},p=1`,
  unpadded(Buffer.alloc(saltBytes)),
  unpadded(Buffer.alloc(cost.tagLength)),
].join('$');

function parsePhc(hash: string) {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash);
  const [, memory, passes, parallelism, salt = '', tag = ''] = match ?? [];
  if (match === null) throw new TypeError('a stored password hash is damaged');
  const bytes = Buffer.from(tag, 'base64');
  return {
    cost: { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism), tagLength: bytes.length },
    salt: Buffer.from(salt, 'base64'),
    tag: bytes,
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
