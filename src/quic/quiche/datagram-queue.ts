import type { DatagramSendResult, DropReason } from '../types.ts';
import type { QuicheLedger } from './ledger.ts';
import type { QuicheHandle } from './binding.ts';
import { prefixBytes } from './route.ts';

export interface DatagramQueueSettings {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The calls of a quiche connection that the queue needs. */
export type DatagramSink = Pick<QuicheHandle, 'dgramSend' | 'dgramSendQueueLen' | 'dgramPurgeOutgoing'>;

/** A datagram that quiche holds and has not sent yet, as far as is known. */
interface Held {
  readonly length: number;
  readonly ledger: QuicheLedger | null;
  readonly sinceMs: number;
}

interface Waiting {
  readonly bytes: Uint8Array;
  /** Null for a datagram of this end. */
  readonly ledger: QuicheLedger | null;
  readonly sinceMs: number;
}

/**
 * Datagrams that quiche may hold between two flushes; while the path keeps up, that is everything and nothing is copied
 * here.
 */
const handOver = 16;

/**
 * Datagrams towards one peer that its congestion window does not let out yet. Old media is worthless: the oldest go
 * first.
 */
export class DatagramQueue {
  readonly #handle: DatagramSink;
  readonly #settings: DatagramQueueSettings;
  #waiting: Waiting[] = [];
  /** Index of the oldest in #waiting; what is before it has gone. */
  #head = 0;
  #bytes = 0;
  /** In the order in which quiche sends them. */
  readonly #held: Held[] = [];
  /** Handed to quiche since the last flush. */
  #given = 0;
  /** quiche did not send all that it was given. */
  #congested = false;

  constructor(handle: DatagramSink, settings: DatagramQueueSettings) {
    this.#handle = handle;
    this.#settings = settings;
  }

  /** Datagrams that have not left, those that quiche holds included. */
  get length(): number {
    return this.#held.length + this.#waitingLength;
  }

  get #waitingLength(): number {
    return this.#waiting.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether acknowledgements of the peer should be answered with datagrams at once. */
  get blocked(): boolean {
    return this.#congested || this.#waitingLength > 0;
  }

  /** When the oldest becomes too old; infinite with none. */
  get expiresAtMs(): number {
    const oldest = this.#held[0] ?? this.#waiting[this.#head];
    return oldest === undefined ? Number.POSITIVE_INFINITY : oldest.sinceMs + this.#settings.maxAgeMs;
  }

  /** Takes a datagram that fits the path. The bytes stay the caller's. */
  offer(datagram: Uint8Array, ledger: QuicheLedger | null, nowMs: number): DatagramSendResult {
    if (!this.#congested && this.#given < handOver && this.#waitingLength === 0) {
      const outcome = this.#give(datagram, ledger, nowMs);
      if (outcome !== 'full') return outcome;
    }
    return this.#keep(datagram, ledger, nowMs) ? 'queued' : 'queue_full';
  }

  /** Hands the next ones to quiche, as far as it sends them. True: there is something new to flush. */
  feed(nowMs: number): boolean {
    this.expire(nowMs);
    if (this.#congested) return false;
    let fed = false;
    while (this.#given < handOver) {
      const next = this.#waiting[this.#head];
      if (next === undefined || this.#give(next.bytes, next.ledger, next.sinceMs) === 'full') break;
      this.#removeOldest();
      fed = true;
    }
    return fed;
  }

  /** To be called when quiche has sent what it could. */
  flushed(): void {
    if (this.#given === 0 && !this.#congested) return;
    this.#given = 0;
    const left = this.#handle.dgramSendQueueLen();
    for (const sent of this.#held.splice(0, this.#held.length - left)) countOut(sent);
    this.#congested = left > 0;
  }

  expire(nowMs: number): void {
    const bornMs = nowMs - this.#settings.maxAgeMs;
    this.#takeBack('expired', ({ sinceMs }) => sinceMs <= bornMs);
    for (let oldest = this.#waiting[this.#head]; oldest !== undefined && oldest.sinceMs <= bornMs;) {
      this.#dropOldest('expired');
      oldest = this.#waiting[this.#head];
    }
  }

  /** Drops what the path no longer carries, also of what quiche holds. */
  limit(maxLength: number): void {
    this.#takeBack('too_large', ({ length }) => length > maxLength);
    const kept = this.#waiting.slice(this.#head).filter((entry) => {
      const fits = entry.bytes.length <= maxLength;
      if (!fits) this.#drop(entry, 'too_large');
      return fits;
    });
    this.#waiting = kept;
    this.#head = 0;
    this.#congested = false;
  }

  clear(reason: DropReason): void {
    // quiche holds them still, and will not send them any more.
    for (const { ledger } of this.#held.splice(0)) if (ledger !== null) ledger.drops[reason] += 1;
    while (this.#waitingLength > 0) this.#dropOldest(reason);
  }

  /** Takes datagrams out of quiche's queue, and counts them as dropped. */
  #takeBack(reason: DropReason, isUnwanted: (held: Held) => boolean): void {
    const unwanted = this.#held.map(isUnwanted);
    if (!unwanted.includes(true)) return;
    let at = 0;
    this.#handle.dgramPurgeOutgoing(() => unwanted[at++] === true);
    const all = this.#held.splice(0);
    all.forEach((held, index) => {
      if (unwanted[index] !== true) this.#held.push(held);
      else if (held.ledger !== null) held.ledger.drops[reason] += 1;
    });
    this.#congested = this.#held.length > 0;
  }

  #give(datagram: Uint8Array, ledger: QuicheLedger | null, sinceMs: number): DatagramSendResult | 'full' {
    try {
      if (this.#handle.dgramSend(datagram) === null) return 'full';
    } catch {
      // BufferTooShort, or InvalidState where the peer takes no datagrams.
      if (ledger !== null) ledger.drops.too_large += 1;
      return 'too_large';
    }
    this.#given += 1;
    this.#held.push({ length: datagram.length, ledger, sinceMs });
    return 'queued';
  }

  /** False: others had to go for it. */
  #keep(datagram: Uint8Array, ledger: QuicheLedger | null, nowMs: number): boolean {
    let room = true;
    while (this.#bytes + datagram.length > this.#settings.maxBytes && this.#waitingLength > 0) {
      this.#dropOldest('queue_full');
      room = false;
    }
    this.#waiting.push({ bytes: Buffer.from(datagram), ledger, sinceMs: nowMs });
    this.#bytes += datagram.length;
    return room;
  }

  #dropOldest(reason: DropReason): void {
    const oldest = this.#waiting[this.#head];
    if (oldest === undefined) return;
    if (oldest.ledger !== null) oldest.ledger.drops[reason] += 1;
    this.#removeOldest();
  }

  #drop(entry: Waiting, reason: DropReason): void {
    if (entry.ledger !== null) entry.ledger.drops[reason] += 1;
    this.#bytes -= entry.bytes.length;
  }

  #removeOldest(): void {
    const oldest = this.#waiting[this.#head];
    if (oldest === undefined) return;
    this.#bytes -= oldest.bytes.length;
    this.#head += 1;
    // Shifting an array for each datagram would cost its length; this costs it once per 64.
    if (this.#head === this.#waiting.length || this.#head >= 64) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

function countOut({ length, ledger }: Held): void {
  if (ledger === null) return;
  ledger.datagramsOut += 1;
  ledger.datagramBytesOut += length - prefixBytes;
}
