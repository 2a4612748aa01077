import { FrameReader } from '../../protocol/tunnel/frame.ts';
import { MAX_SEALED_CHUNK_BYTES } from '../../protocol/tunnel/limits.ts';
import type { PayloadCipher } from './payload-cipher.ts';

/** What `ChunkOpener.next()` found. */
export type OpenedChunk =
  | { readonly kind: 'plaintext'; readonly bytes: Uint8Array }
  | { readonly kind: 'incomplete' }
  /** Changed on the way, sealed with another key, or longer than a chunk may be: nothing after it can be trusted. */
  | { readonly kind: 'broken' };

/**
 * Turns the bytes of one direction of a TCP data stream, cut anywhere, back into plaintext (docs/protocol/tunnel.md
 * §4).
 */
export class ChunkOpener {
  readonly #cipher: Pick<PayloadCipher, 'open'>;
  readonly #chunks = new FrameReader(MAX_SEALED_CHUNK_BYTES);

  constructor(cipher: Pick<PayloadCipher, 'open'>) {
    this.#cipher = cipher;
  }

  /** True at a place where the stream may end cleanly; anywhere else its end means that bytes are missing. */
  get atBoundary(): boolean {
    return this.#chunks.bufferedBytes === 0;
  }

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  /** The next chunk; call until it returns `incomplete`. After `broken` the opener must not be used. */
  next(): OpenedChunk {
    const read = this.#chunks.next();
    if (read.kind === 'incomplete') return read;
    const bytes = read.kind === 'frame' ? this.#cipher.open(read.payload) : null;
    return bytes === null ? { kind: 'broken' } : { kind: 'plaintext', bytes };
  }
}
