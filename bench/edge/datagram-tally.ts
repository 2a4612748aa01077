import { TUNNEL_ID_BYTES } from '../../src/protocol/tunnel/limits.ts';
import type { QuicStream } from '../../src/quic/types.ts';
import type { Tally } from './edge-calls.ts';
import type { Path, Receiver } from './path-group.ts';

const numberAt = TUNNEL_ID_BYTES;
const flowAt = numberAt + 4;
/** Prefix, number, flow, number again. */
const smallestDatagram = flowAt + 8;
/** Of probes, which are counted on their path only. */
export const probeFlow = 0;

/** Behind the prefix come the datagram's number and that of its flow, and the number again at the end, so that a torn one shows. */
export function writeNumber(datagram: Buffer, flow: number, number: number): void {
  datagram.writeUInt32BE(number, numberAt);
  datagram.writeUInt32BE(flow, flowAt);
  datagram.writeUInt32BE(number, datagram.length - 4);
}

/** Counts the datagrams of one flow, each number once. */
export class DatagramTally implements Receiver {
  readonly #flow: number;
  readonly #seen: Uint8Array;
  readonly #paths = new Set<Path>();
  #received = 0;
  #damaged = 0;

  /** Numbers from 0 to below `total` are counted. */
  constructor(flow: number, total: number) {
    this.#flow = flow;
    this.#seen = new Uint8Array(total);
  }

  onDatagram(datagram: Uint8Array, path: Path): void {
    this.#paths.add(path);
    const view = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength);
    // What an earlier flow left on its way.
    if (view.length >= smallestDatagram && view.readUInt32BE(flowAt) !== this.#flow) return;
    const number = readNumber(view);
    if (number === null || this.#seen[number] !== 0) {
      this.#damaged += 1;
      return;
    }
    this.#seen[number] = 1;
    this.#received += 1;
  }

  onStream(stream: QuicStream): void {
    stream.stop(0);
    stream.reset(0);
  }

  read(): Tally {
    return { received: this.#received, damaged: this.#damaged, paths: this.#paths.size };
  }
}

/** Null when the datagram is not whole. */
function readNumber(datagram: Buffer): number | null {
  if (datagram.length < smallestDatagram) return null;
  const number = datagram.readUInt32BE(numberAt);
  return number === datagram.readUInt32BE(datagram.length - 4) ? number : null;
}
