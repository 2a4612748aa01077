import { rfc3339, type Clock, type Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { MAX_NODE_FRAME_BYTES } from '../protocol/node/limits.ts';
import { encodeNodeMessage } from '../protocol/node/node-message.ts';
import type { NodeProgram } from './node-program.ts';

export interface TelemetryDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly program: Pick<NodeProgram, 'health' | 'stats'>;
}

export interface TelemetryTarget {
  readonly bufferedBytes: number;
  send(frame: string): void;
}

const healthIntervalMs = 15_000;
const statsIntervalMs = 1_000;
/** A manager that reads slower than this gets fewer reports; the next one holds everything that a skipped one did. */
const maxBufferedBytes = 1024 * 1024;

/** Reports health and stats over one connection, at once and then regularly. */
export class Telemetry {
  readonly #dependencies: TelemetryDependencies;
  readonly #target: TelemetryTarget;
  readonly #timers: Timer[] = [];
  #gathering = false;
  #stopped = false;

  constructor(dependencies: TelemetryDependencies, target: TelemetryTarget) {
    this.#dependencies = dependencies;
    this.#target = target;
  }

  start(): void {
    const { clock } = this.#dependencies;
    this.#sendHealth();
    void this.#sendStats();
    this.#timers.push(clock.setInterval(() => this.#sendHealth(), healthIntervalMs));
    this.#timers.push(clock.setInterval(() => void this.#sendStats(), statsIntervalMs));
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers.splice(0)) timer.cancel();
  }

  #sendHealth(): void {
    this.#send('health', this.#dependencies.program.health());
  }

  /** One at a time: what is late is left out rather than piled up. */
  async #sendStats(): Promise<void> {
    if (this.#gathering || this.#target.bufferedBytes > maxBufferedBytes) return;
    this.#gathering = true;
    const stats = await this.#dependencies.program.stats();
    this.#gathering = false;
    if (!this.#stopped) this.#send('stats', stats);
  }

  #send(type: 'health' | 'stats', payload: unknown): void {
    const { clock, logger } = this.#dependencies;
    const frame = encodeNodeMessage(type, payload, rfc3339(clock.now()));
    if (frame.length <= MAX_NODE_FRAME_BYTES) this.#target.send(frame);
    else logger.error({ type, characters: frame.length }, 'report is too large for the manager');
  }
}
