import { X509Certificate } from 'node:crypto';
import process from 'node:process';
import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { encodeBeat, nextNonce, TERMINAL_NONCE, type BeatStatus } from '../protocol/beat/beat-frame.ts';
import type { BeatConfig } from './beat-config.ts';
import { openBeatDoor, type BeatDoor } from './beat-door.ts';

/** The state of the program in a beat, beside the status. */
export interface BeatFacts {
  readonly status: BeatStatus;
  readonly managerConnected: boolean;
  readonly draining: boolean;
  readonly certificateEndsSoon: boolean;
  readonly diskFull: boolean;
}

export interface ProgramBeatsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly facts: () => BeatFacts;
}

const programNumbers = { relay: 1, edge: 2, manager: 3 } as const;
const maxLagMs = 0xffff;
const certificateWarningMs = 7 * 24 * 3600 * 1000;

/** The payload of our programs' beats (docs/observer.md §10). */
export function beatPayload(program: keyof typeof programNumbers, facts: BeatFacts, lagMs: number): number {
  const { managerConnected, draining, certificateEndsSoon, diskFull } = facts;
  const flags = [managerConnected, draining, certificateEndsSoon, diskFull];
  const bits = flags.reduce((sum, flag, index) => sum | (Number(flag) << index), 0);
  const lag = Math.min(maxLagMs, Math.max(0, Math.round(lagMs)));
  return (bits | (programNumbers[program] << 8) | (lag << 16)) >>> 0;
}

/** For the fact of that name: a PEM certificate that ends within seven days. */
export function certificateEndsSoon(certificate: string, clock: Clock): boolean {
  return new X509Certificate(certificate).validToDate.getTime() - clock.now() < certificateWarningMs;
}

/** Lets a program beat from a timer of its event loop: a loop that is stuck falls silent. */
export class ProgramBeats {
  readonly #dependencies: ProgramBeatsDependencies;
  readonly #program: keyof typeof programNumbers;
  readonly #config: BeatConfig;
  readonly #startedMs: number;
  #door: BeatDoor | null = null;
  #timer: Timer | null = null;
  #nonce = 0n;
  #dueMs = 0;
  #away = false;

  constructor(program: keyof typeof programNumbers, config: BeatConfig, dependencies: ProgramBeatsDependencies) {
    this.#dependencies = dependencies;
    this.#program = program;
    this.#config = config;
    this.#startedMs = dependencies.clock.monotonicMs();
  }

  /** Never rejects for the observer's sake: a program that cannot beat logs why, and works. */
  async start(): Promise<void> {
    const { clock, random, logger } = this.#dependencies;
    if (process.pid === 1) {
      logger.warn({ remedy: 'run it under an init, such as docker run --init' }, 'pid 1 cannot beat to an observer');
      return;
    }
    try {
      this.#door = await openBeatDoor(this.#config);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      logger.warn({ problem: errorMessage(error) }, 'no beats to the observer');
      return;
    }
    process.on('uncaughtExceptionMonitor', this.#dying);
    // At a time of its own: programs that beat at one instant fill the observer's queue.
    this.#arm(random.float() * this.#config.interval_ms);
    clock.setTimeout(() => this.#beat(), 0);
  }

  /** Idempotent. Sends nothing: a stop is ordered, so it is no news. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    process.off('uncaughtExceptionMonitor', this.#dying);
    this.#door?.close();
    this.#door = null;
  }

  #arm(delayMs: number): void {
    const { clock } = this.#dependencies;
    this.#dueMs = clock.monotonicMs() + delayMs;
    this.#timer = clock.setTimeout(() => {
      this.#arm(this.#config.interval_ms);
      this.#beat();
    }, delayMs);
  }

  #beat(): void {
    const facts = this.#dependencies.facts();
    const lateMs = this.#dependencies.clock.monotonicMs() + this.#config.interval_ms - this.#dueMs;
    this.#nonce = nextNonce(this.#nonce);
    this.#note(this.#send(facts.status, this.#nonce, beatPayload(this.#program, facts, lateMs)));
  }

  /** The last words of a program that ends by an error. */
  readonly #dying = (): void => {
    this.#send('Critical', TERMINAL_NONCE, beatPayload(this.#program, this.#dependencies.facts(), 0));
  };

  #send(status: BeatStatus, nonce: bigint, payload: number): boolean {
    const timestamp = BigInt(Math.round((this.#dependencies.clock.monotonicMs() - this.#startedMs) * 1e6));
    return this.#door?.send(encodeBeat({ status, pid: process.pid, timestamp, nonce, payload })) ?? true;
  }

  /** Once for each time that the observer is away. */
  #note(taken: boolean): void {
    const { logger } = this.#dependencies;
    const { socket, udp } = this.#config;
    if (!taken && !this.#away) logger.debug({ socket, udp }, 'the observer takes no beat');
    this.#away = !taken;
  }
}
