const packetBytes = 188;

/** Regroups TS packets into payloads of an exact size; the rest waits for the next chunk. */
export class TsPacker {
  readonly #bytes: number;
  #rest: Buffer = Buffer.alloc(0);

  /** Payloads of as many whole packets as fit into `payloadBytes`. */
  constructor(payloadBytes: number) {
    this.#bytes = Math.max(1, Math.floor(payloadBytes / packetBytes)) * packetBytes;
  }

  /** The full payloads that there are now; parts of `chunk` where it fits as it is. */
  pack(chunk: Buffer): readonly Buffer[] {
    if (this.#rest.length === 0 && chunk.length <= this.#bytes) return [chunk];
    const all = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const payloads: Buffer[] = [];
    let at = 0;
    for (; at + this.#bytes <= all.length; at += this.#bytes) payloads.push(all.subarray(at, at + this.#bytes));
    this.#rest = all.subarray(at);
    return payloads;
  }
}
