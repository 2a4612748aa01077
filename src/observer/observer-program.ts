import { hostname } from 'node:os';
import type { ReloadOutcome } from '../config/config-reload.ts';
import { exposedFiles } from '../config/exposed-secrets.ts';
import { rfc3339, type Clock } from '../lib/clock.ts';
import { EventLoopWatch } from '../lib/event-loop-watch.ts';
import { formatHostPort } from '../lib/host-port.ts';
import type { LoopPulse } from '../lib/loop-pulse.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import type { NodeLink } from '../node-link/node-link.ts';
import type { NodeEvent } from '../protocol/node/node-event.ts';
import type { ObserverStats } from './admin/observer-schemas.ts';
import { ObserverView } from './admin/observer-view.ts';
import { BeatWatch } from './beat-watch.ts';
import { warnOfShortQueue } from './queue-warning.ts';
import type { ObserverConfig } from './config/observer-config.ts';
import { planObserverReload } from './config/observer-reload.ts';
import { observerSecretFiles } from './config/observer-secret-files.ts';
import { observerSettingsOf } from './config/observer-settings-of.ts';
import { readBeatKeys } from './config/secret-file.ts';
import { EventOutputs } from './event-outputs.ts';
import { NoticeBoard } from './notices/notice-board.ts';
import type { Notice } from './notices/notice-limit.ts';
import { ObserverServers } from './observer-servers.ts';
import { metricsText } from './outputs/metrics-text.ts';
import { ProcessLabels } from './processes/process-labels.ts';
import { OptionalRecovery } from './optional-recovery.ts';
import { readRecoveryCommand } from './recovery-setup.ts';
import type { ObserverEvent } from './slots/observer-event.ts';
import type { Slot } from './slots/slot.ts';

export interface ObserverProgramDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** The thread that receives from the socket ends the process when this loop is stuck. Without a socket none does. */
  readonly loopPulse: LoopPulse;
  /** Receiving broke by a defect. */
  readonly failed: (error: unknown) => void;
  /** The observer is to end, for a reason that stands in its config. Called once at most, and not while it stops. */
  readonly giveUp: (reason: string) => void;
}

export interface ObserverProgramSettings {
  readonly config: ObserverConfig;
  /** Where the manager's credentials are kept; null when there is no file, and then no manager. */
  readonly configPath: string | null;
  readonly allowInsecure: boolean;
}

const sweepEveryMs = 1_000;
const maxAgentsInStats = 256;

/** An observer that runs, with all that it needs of the machine. */
export class ObserverProgram {
  readonly #dependencies: ObserverProgramDependencies;
  #config: ObserverConfig;
  #labels: ProcessLabels;
  readonly #watch: BeatWatch;
  readonly #outputs: EventOutputs;
  readonly #board: NoticeBoard;
  readonly #recovery: OptionalRecovery;
  readonly #loop: EventLoopWatch;
  readonly #view: ObserverView;
  readonly #servers: ObserverServers;
  readonly #stack = new AsyncDisposableStack();
  #link: NodeLink | null = null;
  #lastLookMs = 0;
  #stopping = false;
  #givenUp = false;

  private constructor(
    { config, configPath }: ObserverProgramSettings,
    keys: Parameters<typeof observerSettingsOf>[1],
    dependencies: ObserverProgramDependencies,
  ) {
    const { clock, random, failed, loopPulse } = dependencies;
    this.#dependencies = dependencies;
    this.#config = config;
    this.#labels = new ProcessLabels(config.labels);
    this.#outputs = new EventOutputs(dependencies, config);
    this.#loop = new EventLoopWatch(clock);
    this.#board = new NoticeBoard(
      (pid) => this.#labels.of(pid),
      (notice) => this.#publish(notice),
    );
    this.#watch = new BeatWatch(
      {
        clock,
        random,
        sink: (event) => this.#event(event),
        wantsBeat: (beat) => this.#outputs.wantsBeats || this.#board.isNews(beat),
        hasRoom: () => true,
        evicted: ({ pid }, observerNs) => {
          this.#outputs.evicted(pid, observerNs);
          this.#board.evicted(pid, observerNs);
        },
        looked: () => this.#looked(),
        failed,
        loopPulse,
      },
      observerSettingsOf(config, keys),
    );
    this.#recovery = new OptionalRecovery({
      ...dependencies,
      nowNs: () => this.#watch.state().nowNs,
      slotOf: (pid) => this.#slotOf(pid),
      ownNamespace: () => this.#watch.state().ownNamespace,
      news: (news) => this.#board.recovery(news, this.#watch.state().nowNs),
    });
    this.#view = new ObserverView({
      state: () => this.#watch.state(),
      labelOf: (pid) => this.#labels.of(pid),
      loop: this.#loop,
      exposedFiles: () => (configPath === null ? [] : exposedFiles(observerSecretFiles(configPath, this.#config))),
      problems: () => [...(this.#link?.status.problems ?? []), ...this.#servers.problems()],
      apiAddress: () => this.#servers.apiAddress,
      settings: () => ({ thresholdMs: this.#config.threshold_ms, socket: this.#config.socket }),
      softwareVersion: dependencies.softwareVersion,
    });
    const { logger } = dependencies;
    const metrics = (): string => this.#metricsText();
    this.#servers = new ObserverServers({ clock, logger, loop: this.#loop, source: this.#view, metrics });
  }

  /** Starts everything; nothing is left behind when it rejects (AppError). */
  static async start(
    settings: ObserverProgramSettings,
    dependencies: ObserverProgramDependencies,
  ): Promise<ObserverProgram> {
    const { config } = settings;
    const [keys, command] = [await readBeatKeys(config), await readRecoveryCommand(config)];
    const program = new ObserverProgram(settings, keys, dependencies);
    program.#stack.defer(() => program.#outputs.close());
    try {
      await program.#startLink(settings);
      program.#stack.defer(() => program.#recovery.stop());
      await program.#recovery.put(command, config);
      program.#loop.start();
      program.#stack.defer(() => program.#loop.stop());
      program.#stack.defer(() => program.#servers.stop());
      await program.#servers.start(config);
      program.#stack.defer(() => program.#watch.stop());
      await program.#watch.start();
      const sweep = dependencies.clock.setInterval(
        () => program.#board.sweep(program.#watch.state().nowNs),
        sweepEveryMs,
      );
      program.#stack.defer(() => sweep.cancel());
      const queueLength = program.#watch.queueLength;
      if (queueLength !== null) warnOfShortQueue(queueLength, config.tracker_capacity, dependencies.logger);
    } catch (error) {
      await program.stop();
      throw error;
    }
    return program;
  }

  /** For the line that says that it started. */
  facts(): Readonly<Record<string, unknown>> {
    const { socket, udp_bind_addr: host, threshold_ms } = this.#config;
    const port = this.#watch.udpPort;
    return {
      socket,
      udp: port === null ? null : formatHostPort({ host, port }),
      threshold_ms,
      api_addr: this.#servers.apiAddress,
      prom_port: this.#servers.metricsPort,
    };
  }

  /** Puts all but sockets in force. Rejects with an AppError when a file cannot be read or opened. */
  async reload(next: ObserverConfig): Promise<ReloadOutcome> {
    const { effective, ...outcome } = planObserverReload(this.#config, next);
    const [keys, command] = [await readBeatKeys(effective), await readRecoveryCommand(effective)];
    // It would open again what the stop has closed, and the process would not end.
    if (this.#stopping) return { applied: [], needsRestart: [] };
    this.#outputs.reconfigure(effective);
    try {
      await this.#recovery.put(command, effective);
    } catch (error) {
      this.#outputs.reconfigure(this.#config);
      throw error;
    }
    // The end of commands may have been waited for.
    if (this.#isStopping()) return { applied: [], needsRestart: [] };
    this.#watch.reconfigure(observerSettingsOf(effective, keys));
    this.#labels = new ProcessLabels(effective.labels);
    this.#config = effective;
    return outcome;
  }

  /** For control flow across an await. */
  #isStopping(): boolean {
    return this.#stopping;
  }

  trimMemory(): void {
    this.#watch.trimMemory();
  }

  /** Idempotent. Kills recovery commands that run, hands on what was received, removes the socket. */
  stop(): Promise<void> {
    this.#stopping = true;
    return this.#stack.disposeAsync();
  }

  #metricsText(): string {
    return metricsText({
      state: this.#watch.state(),
      recovery: this.#recovery.counters,
      scrapes: this.#servers.scrapes,
      capacity: this.#config.tracker_capacity,
      lastLookSeconds: this.#lastLookMs / 1000,
      tsvLinesLost: this.#outputs.tsvLinesLost,
      jsonLinesLost: this.#outputs.jsonLinesLost,
    });
  }

  #event(event: ObserverEvent): void {
    this.#outputs.event(event);
    this.#board.event(event);
    if (event.type === 'NamespaceConflict' && this.#config.strict_namespace_check) this.#giveUp(event.claimed_pid);
    if (event.type !== 'Stall') return;
    const slot = this.#slotOf(event.pid);
    if (slot !== undefined) this.#recovery.stalled(slot);
  }

  /** A foreign agent goes on beating, and a second signal would cut the stop short. */
  #giveUp(pid: number): void {
    if (this.#stopping || this.#givenUp) return;
    this.#givenUp = true;
    this.#dependencies.giveUp(`pid ${pid} beats from another PID namespace (strict_namespace_check)`);
  }

  #looked(): void {
    this.#lastLookMs = this.#dependencies.clock.now();
    this.#outputs.looked(this.#watch.state().nowNs);
  }

  /** To the log, and to the manager. */
  #publish(notice: Notice): void {
    const event: NodeEvent = { timestamp: rfc3339(this.#dependencies.clock.now()), ...notice };
    this.#log(event);
    this.#link?.raise(event);
  }

  #log({ severity, message, details }: NodeEvent): void {
    const { logger } = this.#dependencies;
    const fields = { ...details };
    if (severity === 'info') logger.info(fields, message);
    else logger.warn({ severity, ...fields }, message);
  }

  async #startLink({ config, configPath, allowInsecure }: ObserverProgramSettings): Promise<void> {
    if (config.manager?.enabled !== true || configPath === null) return;
    const { createObserverLink } = await import('./manager-link/observer-link.ts');
    const health = (): unknown => this.#view.health().report;
    const link = createObserverLink(
      config.manager,
      config,
      { ...this.#dependencies, health, stats: () => this.#stats(), raised: (event) => this.#log(event) },
      { configPath, allowInsecure },
    );
    this.#stack.defer(() => link.stop());
    await link.start();
    this.#link = link;
  }

  #stats(): ObserverStats {
    const { counters, nowNs } = this.#watch.state();
    const agents = this.#view.agents();
    return {
      uptime_secs: Math.round(nowNs / 1e9),
      host: hostname(),
      watched: agents.length,
      agents: agents.slice(0, maxAgentsInStats),
      counters,
      recovery: Object.fromEntries(this.#recovery.counters.outcomes),
    };
  }

  #slotOf(pid: number): Slot | undefined {
    return this.#watch.state().slots.find((slot) => slot.pid === pid);
  }
}
