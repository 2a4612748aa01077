import { POSIX, type Libc } from '../../posix/libc.ts';
import { arrivalNs } from './arrival-time.ts';
import type { DatagramRing, RingEntry } from './datagram-ring.ts';

/** Messages of one call at most. */
export const batchSize = 64;
/** Of each message: struct mmsghdr, struct iovec, CMSG_SPACE of struct timespec and struct ucred, and its data. */
const headerBytes = 64;
const vectorBytes = 16;
/**
 * Exactly room for the time and the credentials, in this order. Descriptors that a sender attaches do not fit: the
 * kernel drops them and sets MSG_CTRUNC, so that none is ever received.
 */
const controlBytes = 64;
const timeOffset = 16;
const credentialsOffset = 32;
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
  readonly #now = new Uint8Array(16);
  readonly #clock = new DataView(this.#now.buffer);

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

  /**
   * Copies the `count` messages that were received at `receivedNs`. With `dated` each has the time at which it came.
   * Returns how many found room; to be published.
   */
  copyTo(ring: DatagramRing, count: number, receivedNs: number, dated: boolean): number {
    let written = 0;
    const message = this.#message;
    message.receivedNs = receivedNs;
    if (dated) this.#libc.clock_gettime(POSIX.CLOCK_REALTIME, this.#now);
    for (let index = 0; index < count; index += 1) {
      const header = index * headerBytes;
      if (dated) message.receivedNs = arrivalNs(receivedNs, this.#ageNs(index));
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

  /** Nanoseconds since the kernel queued a message, by the machine's clock. */
  #ageNs(index: number): number {
    const time = controlAt(index) + timeOffset;
    const seconds = (this.#clock.getInt32(0, true) - this.#view.getInt32(time, true)) | 0;
    return seconds * 1e9 + this.#clock.getInt32(8, true) - this.#view.getInt32(time + 8, true);
  }

  #credentialsOf(index: number): RingEntry['credentials'] {
    const control = controlAt(index) + credentialsOffset;
    if (this.#view.getUint32(index * headerBytes + 40, true) < controlBytes) return null;
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
