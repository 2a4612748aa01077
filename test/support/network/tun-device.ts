import { constants, openSync } from 'node:fs';
import koffi from 'koffi';

const library = koffi.load(null);
const calls = {
  ioctl: library.func('int ioctl(int, uint64_t, _Inout_ uint8_t *)'),
  read: library.func('int64_t read(int, _Out_ uint8_t *, size_t)'),
  write: library.func('int64_t write(int, const uint8_t *, size_t)'),
  poll: library.func('int poll(_Inout_ uint8_t *, uint64_t, int)'),
} as unknown as {
  readonly ioctl: (fd: number, request: number, argument: Buffer) => number;
  readonly read: (fd: number, into: Buffer, length: number) => number;
  readonly write: (fd: number, from: Buffer, length: number) => number;
  readonly poll: (entries: Buffer, count: number, timeoutMs: number) => number;
};

/** linux/if_tun.h and poll.h. */
const setInterface = 0x400454ca;
const tunWithoutInfo = 0x1001;
const pollIn = 0x1;
const [requestBytes, flagsAt] = [40, 16];
const [entryBytes, eventsAt, foundAt] = [8, 4, 6];
const largestPacketBytes = 65_535;

/** A network interface whose packets this process reads and writes. It goes with the process. Needs Linux and root. */
export class TunDevice {
  readonly fd: number;
  readonly #room = Buffer.alloc(largestPacketBytes);

  /** `name` has at most 15 characters. Throws where the kernel gives none. */
  constructor(name: string) {
    this.fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
    const request = Buffer.alloc(requestBytes);
    request.write(name, 'latin1');
    request.writeUInt16LE(tunWithoutInfo, flagsAt);
    if (calls.ioctl(this.fd, setInterface, request) !== 0) throw new Error(`no TUN device ${name}`);
  }

  /** An IP packet that was sent into the interface; null when none waits. */
  read(): Buffer | null {
    const length = calls.read(this.fd, this.#room, this.#room.length);
    return length > 0 ? Buffer.from(this.#room.subarray(0, length)) : null;
  }

  /** The interface receives an IP packet. The kernel may refuse it: then it is lost. */
  write(packet: Buffer): void {
    calls.write(this.fd, packet, packet.length);
  }
}

/** Waits until one of the descriptors has something to read or has been closed at its other end, or for that long. */
export class Poll {
  readonly #entries: Buffer;
  readonly #count: number;

  constructor(descriptors: readonly number[]) {
    this.#count = descriptors.length;
    this.#entries = Buffer.alloc(descriptors.length * entryBytes);
    for (const [index, fd] of descriptors.entries()) {
      this.#entries.writeInt32LE(fd, index * entryBytes);
      this.#entries.writeUInt16LE(pollIn, index * entryBytes + eventsAt);
    }
  }

  wait(timeoutMs: number): void {
    calls.poll(this.#entries, this.#count, timeoutMs);
  }

  /** Whether the last wait found something of the descriptor at this place. */
  found(index: number): boolean {
    return this.#entries.readUInt16LE(index * entryBytes + foundAt) !== 0;
  }
}
