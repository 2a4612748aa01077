import { describe, expect, it } from 'vitest';
import type { QuicheHandle } from '../../../../src/quic/quiche/binding.ts';
import { StreamHandle } from '../../../../src/quic/quiche/stream-handle.ts';
import { StreamSet } from '../../../../src/quic/quiche/stream-set.ts';
import type { QuicConnection } from '../../../../src/quic/types.ts';
import { HandCarried } from '../../../support/peers/hand-carried.ts';

const fullPacket = 1400;

/** A StreamSet of a connection whose packets leave and never arrive. */
class Sender {
  readonly set: StreamSet;
  readonly #handle: QuicheHandle;
  #packets = 0;

  constructor(handle: QuicheHandle) {
    this.#handle = handle;
    const never = (): never => expect.unreachable();
    const owner = {
      connection: null as unknown as QuicConnection,
      flush: () => {
        while (this.send(fullPacket));
        return false;
      },
      packetsSent: () => this.#packets,
      idleMs: 25_000,
      nowMs: () => 0,
      planTransmit: never,
      planReceive: never,
      later: never,
      onRead: never,
      onStream: never,
      onFault: never,
    };
    this.set = new StreamSet(handle, owner, false);
  }

  /** Answers whether a packet of at most so many bytes left. */
  send(bytes: number): boolean {
    const sent = this.#handle.send(new Uint8Array(bytes)) !== null;
    if (sent) this.#packets += 1;
    return sent;
  }

  /** Writes a congestion window of data, and fills the window but for so many bytes. */
  fill(residue: number): void {
    const stream = new StreamHandle(this.#handle, 0, (error) => expect.unreachable(String(error)));
    let left = this.#handle.pathStats()[0]?.cwnd ?? 0;
    expect(stream.write(Buffer.alloc(left), false)).toEqual({ kind: 'taken', length: left });
    while (left > residue + 2 * fullPacket) {
      expect(this.send(fullPacket)).toBe(true);
      left -= fullPacket;
    }
    for (const half of [Math.ceil((left - residue) / 2), Math.floor((left - residue) / 2)]) {
      expect(this.send(half)).toBe(true);
    }
  }
}

describe('the streams of a connection of quiche', () => {
  it('S1 have no room for a reset while data waits, however little of the congestion window is left', async () => {
    for (let residue = 30; residue < 60; residue++) {
      const { client } = await HandCarried.connect();
      const sender = new Sender(client);
      sender.fill(residue);
      expect([residue, sender.set.hasRoom()]).toEqual([residue, false]);
    }
  });

  it('S1 have room for a reset once all data has left', async () => {
    const { client } = await HandCarried.connect();
    new StreamHandle(client, 0, (error) => expect.unreachable(String(error))).write(Buffer.from('all'), false);
    expect(new Sender(client).set.hasRoom()).toBe(true);
  });
});
