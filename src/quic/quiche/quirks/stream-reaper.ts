import type { Arrivals } from './arrivals.ts';
import { type QuicheHandle, shutdownWrite, streamFault } from '../binding.ts';
import { scratch } from '../scratch.ts';

interface Remains {
  readonly id: number;
  /** Our direction was cut short. */
  readonly wasReset: boolean;
  /** Not before this is quiche made to send something. */
  kickFromMs: number;
  /** How often quiche was made to send something. */
  kicks: number;
  /** 0: to be looked at soon, as usually an acknowledgement is on its way. */
  dueMs: number;
}

const firstLookMs = 100;
/**
 * In which a RESET that was lost has been sent again, several times on any path that carries media and was not silent
 * meanwhile.
 */
const resetLeadMs = 3000;
const resetLookMs = 500;
const longestPauseMs = 30_000;
const maxKicks = 4;

const nothing = Buffer.alloc(0);

/**
 * Makes quiche 0.18 forget streams that are over on both sides. By itself it forgets one only when an acknowledgement
 * arrives in the right state. If the peer's last frame came after our end was acknowledged, the stream stays for ever,
 * and with it one of the peer's stream credits. Reading it once more, or having one more (empty, legal) frame of it
 * acknowledged, makes quiche look again.
 *
 * That frame is a FIN. Behind a reset it has no effect. Ahead of a lost reset it would make a truncated stream look
 * whole (conformance S1), so there it waits until the reset must have arrived.
 */
export class StreamReaper {
  readonly #handle: QuicheHandle;
  readonly #arrivals: Pick<Arrivals, 'isQuiet' | 'heardAtMs'>;
  readonly #remains = new Map<number, Remains>();
  #dueMs = Number.POSITIVE_INFINITY;
  #added = false;

  constructor(handle: QuicheHandle, arrivals: Pick<Arrivals, 'isQuiet' | 'heardAtMs'>) {
    this.#handle = handle;
    this.#arrivals = arrivals;
  }

  /** When `reap` has something to do. */
  get dueMs(): number {
    return this.#dueMs;
  }

  has(id: number): boolean {
    return this.#remains.has(id);
  }

  /** `wasReset`: our direction was cut short. */
  add(id: number, wasReset: boolean, nowMs: number): void {
    this.#remains.set(id, { id, wasReset, kickFromMs: wasReset ? nowMs + resetLeadMs : nowMs, kicks: 0, dueMs: 0 });
    this.#added = true;
  }

  reap(nowMs: number): void {
    if (this.#added) this.#schedule(nowMs);
    if (nowMs < this.#dueMs) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const remains of this.#remains.values()) {
      if (remains.dueMs <= nowMs) this.#lookAt(remains, nowMs);
      if (this.#remains.has(remains.id)) nextMs = Math.min(nextMs, remains.dueMs);
    }
    this.#dueMs = nextMs;
  }

  #schedule(nowMs: number): void {
    this.#added = false;
    for (const remains of this.#remains.values()) {
      if (remains.dueMs === 0) remains.dueMs = nowMs + firstLookMs;
      this.#dueMs = Math.min(this.#dueMs, remains.dueMs);
    }
  }

  #lookAt(remains: Remains, nowMs: number): void {
    if (this.#isForgotten(remains.id)) {
      this.#remains.delete(remains.id);
      return;
    }
    if (remains.wasReset && !this.#hasResetArrived(remains, nowMs)) {
      remains.dueMs = nowMs + resetLookMs;
      return;
    }
    const bidirectional = (remains.id & 2) === 0;
    if (bidirectional && remains.kicks < maxKicks && this.#handle.streamFinished(remains.id)) {
      remains.kicks += 1;
      this.#kick(remains.id);
    }
    remains.dueMs = nowMs + Math.min(longestPauseMs, firstLookMs * 4 ** remains.kicks);
  }

  #hasResetArrived(remains: Remains, nowMs: number): boolean {
    if (this.#arrivals.isQuiet()) return true;
    if (nowMs - this.#arrivals.heardAtMs > resetLookMs) remains.kickFromMs = nowMs + resetLeadMs;
    return nowMs >= remains.kickFromMs;
  }

  #isForgotten(id: number): boolean {
    try {
      this.#handle.streamRecv(id, scratch.whole);
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'gone') return true;
      if (fault.kind === 'other') throw error;
    }
    return this.#stopped(id) === 'gone';
  }

  #kick(id: number): void {
    if (this.#stopped(id) === null) this.#handle.streamSend(id, nothing, true);
    else this.#handle.streamShutdown(id, shutdownWrite, 0);
  }

  /** Whether the peer stopped our direction; `gone` when quiche has forgotten the stream; null otherwise. */
  #stopped(id: number): 'stopped' | 'gone' | null {
    try {
      this.#handle.streamCapacity(id);
      return null;
    } catch (error) {
      const fault = streamFault(error);
      if (fault.kind === 'gone' || fault.kind === 'stopped') return fault.kind;
      throw error;
    }
  }
}
