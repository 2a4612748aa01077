import { isDeepStrictEqual } from 'node:util';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import { TurnQueue } from '../../lib/turn-queue.ts';
import type { FlowSettings, OutputSettings } from '../../media/flow/flow-settings.ts';
import type { FlowReport } from '../../media/flow/flow-stats.ts';
import type { MediaHost, MediaHostObserver } from '../../media/flow/media-host.ts';
import type { FlowEvent } from '../events/flow-event.ts';
import type { FlowGates } from '../local/flow-gates.ts';
import { rtcPlaceOf, type RtcDoorway } from './rtc-doorway.ts';
import { errorsOf, flowStatsOf, type FlowEntry, type FlowStats } from './flow-entry.ts';

export interface FlowsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly gates: FlowGates;
  /** Starts the media worker. */
  readonly startHost: (observer: MediaHostObserver) => MediaHost;
  /** Must not throw. */
  readonly raise: (event: FlowEvent) => void;
}

export type PutFlowOutcome =
  | { readonly kind: 'applied' }
  | { readonly kind: 'unchanged' }
  /** It could not start; what was there before is there again. */
  | { readonly kind: 'failed'; readonly error: string };

const restart = { initialMs: 1000, maxMs: 30_000, jitterRatio: 0.2 };
/** A worker that ran so long starts the next back-off from its beginning. */
const steadyMs = 60_000;

/**
 * The flows of an edge: which there are, which run, and the worker that runs them. Changes come one after the other.
 */
export class Flows {
  readonly #dependencies: FlowsDependencies;
  readonly #entries = new Map<string, FlowEntry>();
  readonly #backoff: Backoff;
  #host: MediaHost | null = null;
  #hostStartedMs = 0;
  #retry: Timer | null = null;
  readonly #turns = new TurnQueue();
  #stopped = false;

  constructor(dependencies: FlowsDependencies, flows: readonly FlowSettings[]) {
    this.#dependencies = dependencies;
    this.#backoff = new Backoff(dependencies.random, restart);
    for (const settings of flows) this.#entries.set(settings.id, newEntry(settings));
  }

  /** Starts every enabled flow. One that cannot start is reported and tried again. */
  start(): Promise<void> {
    return this.#turns.run(() => this.#startAll());
  }

  /** Idempotent. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    return this.#turns.run(async () => {
      for (const entry of this.#entries.values()) await this.#stopEntry(entry);
      this.#dependencies.gates.leadTo(null);
      await this.#host?.stop();
      this.#host = null;
    });
  }

  list(): readonly FlowSettings[] {
    return [...this.#entries.values()].map(({ settings }) => settings);
  }

  stats(): readonly FlowStats[] {
    const nowMs = this.#dependencies.clock.monotonicMs();
    return [...this.#entries.values()].map((entry) => flowStatsOf(entry, nowMs));
  }

  /** Adds a flow or changes the one with its id. Where only outputs differ, the input is not touched. */
  put(settings: FlowSettings): Promise<PutFlowOutcome> {
    return this.#turns.run(async () => {
      const entry = this.#entries.get(settings.id);
      if (entry !== undefined && isDeepStrictEqual(entry.settings, settings)) return { kind: 'unchanged' };
      if (entry?.running === true && isDeepStrictEqual({ ...entry.settings, outputs: settings.outputs }, settings)) {
        return this.#changeOutputs(entry, settings.outputs);
      }
      return this.#replace(entry ?? null, settings);
    });
  }

  /** Stops and forgets a flow. False for an unknown one. */
  remove(id: string): Promise<boolean> {
    return this.#turns.run(async () => {
      const entry = this.#entries.get(id);
      if (entry === undefined) return false;
      await this.#stopEntry(entry);
      this.#entries.delete(id);
      return true;
    });
  }

  /** Stops a flow and starts it again. False for an unknown one. */
  restart(id: string): Promise<PutFlowOutcome | null> {
    return this.#turns.run(async () => {
      const entry = this.#entries.get(id);
      if (entry === undefined) return null;
      await this.#stopEntry(entry);
      const error = await this.#startEntry(entry);
      return error === null ? { kind: 'applied' } : { kind: 'failed', error };
    });
  }

  /** Where WebRTC peers of a flow come in; null for a flow or an output that has no such door. */
  rtcDoor(kind: 'whip' | 'whep', flowId: string, outputId: string | null): RtcDoorway | null {
    const entry = this.#entries.get(flowId);
    const place = entry === undefined ? null : rtcPlaceOf(entry.settings, kind, outputId);
    if (place === null) return null;
    const door = { flowId, outputId: place.outputId };
    const closed = { kind: 'refused', status: 503, error: 'the flow does not run' } as const;
    return {
      bearerToken: place.bearerToken,
      offer: (sdp) => this.#host?.offer(door, sdp).catch(() => closed) ?? Promise.resolve(closed),
      hangUp: (sessionId) => this.#host?.hangUp(door, sessionId).catch(() => false) ?? Promise.resolve(false),
    };
  }

  async #startAll(): Promise<void> {
    let failed = false;
    for (const entry of this.#entries.values()) {
      if (!entry.settings.enabled || entry.running) continue;
      failed = (await this.#startEntry(entry)) !== null || failed;
    }
    if (failed) this.#startAllLater();
    else this.#backoff.reset();
  }

  #startAllLater(): void {
    if (this.#stopped) return;
    this.#retry?.cancel();
    const again = (): void => {
      void this.#turns.run(() => this.#startAll());
    };
    this.#retry = this.#dependencies.clock.setTimeout(again, this.#backoff.nextDelayMs());
  }

  async #replace(previous: FlowEntry | null, settings: FlowSettings): Promise<PutFlowOutcome> {
    if (previous !== null) await this.#stopEntry(previous);
    const next = newEntry(settings);
    const error = settings.enabled ? await this.#startEntry(next) : null;
    if (error === null) {
      this.#entries.set(settings.id, next);
      return { kind: 'applied' };
    }
    if (previous?.settings.enabled === true) await this.#startEntry(previous);
    return { kind: 'failed', error };
  }

  async #changeOutputs(entry: FlowEntry, outputs: readonly OutputSettings[]): Promise<PutFlowOutcome> {
    const before = entry.settings.outputs;
    const goes = before.filter((output) => !outputs.some((each) => isDeepStrictEqual(each, output)));
    const comes = outputs.filter((output) => !before.some((each) => isDeepStrictEqual(each, output)));
    for (const { id } of goes) await this.#removeOutput(entry, id);
    for (const [index, output] of comes.entries()) {
      const error = await this.#addOutput(entry, output);
      if (error === null) continue;
      for (const { id } of comes.slice(0, index)) await this.#removeOutput(entry, id);
      for (const old of goes) await this.#addOutput(entry, old);
      return { kind: 'failed', error };
    }
    entry.settings = { ...entry.settings, outputs };
    return { kind: 'applied' };
  }

  async #addOutput({ settings }: FlowEntry, output: OutputSettings): Promise<string | null> {
    const about = { ...ref(settings), outputId: output.id };
    try {
      await this.#hostNow().order({ kind: 'add-output', flowId: settings.id, output });
      this.#dependencies.raise({ kind: 'output-added', ...about });
      return null;
    } catch (cause) {
      const error = errorMessage(cause);
      this.#dependencies.raise({ kind: 'output-failed', ...about, error });
      return error;
    }
  }

  async #removeOutput({ settings }: FlowEntry, outputId: string): Promise<void> {
    await this.#hostNow().order({ kind: 'remove-output', flowId: settings.id, outputId });
    this.#dependencies.raise({ kind: 'output-removed', ...ref(settings), outputId });
  }

  /** Returns why it could not start, null when it has. The event of a failure comes once until it has started. */
  async #startEntry(entry: FlowEntry): Promise<string | null> {
    const { settings } = entry;
    try {
      await this.#hostNow().order({ kind: 'start-flow', flow: settings });
    } catch (cause) {
      const error = errorMessage(cause);
      if (entry.problem === null) this.#dependencies.raise({ kind: 'flow-failed', ...ref(settings), error });
      entry.problem = error;
      return error;
    }
    entry.running = true;
    entry.problem = null;
    entry.startedMs = this.#dependencies.clock.monotonicMs();
    this.#dependencies.raise({ kind: 'flow-started', ...ref(settings) });
    return null;
  }

  async #stopEntry(entry: FlowEntry): Promise<void> {
    entry.problem = null;
    entry.report = null;
    if (!entry.running) return;
    entry.running = false;
    // A worker that has just died has stopped the flow too.
    await this.#host?.order({ kind: 'stop-flow', flowId: entry.settings.id }).catch(() => undefined);
    this.#dependencies.raise({ kind: 'flow-stopped', ...ref(entry.settings) });
  }

  #hostNow(): MediaHost {
    if (this.#stopped) throw new AppError('closed', 'the edge is stopping');
    if (this.#host !== null) return this.#host;
    const host = this.#dependencies.startHost({
      event: (flowId, event) => {
        const entry = this.#entries.get(flowId);
        if (entry !== undefined) this.#dependencies.raise({ ...event, ...ref(entry.settings) });
      },
      reports: (reports) => this.#onReports(reports),
      died: (error) => this.#onDied(error),
    });
    this.#host = host;
    this.#hostStartedMs = this.#dependencies.clock.monotonicMs();
    this.#dependencies.gates.leadTo((tunnels, port) => host.attachTunnel(tunnels, port));
    return host;
  }

  #onReports(reports: readonly FlowReport[]): void {
    for (const report of reports) {
      const entry = this.#entries.get(report.flowId);
      if (entry === undefined) continue;
      entry.errorsBefore = errorsOf(entry.report);
      entry.report = report;
    }
  }

  #onDied(error: string): void {
    this.#host = null;
    this.#dependencies.gates.leadTo(null);
    if (this.#dependencies.clock.monotonicMs() - this.#hostStartedMs >= steadyMs) this.#backoff.reset();
    for (const entry of this.#entries.values()) {
      if (!entry.running) continue;
      entry.running = false;
      entry.report = null;
      entry.problem = error;
      this.#dependencies.raise({ kind: 'input-lost', ...ref(entry.settings), error });
    }
    this.#startAllLater();
  }
}

function newEntry(settings: FlowSettings): FlowEntry {
  return { settings, running: false, startedMs: 0, problem: null, report: null, errorsBefore: 0 };
}

function ref({ id, input }: FlowSettings): { readonly flowId: string; readonly inputType: string } {
  return { flowId: id, inputType: input.type };
}
