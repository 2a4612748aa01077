import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatagramQueue, type DatagramSink } from '../../../../src/quic/quiche/datagram-queue.ts';
import { QuicheLedger } from '../../../../src/quic/quiche/ledger.ts';
import { dropReasons } from '../../../../src/quic/types.ts';

/** A QUIC connection that lets out as many datagrams per flush as it is told. */
class Sink implements DatagramSink {
  held: Uint8Array[] = [];
  sent: Uint8Array[] = [];

  dgramSend(datagram: Uint8Array): void {
    this.held.push(Uint8Array.from(datagram));
  }

  dgramSendQueueLen(): number {
    return this.held.length;
  }

  dgramPurgeOutgoing(unwanted: (datagram: Uint8Array) => boolean): void {
    this.held = this.held.filter((datagram) => !unwanted(datagram));
  }

  flush(count: number): void {
    this.sent.push(...this.held.splice(0, count));
  }
}

function datagram(id: number, length = 100): Uint8Array {
  return new Uint8Array(length).fill(id);
}

function drops(ledger: QuicheLedger): number {
  return dropReasons.reduce((sum, reason) => sum + ledger.drops[reason], 0);
}

const settings = { maxBytes: 1000, maxAgeMs: 100 };

describe('datagram queue', () => {
  it('keeps nothing while the path keeps up', () => {
    const sink = new Sink();
    const queue = new DatagramQueue(sink, settings);
    const ledger = new QuicheLedger();
    for (let id = 0; id < 16; id += 1) expect(queue.offer(datagram(id), ledger, 0)).toBe('queued');
    sink.flush(16);
    queue.flushed();
    expect(queue.length).toBe(0);
    expect(ledger.datagramsOut).toBe(16);
    expect(ledger.datagramBytesOut).toBe(16 * 84);
    expect(queue.blocked).toBe(false);
  });

  it('drops the oldest first when it is full, and reports it', () => {
    const sink = new Sink();
    const queue = new DatagramQueue(sink, settings);
    const ledger = new QuicheLedger();
    queue.offer(datagram(0), ledger, 0);
    queue.flushed();
    expect(queue.blocked).toBe(true);
    for (let id = 1; id <= 10; id += 1) expect(queue.offer(datagram(id), ledger, 0)).toBe('queued');
    expect(queue.offer(datagram(11), ledger, 0)).toBe('queue_full');
    expect(queue.bytes).toBe(1000);
    expect(ledger.drops.queue_full).toBe(1);
    sink.flush(1);
    queue.flushed();
    expect(queue.feed(0)).toBe(true);
    expect(sink.held[0]?.[0]).toBe(2);
  });

  it('drops what has waited too long', () => {
    const sink = new Sink();
    const queue = new DatagramQueue(sink, settings);
    const ledger = new QuicheLedger();
    queue.offer(datagram(0), ledger, 0);
    queue.flushed();
    queue.offer(datagram(1), ledger, 10);
    queue.offer(datagram(2), ledger, 50);
    expect(queue.expiresAtMs).toBe(100);
    queue.expire(100);
    expect(sink.held).toEqual([]);
    expect(ledger.drops.expired).toBe(1);
    expect(queue.expiresAtMs).toBe(110);
    queue.expire(110);
    expect(ledger.drops.expired).toBe(2);
    expect(queue.expiresAtMs).toBe(150);
    queue.clear('closing');
    expect(ledger.drops.closing).toBe(1);
    expect(queue.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
    expect(queue.bytes).toBe(0);
  });

  it('takes what no longer fits out of the way', () => {
    const sink = new Sink();
    const queue = new DatagramQueue(sink, settings);
    const ledger = new QuicheLedger();
    queue.offer(datagram(0, 200), ledger, 0);
    queue.flushed();
    queue.offer(datagram(1, 200), ledger, 0);
    queue.offer(datagram(2, 150), ledger, 0);
    queue.limit(150);
    expect(sink.held).toEqual([]);
    expect(ledger.drops.too_large).toBe(2);
    expect(queue.feed(0)).toBe(true);
    expect(sink.held[0]?.[0]).toBe(2);
  });

  it('counts a datagram that the peer does not take as too large', () => {
    const sink = new Sink();
    sink.dgramSend = () => {
      throw new Error('InvalidState');
    };
    const queue = new DatagramQueue(sink, settings);
    const ledger = new QuicheLedger();
    expect(queue.offer(datagram(0), ledger, 0)).toBe('too_large');
    expect(ledger.drops.too_large).toBe(1);
    expect(queue.offer(datagram(0), null, 0)).toBe('too_large');
  });

  it('keeps the order, and loses none without counting it', () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('offer' as const), length: fc.integer({ min: 16, max: 300 }) }),
      fc.record({ kind: fc.constant('flush' as const), count: fc.nat(20) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(80) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
        const sink = new Sink();
        const queue = new DatagramQueue(sink, settings);
        const ledger = new QuicheLedger();
        let nowMs = 0;
        let offered = 0;
        for (const each of acts) {
          if (each.kind === 'wait') queue.expire((nowMs += each.ms));
          if (each.kind === 'offer') {
            const bytes = datagram(0, each.length);
            new DataView(bytes.buffer).setUint32(0, offered);
            offered += 1;
            queue.offer(bytes, ledger, nowMs);
          }
          if (each.kind === 'flush') {
            do {
              sink.flush(each.count);
              queue.flushed();
            } while (queue.feed(nowMs));
          }
          expect(queue.bytes).toBeLessThanOrEqual(settings.maxBytes);
          expect(ledger.datagramsOut + drops(ledger) + queue.length).toBe(offered);
        }
        const order = [...sink.sent, ...sink.held].map((bytes) => new DataView(bytes.buffer).getUint32(0));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
    );
  });
});
