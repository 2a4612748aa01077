import type { Clock } from '../../lib/clock.ts';

interface Remembered {
  readonly ack: string;
  readonly atMs: number;
}

const maxCommands = 1_000;
const maxAgeMs = 10 * 60_000;
/** Longer acks carry lists, whose commands change nothing and can be carried out again. */
const maxAckChars = 16 * 1024;

/** The acks of recent commands, so that one which is sent again is answered again and not carried out again. */
export class CommandMemory {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** Oldest first. */
  readonly #acks = new Map<string, Remembered>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  recall(commandId: string): string | null {
    this.#forgetOld();
    return this.#acks.get(commandId)?.ack ?? null;
  }

  remember(commandId: string, ack: string): void {
    if (ack.length > maxAckChars) return;
    this.#acks.delete(commandId);
    this.#acks.set(commandId, { ack, atMs: this.#clock.monotonicMs() });
    this.#forgetOld();
  }

  #forgetOld(): void {
    const oldestMs = this.#clock.monotonicMs() - maxAgeMs;
    for (const [commandId, { atMs }] of this.#acks) {
      if (this.#acks.size <= maxCommands && atMs > oldestMs) return;
      this.#acks.delete(commandId);
    }
  }
}
