import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { StallWatch } from '../../lib/stall-watch.ts';
import { GarbageHint } from '../garbage-hint.ts';
import { createCounters, type MutableCounters } from './counters.ts';
import { Timers } from './timers.ts';
import { Loop } from './loop.ts';

/** quiche and BoringSSL hold some 40 KiB each. */
const connectionsPerHint = 320;

/** What all sockets and connections of an engine share. */
export class EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly loop: Loop;
  readonly timers: Timers;
  readonly stalls: StallWatch;
  readonly garbage = new GarbageHint(connectionsPerHint);
  readonly counters: MutableCounters = createCounters();
  /** For hash tables whose keys a peer can choose. */
  readonly seed: number;
  #lastConnectionId = 0;

  constructor(clock: Clock, random: Random) {
    this.clock = clock;
    this.random = random;
    this.loop = new Loop(clock);
    this.timers = new Timers(clock);
    this.stalls = new StallWatch(clock, setImmediate);
    this.seed = Math.floor(random.float() * 2 ** 32);
  }

  nextConnectionId(): number {
    this.#lastConnectionId += 1;
    return this.#lastConnectionId;
  }
}
