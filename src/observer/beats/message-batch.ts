import { POSIX, type Libc } from '../../posix/libc.ts';
import type { DatagramRing, RingEntry } from './datagram-ring.ts';

/** Messages of one call at most. */
export const batchSize = 64;
/** struct mmsghdr, struct iovec, CMSG_SPACE(struct ucred), and room for the data of each message. */
const headerBytes = 64;
const vectorBytes = 16;
/**
 * Exactly room for credentials. Descriptors that a sender attaches do not fit: the kernel drops them and sets
 * MSG_CTRUNC, so that none is ever received.
 */
const controlBytes = 32;
const dataBytes = 64;

const credentialsType = 2;

/** Room for one recvmmsg call, in memory that the C library sees (64-bit Linux). */
export class MessageBatch {
  readonly #libc: Libc;
  readonly #memory: unknown;
  readonly #view: DataView;
  readonly #words: Int32Array;
  readonly #message = {
    receivedNs: 0,
    size: 0,
    ctrlTruncated: false,
    credentials: null as RingEntry['credentials'],
    errno: 0,
  };
  readonly #credentials = { pid: 0, uid: 0 };

  constructor(libc: Libc) {
    const total = batchSize * (headerBytes + vectorBytes + controlBytes + dataBytes);
    this.#libc = libc;
    this.#memory = libc.calloc(total, 1);
    this.#view = new DataView(libc.view(this.#memory, total));
    this.#words = new Int32Array(this.#view.buffer);
    const base = libc.address(this.#memory);
    for (let index = 0; index < batchSize; index += 1) {
      const header = index * headerBytes;
      this.#view.setBigUint64(vectorAt(index), base + BigInt(dataAt(index)), true);
      this.#view.setBigUint64(vectorAt(index) + 8, BigInt(dataBytes), true);
      this.#view.setBigUint64(header + 16, base + BigInt(vectorAt(index)), true);
      this.#view.setBigUint64(header + 24, 1n, true);
      this.#view.setBigUint64(header + 32, base + BigInt(controlAt(index)), true);
      this.#view.setUint32(header + 40, controlBytes, true);
    }
  }

  /** Waits for a datagram and takes all that are there, up to 64; -1 for an error or after the socket's timeout. */
  receive(fd: number): number {
    const flags = POSIX.MSG_WAITFORONE | POSIX.MSG_CMSG_CLOEXEC | POSIX.MSG_TRUNC;
    return this.#libc.recvmmsg(fd, this.#memory, batchSize, flags, null);
  }

  /** Returns how many of the `count` messages found room; to be published. */
  copyTo(ring: DatagramRing, count: number, receivedNs: number): number {
    let written = 0;
    const message = this.#message;
    message.receivedNs = receivedNs;
    for (let index = 0; index < count; index += 1) {
      const header = index * headerBytes;
      message.size = this.#view.getUint32(header + 56, true);
      message.ctrlTruncated = (this.#view.getUint32(header + 48, true) & POSIX.MSG_CTRUNC) !== 0;
      message.credentials = this.#credentialsOf(index);
      if (ring.write(written, message, this.#words, dataAt(index))) written += 1;
      // The kernel wrote there how much it used.
      this.#view.setUint32(header + 40, controlBytes, true);
    }
    return written;
  }

  free(): void {
    this.#libc.free(this.#memory);
  }

  #credentialsOf(index: number): RingEntry['credentials'] {
    const control = controlAt(index);
    if (this.#view.getUint32(index * headerBytes + 40, true) < 28) return null;
    const isCredentials =
      this.#view.getInt32(control + 8, true) === POSIX.SOL_SOCKET &&
      this.#view.getInt32(control + 12, true) === credentialsType;
    if (!isCredentials) return null;
    this.#credentials.pid = this.#view.getUint32(control + 16, true);
    this.#credentials.uid = this.#view.getUint32(control + 20, true);
    return this.#credentials;
  }
}

function vectorAt(index: number): number {
  return batchSize * headerBytes + index * vectorBytes;
}

function controlAt(index: number): number {
  return batchSize * (headerBytes + vectorBytes) + index * controlBytes;
}

function dataAt(index: number): number {
  return batchSize * (headerBytes + vectorBytes + controlBytes) + index * dataBytes;
}
