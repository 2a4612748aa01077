import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import type { Clock, Timer } from './clock.ts';
import type { Logger } from './logger.ts';

export interface DescriptorWatchDependencies {
  readonly clock: Pick<Clock, 'monotonicMs' | 'setInterval'>;
  readonly logger: Logger;
  /** Throws the system's error when no file can be opened. */
  readonly tryOpen?: () => void;
}

const periodMs = 1000;
/** As long as a stall of the event loop is remembered: a check every few seconds sees it. */
const rememberedMs = 20_000;
const remedy = 'raise it: ulimit -n 65536, or LimitNOFILE=65536 in the systemd unit';

/**
 * Knows whether this process can open files and sockets. Without file descriptors Node closes what dials in, and says
 * nothing of it.
 */
export class DescriptorWatch {
  readonly #dependencies: DescriptorWatchDependencies;
  readonly #tryOpen: () => void;
  #timer: Timer | null = null;
  #hasNone = false;
  #lastNoneMs = Number.NEGATIVE_INFINITY;

  constructor(dependencies: DescriptorWatchDependencies) {
    this.#dependencies = dependencies;
    this.#tryOpen = dependencies.tryOpen ?? openNothing;
  }

  /** Idempotent. */
  start(): void {
    this.#timer ??= this.#dependencies.clock.setInterval(() => this.#look(), periodMs);
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** That there was none left lately, for people; null when there always was. */
  shortage(): string | null {
    if (this.#dependencies.clock.monotonicMs() - this.#lastNoneMs > rememberedMs) return null;
    return 'no file descriptor was left within the last 20 s, so connections were refused';
  }

  #look(): void {
    const { clock, logger } = this.#dependencies;
    const hadNone = this.#hasNone;
    this.#hasNone = !this.#canOpen();
    if (this.#hasNone) this.#lastNoneMs = clock.monotonicMs();
    if (this.#hasNone && !hadNone) logger.warn({ remedy }, 'no file descriptor is left, connections are refused');
    if (!this.#hasNone && hadNone) logger.info({}, 'there are file descriptors again');
  }

  #canOpen(): boolean {
    try {
      this.#tryOpen();
      return true;
    } catch (error) {
      // What else there may be, on systems without this file, says nothing of descriptors.
      return !(error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE'));
    }
  }
}

function openNothing(): void {
  closeSync(openSync(devNull, 'r'));
}
