import type { Logger } from '../lib/logger.ts';
import type { LinkEvent } from '../protocol/node/link-event.ts';
import type { AttemptResult } from './link/link-attempt.ts';

/** How an attempt or a connection ended. */
export interface LastEnd {
  readonly url: string;
  /** The manager takes none of the node's secrets. */
  readonly refused: boolean;
  readonly reason: string | null;
}

/** Reports how attempts to reach a manager end: each change once, as an event or at `info`. */
export class AttemptEnds {
  readonly #logger: Logger;
  readonly #emit: (event: LinkEvent) => void;
  /** A refusal is one event until a manager accepts the node again. */
  #refusalReported = false;
  #last: LastEnd | null = null;

  constructor(logger: Logger, emit: (event: LinkEvent) => void) {
    this.#logger = logger;
    this.#emit = emit;
  }

  /** Null from an acceptance on, until the connection ends. */
  get last(): LastEnd | null {
    return this.#last;
  }

  accepted(): void {
    this.#refusalReported = false;
    this.#last = null;
  }

  /** `allRefused`: no manager accepts the node. */
  report(url: string, result: AttemptResult, allRefused: boolean, delayMs: number): void {
    if (result.end === 'lost') this.#emit({ kind: 'manager-lost', url, error: result.error });
    if (result.end === 'refused' && allRefused && !this.#refusalReported) {
      this.#refusalReported = true;
      this.#emit({ kind: 'manager-auth-failed', url, reason: result.reason });
    }
    const reason = result.end === 'refused' ? result.reason : result.error;
    const fields = { url, end: result.end, reason, retry_in_ms: delayMs };
    // The same reason every few seconds is no news.
    this.#logger[reason === this.#last?.reason ? 'debug' : 'info'](fields, 'not connected to manager');
    this.#last = { url, refused: result.end === 'refused' && allRefused, reason };
  }
}
