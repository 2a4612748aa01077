import type { QuicheHandle } from '../binding.ts';
import type { PacketSender } from '../packet-sender.ts';
import { minPayload } from '../path-mtu.ts';

/** quiche's first congestion window, and the burst that its pacer reckons with. */
const firstWindowPackets = 10;

/** Of a packet that holds a PING and nothing else. */
const leastPacketBytes = 30;

/** Between two looks at the window, at 4 µs each. */
const lookPauseMs = 250;
const smallLookPauseMs = 50;

/** PINGs that leave at once while the pacer does not count yet. */
const pingsPerLook = 64;

/**
 * Lifts of one connection, on average and at once. Each costs a PING at the most, of which a peer may send about as
 * many for nothing (see Budget).
 */
const liftsPerSecond = 5;
const liftsAtOnce = 50;

/** No packet fits: the header with the longest id has 21 bytes, and the shortest packet has more. */
const noRoom = new Uint8Array(21);

/**
 * Gives a connection that sends little the congestion window back that losses take from it.
 *
 * quiche 0.18 dates each packet by the clock of its pacer, which moves once in `first window / (1.25 × window)` round
 * trips. Behind a small window that is longer than a round trip, and then each measurement is longer than the one
 * before. After minutes quiche computes with round trips of minutes: it repairs no loss before they are over, and keeps
 * a record of every packet until then. A loss makes a window smaller; only an acknowledgement that finds it used up
 * makes it larger again, which those of an interactive or a listening connection never do. So, while the window is
 * small:
 *
 * - After each transmission quiche is asked for one packet more, in a buffer that holds none: for quiche the window is
 *   then used up. The PING
 *   that it is asked for stays behind and goes with the next packet.
 * - Packets move the pacer's clock as well, but only once a first window of bytes was sent. Where large packets have
 *   not done so, PINGs do, once.
 */
export class WindowFloor {
  readonly #handle: QuicheHandle;
  readonly #sender: PacketSender;
  readonly #floorBytes: number;
  #isSmall = false;
  #lookedAtMs: number;
  #lifts = liftsAtOnce;
  /** Until the pacer counts for certain. */
  #pingsLeft: number;

  constructor(handle: QuicheHandle, sender: PacketSender, nowMs: number) {
    this.#handle = handle;
    this.#sender = sender;
    this.#floorBytes = firstWindowPackets * sender.fullPayload;
    this.#lookedAtMs = nowMs;
    this.#pingsLeft = Math.ceil(this.#floorBytes / leastPacketBytes);
  }

  /** To be called when all that is ready was sent. */
  lift(nowMs: number): void {
    const sinceMs = nowMs - this.#lookedAtMs;
    if (sinceMs >= (this.#isSmall ? smallLookPauseMs : lookPauseMs)) {
      this.#lookedAtMs = nowMs;
      this.#lifts = Math.min(liftsAtOnce, this.#lifts + (sinceMs / 1000) * liftsPerSecond);
      this.#isSmall = (this.#handle.pathStats()[0]?.cwnd ?? this.#floorBytes) < this.#floorBytes;
      if (this.#isSmall) this.#startPacer(nowMs);
    }
    if (!this.#isSmall || this.#pingsLeft > 0 || this.#lifts < 1) return;
    this.#lifts -= 1;
    this.#handle.sendAckEliciting();
    this.#handle.send(noRoom);
  }

  #startPacer(nowMs: number): void {
    if (this.#sender.largeSent * minPayload >= this.#floorBytes) this.#pingsLeft = 0;
    for (let n = Math.min(pingsPerLook, this.#pingsLeft); n > 0; n -= 1) {
      this.#handle.sendAckEliciting();
      if (this.#sender.send(1, nowMs) !== 0) return;
      this.#pingsLeft -= 1;
    }
  }
}
