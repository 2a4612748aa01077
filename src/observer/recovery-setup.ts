import { AppError, errorMessage } from '../lib/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ObserverConfig } from './config/observer-config.ts';
import { readSecretFile } from './config/secret-file.ts';
import { AuditLog, type AuditLogSettings } from './recovery/audit-log.ts';
import type { AuditRecord } from './recovery/audit-record.ts';
import {
  RecoveryRunner,
  type RecoveryCommand,
  type RecoveryNews,
  type RecoverySettings,
} from './recovery/recovery-runner.ts';
import type { Slot } from './slots/slot.ts';

export interface RecoverySetupDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nowNs: () => number;
  readonly slotOf: (pid: number) => Slot | undefined;
  readonly ownNamespace: bigint | null;
  readonly news: (news: RecoveryNews) => void;
}

/** The command of the config; null without one. Rejects with AppError `unavailable` when its file cannot be used. */
export async function readRecoveryCommand(config: ObserverConfig): Promise<RecoveryCommand | null> {
  if (config.recovery_exec !== null) return { argv: config.recovery_exec, source: 'inline' };
  if (config.recovery_exec_file === null) return null;
  const text = await readSecretFile('recovery_exec_file', config.recovery_exec_file);
  // Blanks separate arguments; there are no quotes.
  const argv = splitCommand(text);
  if (argv.length > 0) return { argv, source: 'path' };
  throw new AppError('unavailable', `recovery_exec_file ${config.recovery_exec_file} is empty`);
}

/** Blanks separate arguments; there are no quotes. */
function splitCommand(text: string): readonly string[] {
  return text.split(/\s+/).filter((part) => part !== '');
}

/** The recovery runner with its audit. */
export class Recovery {
  readonly runner: RecoveryRunner;
  readonly #dependencies: RecoverySetupDependencies;
  #audit: AuditLog | null;

  /** Opens the audit. Throws AppError `unavailable`. */
  constructor(command: RecoveryCommand, config: ObserverConfig, dependencies: RecoverySetupDependencies) {
    this.#dependencies = dependencies;
    this.#audit = openAudit(config, dependencies);
    this.runner = new RecoveryRunner(
      { ...dependencies, audit: (record) => this.#append(record) },
      recoverySettings(command, config, dependencies.ownNamespace),
    );
  }

  /** Holds from now on; an audit that was moved is begun anew. Throws AppError `unavailable`: the old one stays. */
  reconfigure(command: RecoveryCommand, config: ObserverConfig): void {
    const settings = auditSettings(config);
    if (settings === null || this.#audit?.fits(settings) !== true) {
      const old = this.#audit;
      this.#audit = openAudit(config, this.#dependencies);
      old?.close();
    }
    this.runner.reconfigure(recoverySettings(command, config, this.#dependencies.ownNamespace));
  }

  /** Kills what still runs, waits at most the grace, and closes the audit. Idempotent. */
  async stop(): Promise<void> {
    await this.runner.stop();
    this.#audit?.close();
    this.#audit = null;
  }

  /** A full disk must not keep a silent process from its recovery: the chain stays whole, the record is in the log. */
  #append(record: AuditRecord): void {
    try {
      this.#audit?.append(record);
    } catch (error) {
      this.#dependencies.logger.error({ problem: errorMessage(error), record }, 'the recovery audit cannot be written');
    }
  }
}

function recoverySettings(
  command: RecoveryCommand,
  config: ObserverConfig,
  ownNamespace: bigint | null,
): RecoverySettings {
  return {
    command,
    policy: {
      debounceNs: config.recovery_debounce_ms * 1e6,
      maxChildren: config.tracker_capacity,
      ownNamespace,
      allowCrossNamespace: config.allow_cross_namespace_agents,
    },
    timeoutMs: config.recovery_timeout_ms,
    env: config.recovery_env,
    inheritEnv: config.recovery_inherit_env,
    captureBytes: config.recovery_capture_stdio ? config.recovery_capture_bytes : null,
    shutdownGraceMs: config.shutdown_grace_ms,
  };
}

function openAudit(config: ObserverConfig, dependencies: RecoverySetupDependencies): AuditLog | null {
  const settings = auditSettings(config);
  return settings === null ? null : new AuditLog(dependencies, settings);
}

function auditSettings(config: ObserverConfig): AuditLogSettings | null {
  const {
    recovery_audit_file: path,
    recovery_audit_max_bytes: maxBytes,
    recovery_audit_sync_every: syncEvery,
  } = config;
  return path === null ? null : { path, maxBytes, syncEvery };
}
