import { execFile } from 'node:child_process';
import { errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';

export interface ServiceNoticeDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Runs `systemd-notify` with these arguments; calls back with what went wrong. */
  readonly notify: (states: readonly string[], onEnd: (error: Error | null) => void) => void;
}

/** What systemd passes to a service of type notify (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined;
  readonly WATCHDOG_USEC?: string | undefined;
}

/**
 * Notifies systemd that the program is ready, alive and stopping. Node has no datagrams on Unix sockets, so systemd's
 * own tool carries the words; the unit needs NotifyAccess=all for it. Does nothing under any other supervisor.
 */
export class ServiceNotice {
  readonly #dependencies: ServiceNoticeDependencies;
  readonly #enabled: boolean;
  readonly #watchdogMs: number;
  #signsOfLife: Timer | null = null;

  constructor(dependencies: ServiceNoticeDependencies, environment: ServiceEnvironment) {
    this.#dependencies = dependencies;
    this.#enabled = environment.NOTIFY_SOCKET !== undefined;
    this.#watchdogMs = Number(environment.WATCHDOG_USEC ?? '0') / 1000;
  }

  /** From now on a sign of life goes out at a third of the watchdog's time, for as long as the event loop turns. */
  ready(): void {
    this.#say(['--ready']);
    if (!this.#enabled || !(this.#watchdogMs > 0)) return;
    this.#signsOfLife ??= this.#dependencies.clock.setInterval(() => this.#say(['WATCHDOG=1']), this.#watchdogMs / 3);
  }

  /** The last call. */
  stopping(): void {
    this.#signsOfLife?.cancel();
    this.#say(['STOPPING=1']);
  }

  #say(states: readonly string[]): void {
    if (!this.#enabled) return;
    this.#dependencies.notify(states, (error) => {
      if (error !== null)
        this.#dependencies.logger.warn({ states, problem: errorMessage(error) }, 'systemd was not notified');
    });
  }
}

const notifyDeadlineMs = 5000;

export function runSystemdNotify(states: readonly string[], onEnd: (error: Error | null) => void): void {
  execFile('systemd-notify', [...states], { timeout: notifyDeadlineMs }, (error) => onEnd(error));
}
