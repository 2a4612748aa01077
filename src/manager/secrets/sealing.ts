import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { AppError } from '../../lib/app-error.ts';
import type { Random } from '../../lib/random.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** Where a sealed value stands: it opens nowhere else. */
export interface Place {
  readonly table: string;
  readonly column: string;
  readonly id: string;
}

/**
 * Seals what must be readable again: `v1.<key id>.<base64(nonce ‖ ciphertext ‖ tag)>`, AES-256-GCM with the place as
 * additional data. One data key for each table is derived from the master key.
 */
export class Sealing {
  /** The first 8 hex digits of HKDF(master, `kid`): shows which key a value needs. */
  readonly keyId: string;
  readonly #master: Uint8Array;
  readonly #random: Pick<Random, 'bytes'>;
  readonly #keys = new Map<string, Buffer>();

  /** `master` has 32 bytes. */
  constructor(master: Uint8Array, random: Pick<Random, 'bytes'>) {
    this.#master = master;
    this.#random = random;
    this.keyId = this.#derive('kid').toString('hex').slice(0, 8);
  }

  seal(text: string, place: Place): string {
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#dataKey(place.table), nonce);
    cipher.setAAD(aadOf(place));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `v1.${this.keyId}.${sealed.toString('base64')}`;
  }

  /** Throws AppError `input-invalid` for a value of another key, of another place, or that was changed. */
  open(sealed: string, place: Place): string {
    const [version, keyId, body] = sealed.split('.');
    if (version !== 'v1' || body === undefined) throw new AppError('input-invalid', 'a sealed value is damaged');
    if (keyId !== this.keyId) {
      throw new AppError('input-invalid', `a value was sealed with the master key ${keyId ?? ''}, not ${this.keyId}`);
    }
    const bytes = Buffer.from(body, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.#dataKey(place.table), bytes.subarray(0, nonceBytes));
      decipher.setAAD(aadOf(place));
      decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
      const text = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes));
      return Buffer.concat([text, decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new AppError('input-invalid', `the sealed ${place.column} of ${place.id} is damaged`, { cause });
    }
  }

  #dataKey(table: string): Buffer {
    const known = this.#keys.get(table);
    if (known !== undefined) return known;
    const key = this.#derive(`kek:${table}`);
    this.#keys.set(table, key);
    return key;
  }

  #derive(info: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#master, 'adit-manager', info, 32));
  }
}

function aadOf({ table, column, id }: Place): Buffer {
  return Buffer.from(`${table}/${column}/${id}`);
}
