import type { Logger } from '../../lib/logger.ts';
import type { EventJournal } from './event-journal.ts';

export interface OutboxTarget {
  send(frame: string): void;
  /** The pong comes back through `ponged` with this payload, after the manager's side has all that was sent before. */
  ping(payload: string): void;
}

/** Sent and not proven to have arrived. */
const maxUnprovenEvents = 1_000;
/** Per turn of the event loop. */
const batchEvents = 100;
const pingPrefix = 'events-';

/**
 * Moves events from the journal to the manager, in order. An event counts as delivered when a ping that was sent after
 * it has its pong. A WebSocket takes frames long before they have left the machine.
 */
export class Outbox {
  readonly #journal: EventJournal;
  readonly #logger: Logger;
  #target: OutboxTarget | null = null;
  #sentSeq = 0;
  /** What the pong that is awaited will prove; null when none is. */
  #awaitedSeq: number | null = null;
  #scheduled = false;
  #unreadable = false;

  constructor(journal: EventJournal, logger: Logger) {
    this.#journal = journal;
    this.#logger = logger;
  }

  /** Begins again with the first event that is not proven to have arrived. */
  attach(target: OutboxTarget): void {
    this.#target = target;
    this.#sentSeq = this.#journal.ackedSeq;
    this.#awaitedSeq = null;
    this.wake();
  }

  detach(): void {
    this.#target = null;
  }

  /** Everything that was raised has been proven to have arrived. */
  get isEmpty(): boolean {
    return this.#journal.ackedSeq >= this.#journal.lastSeq;
  }

  /**
   * There may be something to send; it goes out in a later turn of the event loop. To be called now and then too: what
   * the disk could not give for a while (no file descriptors left) is read then.
   */
  wake(): void {
    if (this.#scheduled || this.#target === null) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendBatch();
    });
  }

  ponged(payload: string): void {
    if (this.#awaitedSeq === null || payload !== pingPrefix + String(this.#awaitedSeq)) return;
    this.#journal.ack(this.#awaitedSeq);
    this.#awaitedSeq = null;
    this.#pingIfUnproven();
    this.wake();
  }

  #sendBatch(): void {
    const target = this.#target;
    if (target === null) return;
    const room = Math.min(batchEvents, maxUnprovenEvents - (this.#sentSeq - this.#journal.ackedSeq));
    if (room <= 0) return;
    const events = this.#read(room);
    for (const event of events) {
      target.send(event.frame);
      this.#sentSeq = event.seq;
    }
    this.#pingIfUnproven();
    if (events.length > 0) this.wake();
  }

  #read(maxCount: number): ReturnType<EventJournal['readAfter']> {
    try {
      const events = this.#journal.readAfter(this.#sentSeq, maxCount);
      this.#unreadable = false;
      return events;
    } catch (error) {
      if (!this.#unreadable) this.#logger.error({ error }, 'events could not be read back');
      this.#unreadable = true;
      return [];
    }
  }

  #pingIfUnproven(): void {
    if (this.#awaitedSeq !== null || this.#sentSeq <= this.#journal.ackedSeq) return;
    this.#awaitedSeq = this.#sentSeq;
    this.#target?.ping(pingPrefix + String(this.#awaitedSeq));
  }
}
