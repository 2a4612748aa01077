import type { HealthAnswer } from '../../admin/admin-source.ts';
import { exposedReason } from '../../config/exposed-secrets.ts';
import type { EventLoopWatch } from '../../lib/event-loop-watch.ts';
import type { WatchState } from '../beat-watch.ts';
import { agentFacts, agentReport } from './observer-report.ts';
import type { ObserverAdminSource } from './observer-routes.ts';
import type { AgentFacts, AgentReport, ObserverHealth } from './observer-schemas.ts';

export interface ObserverViewDependencies {
  readonly state: () => WatchState;
  readonly labelOf: (pid: number) => string | null;
  readonly loop: EventLoopWatch;
  /** Of the manager link and the REST API. */
  readonly problems: () => readonly string[];
  /** Files with secrets that every user of this machine can read now. */
  readonly exposedFiles: () => readonly string[];
  readonly apiAddress: () => string | null;
  readonly settings: () => { readonly thresholdMs: number; readonly socket: string | null };
  readonly softwareVersion: string;
}

/** A running observer as REST and its manager see it. */
export class ObserverView implements ObserverAdminSource {
  readonly #dependencies: ObserverViewDependencies;

  constructor(dependencies: ObserverViewDependencies) {
    this.#dependencies = dependencies;
  }

  health(): HealthAnswer<ObserverHealth> {
    const { state, loop, problems, exposedFiles, apiAddress, softwareVersion } = this.#dependencies;
    const { slots, nowNs } = state();
    const stall = loop.stall();
    const reasons = [...problems(), ...(stall === null ? [] : [stall])];
    const report: ObserverHealth = {
      status: reasons.length === 0 ? 'ok' : 'degraded',
      // Not degraded: monitors that ask for "ok" must not ring for how the operator keeps files.
      reasons: [...reasons, ...exposedFiles().map(exposedReason)],
      version: softwareVersion,
      uptime_secs: Math.round(nowNs / 1e6) / 1e3,
      watched_pids: slots.length,
      silent_pids: slots.filter(({ stalled }) => stalled).length,
      api_addr: apiAddress(),
    };
    return { alive: true, report };
  }

  notReadyReasons(): readonly string[] {
    return [];
  }

  agents(): readonly AgentReport[] {
    const state = this.#dependencies.state();
    return state.slots.map((slot) => agentReport(slot, state, this.#dependencies.labelOf(slot.pid)));
  }

  facts(pid: number): AgentFacts {
    const { state, settings, labelOf } = this.#dependencies;
    return agentFacts(pid, state(), { ...settings(), label: labelOf(pid) });
  }
}
