import { encodeBeat, nextNonce, TERMINAL_NONCE } from '../../../src/protocol/beat/beat-frame.ts';
import { createCounters, type Counters } from '../../../src/observer/slots/counters.ts';
import { DropRecord } from '../../../src/observer/slots/drop-record.ts';
import { Intake } from '../../../src/observer/slots/intake.ts';
import { StallWatch } from '../../../src/observer/slots/stall-watch.ts';
import { Tracker } from '../../../src/observer/slots/tracker.ts';

/** What a day of agents gave: every list must be empty. */
export interface DayOutcome {
  /** Stalls of agents that had sent within the threshold. */
  readonly falseStalls: readonly string[];
  /** Silences that were not reported, or late, or twice. */
  readonly missedStalls: readonly string[];
  readonly beats: number;
  readonly stalls: number;
  readonly counters: Counters;
}

const thresholdNs = 240e9;
const dayNs = 24 * 3600e9;
const agentCount = 250;
const lookEveryNs = thresholdNs / 8;
/** What the kernel keeps of the beats that are sent while the observer stands still. */
const queueLength = 11;
const uid = 1000;

interface Agent {
  readonly pid: number;
  startTime: number;
  nonce: bigint;
  nextNs: number;
  /** Between two beats: always below a third of the threshold. */
  periodNs: number;
  lastSentNs: number | null;
  /** Of the beats that the observer got. */
  lastReceivedNs: number | null;
  /** Stalls since then. */
  stalls: number;
  /** Beats until the agent may misbehave again: a new client in the same process is accepted at its second or third. */
  settling: number;
}

/** A pause of the observer itself: it was stopped, starved or suspended. */
interface Pause {
  readonly fromNs: number;
  readonly untilNs: number;
}

/**
 * 24 hours of 250 agents in a simulated clock. Agents fall silent at random, restart under the same pid with or without
 * a new process, and send dying beats; nonces wrap. The observer itself pauses now and then. Everything is compared
 * with what was really sent.
 */
export function simulateDay(seed: number): DayOutcome {
  const day = new Day(seed);
  day.run();
  return day.outcome();
}

class Day {
  readonly #random: () => number;
  readonly #agents: Agent[];
  readonly #queue: AgentQueue;
  readonly #startTimes = new Map<number, number>();
  readonly #counters = createCounters();
  readonly #pauses: readonly Pause[];
  readonly #intake: Intake;
  readonly #tracker: Tracker;
  readonly #watch: StallWatch;
  readonly #falseStalls: string[] = [];
  readonly #missedStalls: string[] = [];
  #beats = 0;
  #stalls = 0;

  constructor(seed: number) {
    this.#random = mulberry32(seed);
    this.#agents = Array.from({ length: agentCount }, (_, index) => this.#newAgent(index + 2));
    this.#queue = new AgentQueue(this.#agents);
    this.#pauses = this.#planPauses();
    const settings = { capacity: 256, evictionPolicy: 'strict' as const, scanWindow: 256, thresholdNs };
    this.#tracker = new Tracker((pid) => this.#startTimes.get(pid) ?? null, {
      ...settings,
      originPolicy: 'first',
      minGapNs: 1e7,
    });
    this.#intake = new Intake(
      {
        tracker: this.#tracker,
        counters: this.#counters,
        drops: new DropRecord(),
        namespaceOf: () => 1n,
        pidMax: () => 4_194_304,
        evicted: () => undefined,
        wantsBeat: () => true,
      },
      {
        allowedUids: new Set([uid]),
        ownNamespace: 1n,
        allowCrossNamespace: false,
        globalRate: { ratePerSecond: 0, burst: 1 },
      },
    );
    this.#watch = new StallWatch(() => this.#tracker.table.slots(), thresholdNs, 0);
  }

  run(): void {
    for (let nowNs = 0, pause = 0; nowNs < dayNs; nowNs += lookEveryNs) {
      const held = this.#pauses[pause];
      if (held !== undefined && nowNs >= held.fromNs) {
        pause += 1;
        this.#deliver(held.untilNs, held.untilNs);
        nowNs = held.untilNs;
      }
      this.#look(nowNs);
      this.#turn(nowNs, nowNs + lookEveryNs);
    }
    for (const agent of this.#agents) this.#endOfSilence(agent, dayNs);
  }

  outcome(): DayOutcome {
    return {
      falseStalls: this.#falseStalls,
      missedStalls: this.#missedStalls,
      beats: this.#beats,
      stalls: this.#stalls,
      counters: this.#counters,
    };
  }

  /** From one look to the next: beats in their order, and checks when somebody is due. */
  #turn(fromNs: number, untilNs: number): void {
    for (let atNs = fromNs; ;) {
      const dueNs = this.#watch.nextDueNs();
      const stop = dueNs === null ? untilNs : Math.min(Math.max(dueNs, atNs), untilNs);
      this.#deliver(stop, null);
      if (dueNs === null || dueNs >= untilNs) {
        this.#deliver(untilNs, null);
        return;
      }
      this.#accuse(stop);
      atNs = stop;
    }
  }

  #look(nowNs: number): void {
    this.#watch.look(nowNs);
    this.#accuse(nowNs);
  }

  #accuse(nowNs: number): void {
    for (const slot of this.#watch.due(nowNs)) {
      const event = this.#intake.stall(slot, nowNs);
      const agent = this.#agents[slot.pid - 2];
      this.#stalls += 1;
      if (agent?.lastSentNs === null || agent === undefined || event.type !== 'Stall') continue;
      agent.stalls += 1;
      const silentNs = nowNs - agent.lastSentNs;
      if (silentNs < thresholdNs) this.#falseStalls.push(`pid ${slot.pid} at ${nowNs} after ${silentNs} ns`);
    }
  }

  /** Sends what is due before `untilNs`; `receivedNs` when the observer stands still meanwhile. */
  #deliver(untilNs: number, receivedNs: number | null): void {
    let queued = 0;
    for (let agent = this.#queue.first(); agent !== null && agent.nextNs < untilNs; agent = this.#queue.first()) {
      const sentNs = agent.nextNs;
      const bytes = this.#beat(agent);
      agent.lastSentNs = sentNs;
      queued += 1;
      if (receivedNs === null || queued <= queueLength) this.#receive(agent, bytes, receivedNs ?? sentNs);
      // Beats that come together after a pause are rate-limited, which says nothing of their sequence.
      if (receivedNs === null) agent.settling -= 1;
      this.#planNext(agent);
      this.#queue.sink();
    }
  }

  #receive(agent: Agent, bytes: Uint8Array, receivedNs: number): void {
    const { pid } = agent;
    this.#beats += 1;
    this.#endOfSilence(agent, receivedNs);
    agent.lastReceivedNs = receivedNs;
    agent.stalls = 0;
    const credentials = { pid, uid };
    const event = this.#intake.takeUnix({ size: 32, bytes, ctrlTruncated: false, credentials, receivedNs });
    if (event !== null && event.type !== 'Beat') this.#missedStalls.push(`unexpected ${event.type} of pid ${pid}`);
  }

  /** The agent is heard again at `nowNs`: was its silence reported, once and in time? */
  #endOfSilence(agent: Agent, nowNs: number): void {
    const { lastReceivedNs, stalls, pid } = agent;
    if (lastReceivedNs === null) return;
    const expected = this.#reportableNs(lastReceivedNs + thresholdNs) < nowNs ? 1 : 0;
    if (stalls > 1 || (expected === 1 && stalls === 0)) {
      this.#missedStalls.push(
        `pid ${pid} silent from ${lastReceivedNs} to ${nowNs}: ${stalls} stalls instead of ${expected}`,
      );
    }
  }

  /** When a silence that reaches the threshold at `dueNs` must have been reported at the latest. */
  #reportableNs(dueNs: number): number {
    let atNs = dueNs;
    for (const { fromNs, untilNs } of this.#pauses) {
      // The beat may have been refused, so that the slot is older than what was sent; and the observer waits a threshold.
      const graceNs = untilNs + thresholdNs;
      if (atNs >= fromNs - thresholdNs && atNs < graceNs) atNs = graceNs + lookEveryNs;
    }
    return atNs;
  }

  #beat(agent: Agent): Uint8Array {
    const dying = agent.nonce === TERMINAL_NONCE;
    const frame = { pid: agent.pid, timestamp: 1n, nonce: agent.nonce, payload: 0 };
    const bytes = encodeBeat({ ...frame, status: dying ? 'Critical' : 'Ok' });
    agent.nonce = dying ? 1n : nextNonce(agent.nonce);
    return bytes;
  }

  /** Mostly the next beat; now and then a silence, a new process, a new client in the same process, a dying beat. */
  #planNext(agent: Agent): void {
    const chance = agent.settling > 0 ? 0.5 : this.#random();
    agent.nextNs += Math.round(agent.periodNs * (0.8 + 0.4 * this.#random()));
    if (chance < 0.002) agent.nextNs += Math.round(thresholdNs * 4 * this.#random());
    if (chance < 0.001) this.#restart(agent);
    else if (chance > 0.9995) [agent.nonce, agent.settling] = [1n, 10];
    else if (chance > 0.999) [agent.nonce, agent.settling] = [TERMINAL_NONCE, 10];
    else if (chance > 0.9985) [agent.nonce, agent.settling] = [TERMINAL_NONCE - 2n, 10];
  }

  #restart(agent: Agent): void {
    agent.startTime += 1;
    this.#startTimes.set(agent.pid, agent.startTime);
    agent.nonce = 1n;
    agent.periodNs = this.#period();
  }

  #newAgent(pid: number): Agent {
    this.#startTimes.set(pid, 1);
    const periodNs = this.#period();
    return { pid, startTime: 1, nonce: 1n, nextNs: Math.round(periodNs * this.#random()), periodNs, ...silence };
  }

  #period(): number {
    return thresholdNs * (0.1 + 0.15 * this.#random());
  }

  #planPauses(): Pause[] {
    const pauses: Pause[] = [];
    for (let fromNs = 3600e9; fromNs < dayNs - 3600e9; fromNs += Math.round(3600e9 * (0.5 + this.#random()))) {
      pauses.push({ fromNs, untilNs: fromNs + Math.round(thresholdNs * (0.7 + 4 * this.#random())) });
    }
    return pauses;
  }
}

/** A binary heap: the agent that sends next comes first. */
class AgentQueue {
  readonly #heap: Agent[];

  constructor(agents: readonly Agent[]) {
    this.#heap = agents.toSorted((a, b) => a.nextNs - b.nextNs);
  }

  first(): Agent | null {
    return this.#heap[0] ?? null;
  }

  /** To be called when the first has another time. */
  sink(): void {
    const moving = this.#heap[0];
    let place = 0;
    for (;;) {
      const child = this.#smallerChild(place);
      const other = this.#heap[child];
      if (moving === undefined || other === undefined || other.nextNs >= moving.nextNs) break;
      this.#heap[place] = other;
      place = child;
    }
    if (moving !== undefined) this.#heap[place] = moving;
  }

  #smallerChild(place: number): number {
    const [left, right] = [this.#heap[2 * place + 1], this.#heap[2 * place + 2]];
    return right !== undefined && left !== undefined && right.nextNs < left.nextNs ? 2 * place + 2 : 2 * place + 1;
  }
}

const silence = { lastSentNs: null, lastReceivedNs: null, stalls: 0, settling: 0 };

function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
