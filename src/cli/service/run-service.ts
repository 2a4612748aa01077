import { flushCompileCache } from 'node:module';
import process from 'node:process';
import packageJson from '../../../package.json' with { type: 'json' };
import { SystemClock, type Clock } from '../../lib/clock.ts';
import { formatProblem, type ConfigProblem } from '../../config/config-problem.ts';
import { ConfigReload, type ReloadOutcome } from '../../config/config-reload.ts';
import { collectGarbage } from '../../lib/collect-garbage.ts';
import { createLogger, type LogFields, type Logger, type LogLevel } from '../../lib/logger.ts';
import { startLoopPulse, type LoopPulse } from '../../lib/loop-pulse.ts';
import type { MachineProblem } from '../../lib/machine-problem.ts';
import type { SocketBuffers } from './machine-checks.ts';
import { SystemRandom, type Random } from '../../lib/random.ts';
import { installCrashGuard } from './crash-guard.ts';
import { loopLimitMs, startLoopWatchdog } from './loop-watchdog.ts';
import { reloadOnChange, surviveHangups } from './reload-on-change.ts';
import { runSystemdNotify, ServiceNotice } from './service-notice.ts';
import { waitForShutdownSignal } from './shutdown-signal.ts';
import { warnOfMachine } from './warn-of-machine.ts';

export interface ServiceDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** Of the event loop that runs the program. */
  readonly loopPulse: LoopPulse;
  /** What was wrong with the machine when the program had started. */
  readonly machineProblems: () => readonly MachineProblem[];
}

/** A program that has started. */
export interface Service {
  /** For the log line that says so. */
  readonly facts: LogFields;
  readonly socketBuffers?: SocketBuffers;
  /** Files whose change triggers a reload. Called each time, since a reload may change the list. */
  watchedFiles(): readonly string[];
  /** Reads the config again and puts it in force. Rejects with an AppError when the old one stays. */
  reload(): Promise<ReloadOutcome & Pick<ServiceSettings, 'logLevel' | 'warnings'>>;
  /** Called once, when the garbage of the start is collected. */
  trimMemory?(): void;
  stop(): Promise<void>;
}

export interface ServiceSettings {
  readonly logLevel: LogLevel;
  readonly warnings: readonly ConfigProblem[];
  /** An event loop that stands for so long ends the process. */
  readonly loopLimitMs?: number;
  /** The program has a thread of its own that watches the loop. */
  readonly watchesLoop?: boolean;
}

/** Starts a program, looks after it until SIGINT or SIGTERM, and stops it. Rejects as `start` does. */
export async function runService(
  kind: 'relay' | 'edge' | 'observer' | 'manager',
  settings: ServiceSettings,
  start: (dependencies: ServiceDependencies) => Promise<Service>,
): Promise<void> {
  const logger = createLogger({ level: settings.logLevel });
  const clock = new SystemClock();
  const softwareVersion = packageJson.version;
  installCrashGuard(logger);
  using loopPulse = startLoopPulse(clock, settings.loopLimitMs ?? loopLimitMs);
  using _watchdog = settings.watchesLoop === true ? null : startLoopWatchdog(loopPulse);
  // From here on a signal during the start is not lost.
  surviveHangups();
  const shutdown = waitForShutdownSignal();
  const notice = new ServiceNotice({ clock, logger, notify: runSystemdNotify }, process.env);
  const warn = newWarnings(logger);
  warn(settings.warnings);
  let problems: readonly MachineProblem[] = [];
  const random = new SystemRandom();
  const machineProblems = (): readonly MachineProblem[] => problems;
  const service = await start({ clock, random, logger, softwareVersion, loopPulse, machineProblems });
  logger.info({ version: softwareVersion, ...service.facts }, `${kind} started`);
  problems = await warnOfMachine({ clock, logger }, service.socketBuffers);
  notice.ready();
  // At its end would be too late for a program that is killed.
  flushCompileCache();
  const reload = new ConfigReload(async () => {
    const outcome = await service.reload();
    logger.setLevel(outcome.logLevel);
    warn(outcome.warnings);
    return outcome;
  }, logger);
  const stopWatching = await reloadOnChange(reload, () => service.watchedFiles(), clock);
  await collectGarbage();
  service.trimMemory?.();
  logger.info({ signal: await shutdown }, `${kind} stopping`);
  notice.stopping();
  stopWatching();
  await service.stop();
  logger.info({}, `${kind} stopped`);
}

/** Logs what is wrong with the config each time it is read, but for what was wrong with it before. */
function newWarnings(logger: Logger): (warnings: readonly ConfigProblem[]) => void {
  let known: readonly string[] = [];
  return (warnings) => {
    const problems = warnings.map(formatProblem);
    for (const problem of problems) if (!known.includes(problem)) logger.warn({ problem }, 'config warning');
    known = problems;
  };
}
