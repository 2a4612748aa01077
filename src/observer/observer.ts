import { SystemClock, type Clock } from '../lib/clock.ts';
import { SystemRandom, type Random } from '../lib/random.ts';
import { BeatWatch } from './beat-watch.ts';
import type { ObserverSettings } from './observer-settings.ts';
import type { ObserverEvent } from './slots/observer-event.ts';

/** Events that wait for the caller; with so many, nothing more is taken in. */
const maxWaiting = 65_536;

/**
 * Watches local processes by the beats that they send. Nothing that was accepted is left out: a caller that does not
 * poll holds up the receiving instead.
 */
export class Observer {
  readonly #watch: BeatWatch;
  #waiting: ObserverEvent[] = [];
  #next = 0;
  #wake: (() => void) | null = null;
  #failure: { readonly error: unknown } | null = null;
  #stopped = false;

  private constructor(settings: ObserverSettings, clock: Clock, random: Random) {
    this.#watch = new BeatWatch(
      {
        clock,
        random,
        sink: (event) => {
          this.#waiting.push(event);
          this.#wakeUp();
        },
        wantsBeat: () => true,
        hasRoom: () => this.#waiting.length - this.#next < maxWaiting,
        evicted: () => undefined,
        looked: () => undefined,
        failed: (error) => {
          this.#failure = { error };
          this.#wakeUp();
        },
        loopPulse: null,
      },
      settings,
    );
  }

  /** Rejects with AppError `unavailable` when a socket cannot be had. */
  static async start(
    settings: ObserverSettings,
    dependencies: { readonly clock: Clock; readonly random: Random } = {
      clock: new SystemClock(),
      random: new SystemRandom(),
    },
  ): Promise<Observer> {
    const observer = new Observer(settings, dependencies.clock, dependencies.random);
    await observer.#watch.start();
    return observer;
  }

  /** The bound UDP port; null without UDP. */
  get udpPort(): number | null {
    return this.#watch.udpPort;
  }

  /** The next event, or null when there is none now. Never waits. Throws what ended the receiving. */
  poll(): ObserverEvent | null {
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
      this.#watch.drain();
    }
    const event = this.#waiting[this.#next];
    if (event !== undefined) {
      this.#next += 1;
      return event;
    }
    if (this.#failure !== null) throw this.#failure.error;
    return null;
  }

  /** All events until `stop`, as they come. */
  async *events(): AsyncGenerator<ObserverEvent, void> {
    for (;;) {
      const event = this.poll();
      if (event !== null) yield event;
      else if (this.#stopped) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Idempotent. What was taken in can still be polled. */
  async stop(): Promise<void> {
    await this.#watch.stop();
    this.#stopped = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
