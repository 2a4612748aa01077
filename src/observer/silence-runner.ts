import type { Clock, Timer } from '../lib/clock.ts';
import type { ObserverTime } from './beats/observer-time.ts';
import type { EventSink, Receiver } from './beats/receiver.ts';
import type { Counters } from './slots/counters.ts';
import type { Intake } from './slots/intake.ts';
import type { StallWatch } from './slots/stall-watch.ts';

export interface SilenceRunnerDependencies {
  readonly clock: Clock;
  readonly time: ObserverTime;
  readonly intake: Intake;
  readonly watch: StallWatch;
  readonly counters: Counters;
  readonly sink: EventSink;
  /** Called several times a threshold, whatever happens. */
  readonly looked: () => void;
}

/** How often the observer looks whether it was held up itself; a quarter of the threshold where that is less. */
const longestLookMs = 100;
const shortestLookMs = 5;
const nsPerMs = 1e6;
/** Half a turn of a timer: one that fires early would only be armed again. */
const roundUpMs = 1;

/**
 * Raises the Stalls. Agents are reported as silent only after all beats of the time before were read. So an observer
 * that was late itself reports no agent whose beats wait in a queue.
 */
export class SilenceRunner {
  readonly #dependencies: SilenceRunnerDependencies;
  #thresholdMs: number;
  readonly #receivers: readonly Receiver[];
  #look: Timer | null = null;
  #due: Timer | null = null;
  #checking: Promise<void> | null = null;
  #lost = 0;
  #full = 0;
  #stopped = false;
  /** Nanoseconds that the latest Stall came after its due time. */
  latenessNs = 0;

  constructor(dependencies: SilenceRunnerDependencies, receivers: readonly Receiver[], thresholdMs: number) {
    this.#dependencies = dependencies;
    this.#receivers = receivers;
    this.#thresholdMs = thresholdMs;
  }

  /** Begins anew with another threshold. Does nothing once it is stopped. */
  reconfigure(thresholdMs: number): void {
    if (this.#stopped) return;
    this.#thresholdMs = thresholdMs;
    this.#look?.cancel();
    this.#due?.cancel();
    this.#due = null;
    this.start();
    this.arm();
  }

  start(): void {
    const period = Math.min(longestLookMs, Math.max(shortestLookMs, this.#thresholdMs / 4));
    this.#look = this.#dependencies.clock.setInterval(() => this.#lookUp(), period);
  }

  /** Call when beats were read: another agent may be due. */
  arm(): void {
    if (this.#due !== null || this.#checking !== null || this.#stopped) return;
    const { watch, time, clock } = this.#dependencies;
    const dueNs = watch.nextDueNs();
    if (dueNs === null) return;
    const delayMs = Math.max(0, Math.ceil((dueNs - time.nowNs()) / nsPerMs)) + roundUpMs;
    this.#due = clock.setTimeout(() => {
      this.#due = null;
      this.#check();
    }, delayMs);
  }

  /** Idempotent. No Stall is raised afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#look?.cancel();
    this.#due?.cancel();
    await this.#checking;
  }

  #lookUp(): void {
    const { looked } = this.#dependencies;
    this.#notePause();
    this.arm();
    looked();
  }

  #check(): void {
    this.#notePause();
    const { watch, time } = this.#dependencies;
    for (const receiver of this.#receivers) receiver.drain();
    if (watch.due(time.nowNs()).length === 0) {
      this.arm();
      return;
    }
    this.#checking = this.#accuse().finally(() => {
      this.#checking = null;
      this.arm();
    });
  }

  async #accuse(): Promise<void> {
    const { watch, time, intake, sink } = this.#dependencies;
    const askedNs = time.nowNs();
    // A receiver that is being stopped does not know, so no silence is reported any more.
    const known = await Promise.all(this.#receivers.map((receiver) => receiver.takenIn())).then(
      () => true,
      () => false,
    );
    const nowNs = time.nowNs();
    if (nowNs - askedNs > (this.#thresholdMs * nsPerMs) / 2) this.#excuse(nowNs);
    this.#notePause();
    if (!known || this.#stopped) return;
    for (const slot of watch.due(askedNs)) {
      this.latenessNs = nowNs - slot.lastNs - this.#thresholdMs * nsPerMs;
      sink(intake.stall(slot, nowNs));
    }
  }

  /** The observer did not run, or its ring was too small: beats may have been refused or lost meanwhile. */
  #notePause(): void {
    const { watch, time, counters } = this.#dependencies;
    const nowNs = time.nowNs();
    if (watch.look(nowNs)) counters.selfPauses += 1;
    const lost = this.#receivers.reduce((sum, receiver) => sum + receiver.lost, 0);
    if (lost > this.#lost) watch.excuse(nowNs);
    this.#lost = lost;
    const full = this.#receivers.reduce((sum, receiver) => sum + receiver.fullQueues, 0);
    if (full > this.#full) watch.queueWasFull(nowNs);
    this.#full = full;
    counters.fullQueues = full;
    counters.ringOverflow = lost;
  }

  #excuse(nowNs: number): void {
    this.#dependencies.watch.excuse(nowNs);
    this.#dependencies.counters.selfPauses += 1;
  }
}
