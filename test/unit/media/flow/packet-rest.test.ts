import { describe, expect, it } from 'vitest';
import { PacketRest } from '../../../../src/media/flow/packet-rest.ts';
import type { DatagramObserver } from '../../../../src/media/net/datagram-socket.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';

describe('the rest of the media thread', () => {
  it('blocks once for all packets of a turn, after what they have led to', () => {
    const thread = new Thread(5);
    const [first, second] = [thread.socket(), thread.socket()];
    thread.turn(() => {
      first.receive(3);
      second.receive(3);
      expect(thread.rests).toEqual([]);
    });
    expect(thread.rests).toEqual([5]);
    expect(first.packets + second.packets).toBe(6);
  });

  it('does not block while nothing comes, nor where packets may not wait', () => {
    const thread = new Thread(0);
    thread.turn(() => thread.socket().receive(3));
    thread.turn(() => undefined);
    expect(thread.rests).toEqual([]);
  });

  it('blocks for less than a millisecond never', () => {
    const thread = new Thread(0.8);
    thread.turn(() => thread.socket().receive(3));
    expect(thread.rests).toEqual([]);
  });

  it('blocks for as long as 24 packets of the busiest socket take', () => {
    const thread = new Thread(5);
    const [busy, calm] = [thread.socket(), thread.socket()];
    for (let ms = 0; ms < 100; ms++) {
      thread.turn(() => {
        busy.receive(8);
        calm.receive(1);
      });
    }
    expect(thread.rests.at(-1)).toBeCloseTo(3, 1);
  });

  it('does not block while more may wait in a socket than a turn reads', () => {
    const thread = new Thread(5);
    const socket = thread.socket();
    thread.turn(() => socket.receive(32));
    expect(thread.rests).toEqual([]);
    thread.turn(() => socket.receive(31));
    expect(thread.rests).toEqual([5]);
  });

  it('hands errors on', () => {
    const thread = new Thread(5);
    const socket = thread.socket();
    socket.observer.onError(new Error('gone'));
    expect(socket.errors).toEqual(['gone']);
  });
});

/** A thread whose turns take a millisecond; a rest takes no time. */
class Thread {
  readonly rests: number[] = [];
  readonly #clock = new ManualClock();
  readonly #rest: PacketRest;
  #immediates: (() => void)[] = [];

  constructor(patienceMs: number) {
    this.#rest = new PacketRest({
      clock: this.#clock,
      afterReads: (callback) => this.#immediates.push(callback),
      sleep: (ms) => this.rests.push(ms),
    });
    this.#rest.patienceMs = patienceMs;
  }

  socket(): WatchedSocket {
    return new WatchedSocket((observer) => this.#rest.watch(observer));
  }

  turn(read: () => void): void {
    read();
    this.#clock.advance(1);
    for (let pass = 0; pass < 2; pass++) {
      const due = this.#immediates;
      this.#immediates = [];
      for (const callback of due) callback();
    }
  }
}

class WatchedSocket {
  readonly errors: string[] = [];
  readonly observer: DatagramObserver;
  packets = 0;

  constructor(watch: (observer: DatagramObserver) => DatagramObserver) {
    this.observer = watch({
      onMessage: () => this.packets++,
      onError: (error) => this.errors.push(error.message),
    });
  }

  receive(packets: number): void {
    for (let packet = 0; packet < packets; packet++) this.observer.onMessage(Buffer.alloc(1), '192.0.2.1', 9000);
  }
}
