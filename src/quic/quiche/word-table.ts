/**
 * An open-addressing hash table whose keys are four 32-bit words (shorter keys fill up with zeros). It looks a key up
 * in packet bytes without making a string or any other object, which a Map cannot.
 */
export class WordTable<Value extends object> {
  #words = new Int32Array(8 * 4);
  #values: (Value | undefined)[] = new Array<Value | undefined>(8).fill(undefined);
  #mask = 7;
  #size = 0;
  /** So that a peer that chooses its ids cannot aim them at one slot. */
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  get(w0: number, w1: number, w2 = 0, w3 = 0): Value | undefined {
    const slot = this.#find(w0 | 0, w1 | 0, w2 | 0, w3 | 0);
    return this.#values[slot];
  }

  set(value: Value, w0: number, w1: number, w2 = 0, w3 = 0): void {
    const slot = this.#find(w0 | 0, w1 | 0, w2 | 0, w3 | 0);
    if (this.#values[slot] === undefined) {
      this.#size += 1;
      this.#words.set([w0, w1, w2, w3], slot * 4);
    }
    this.#values[slot] = value;
    if (this.#size * 2 > this.#mask) this.#grow();
  }

  delete(w0: number, w1: number, w2 = 0, w3 = 0): void {
    let hole = this.#find(w0 | 0, w1 | 0, w2 | 0, w3 | 0);
    if (this.#values[hole] === undefined) return;
    this.#size -= 1;
    this.#values[hole] = undefined;
    // Entries that probed past the hole move into it, or a look-up would stop there.
    for (let slot = (hole + 1) & this.#mask; this.#values[slot] !== undefined; slot = (slot + 1) & this.#mask) {
      const home = this.#homeOf(slot);
      if (((slot - home) & this.#mask) < ((slot - hole) & this.#mask)) continue;
      this.#words.copyWithin(hole * 4, slot * 4, slot * 4 + 4);
      this.#values[hole] = this.#values[slot];
      this.#values[slot] = undefined;
      hole = slot;
    }
  }

  /** The slot of the key, or the empty one where it would go. */
  #find(w0: number, w1: number, w2: number, w3: number): number {
    const words = this.#words;
    let slot = this.#hash(w0, w1, w2, w3) & this.#mask;
    while (this.#values[slot] !== undefined) {
      const at = slot * 4;
      if (words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3) return slot;
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  #homeOf(slot: number): number {
    const at = slot * 4;
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#words.subarray(at, at + 4);
    return this.#hash(w0, w1, w2, w3) & this.#mask;
  }

  #hash(w0: number, w1: number, w2: number, w3: number): number {
    let hash = this.#seed;
    hash = Math.imul(hash ^ w0, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ w1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13) ^ w2, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 16) ^ w3, 0x27d4eb2f);
    return (hash ^ (hash >>> 15)) >>> 0;
  }

  #grow(): void {
    const words = this.#words;
    const values = this.#values;
    const capacity = values.length * 2;
    this.#words = new Int32Array(capacity * 4);
    this.#values = new Array<Value | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
    values.forEach((value, slot) => {
      if (value === undefined) return;
      const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words.subarray(slot * 4, slot * 4 + 4);
      const next = this.#find(w0, w1, w2, w3);
      this.#words.set([w0, w1, w2, w3], next * 4);
      this.#values[next] = value;
    });
  }
}

/** Four bytes as a signed 32-bit word; the caller knows that they are there. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}
