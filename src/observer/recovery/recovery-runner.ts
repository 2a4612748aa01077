import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { settledWithin } from '../../lib/settled-within.ts';
import type { Slot } from '../slots/slot.ts';
import type { AuditRecord } from './audit-record.ts';
import { RecoveryPolicy, type RecoveryPolicySettings, type RefusalReason } from './recovery-policy.ts';

export interface RecoveryCommand {
  /** `{pid}` in an argument becomes the pid of the silent agent. */
  readonly argv: readonly string[];
  readonly source: 'inline' | 'path';
}

export interface RecoverySettings {
  readonly command: RecoveryCommand;
  readonly policy: RecoveryPolicySettings;
  /** Null lets a command run for as long as it likes. */
  readonly timeoutMs: number | null;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: boolean;
  /** Bytes of each output stream that are counted and logged; null leaves the streams closed. */
  readonly captureBytes: number | null;
  readonly shutdownGraceMs: number;
}

/** What became of a silent agent's recovery, for counters, log and manager. */
export type RecoveryNews =
  | { readonly kind: 'spawned'; readonly pid: number; readonly childPid: number }
  | { readonly kind: 'debounced'; readonly pid: number }
  | { readonly kind: 'refused'; readonly pid: number; readonly reason: RefusalReason }
  | { readonly kind: 'spawn-failed'; readonly pid: number; readonly program: string; readonly reason: string }
  | {
      readonly kind: 'completed';
      readonly pid: number;
      readonly outcome: 'reaped_zero' | 'reaped_nonzero' | 'killed';
      readonly durationNs: number;
      readonly stdout: string;
      readonly stderr: string;
    };

export interface RecoveryRunnerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nowNs: () => number;
  /** The slot of a pid now; a recovery that waited happens only for one that is still silent. */
  readonly slotOf: (pid: number) => Slot | undefined;
  /** Must not throw. */
  readonly audit: (record: AuditRecord) => void;
  readonly news: (news: RecoveryNews) => void;
}

const outputGraceMs = 100;
const notSignalled = 'a recovery command could not be signalled';

interface Child {
  readonly childPid: number;
  readonly startedNs: number;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly timeout: Timer | null;
  readonly ended: Promise<void>;
}

/** Runs the recovery command for silent agents. */
export class RecoveryRunner {
  readonly #dependencies: RecoveryRunnerDependencies;
  #settings: RecoverySettings;
  readonly #policy: RecoveryPolicy;
  readonly #children = new Map<number, Child>();
  /** Stalls that came too early. */
  readonly #waiting = new Map<number, Timer | null>();
  #stopping = false;

  constructor(dependencies: RecoveryRunnerDependencies, settings: RecoverySettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#policy = new RecoveryPolicy(settings.policy);
  }

  /** Holds for commands that start from now on. */
  reconfigure(settings: RecoverySettings): void {
    this.#settings = settings;
    this.#policy.reconfigure(settings.policy);
  }

  /** To be called for every Stall. */
  stalled(slot: Pick<Slot, 'pid' | 'origin' | 'nsInode' | 'nonce' | 'status'>): void {
    if (this.#stopping) return;
    const { pid } = slot;
    const { nowNs, audit, news } = this.#dependencies;
    const decision = this.#policy.decide(slot, nowNs());
    switch (decision.kind) {
      case 'refused':
        audit({ kind: 'refused', agentPid: pid, reason: decision.reason });
        news({ kind: 'refused', pid, reason: decision.reason });
        return;
      case 'debounced':
        news({ kind: 'debounced', pid });
        this.#askLater(pid, decision.retryNs);
        return;
      case 'spawn':
        this.#spawn(slot);
    }
  }

  /** Kills what still runs and waits for it, at most the grace. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#waiting.values()) timer?.cancel();
    const children = [...this.#children.values()];
    for (const { childPid } of children) this.#kill(childPid);
    const { clock, logger } = this.#dependencies;
    const ended = Promise.all(children.map((child) => child.ended));
    if (await settledWithin(clock, ended, this.#settings.shutdownGraceMs)) return;
    logger.warn({ children: children.length }, 'recovery commands did not end in time');
  }

  #askLater(pid: number, retryNs: number | null): void {
    this.#waiting.get(pid)?.cancel();
    const { clock, nowNs } = this.#dependencies;
    const delayMs = retryNs === null ? 0 : Math.max(0, Math.ceil((retryNs - nowNs()) / 1e6));
    this.#waiting.set(pid, retryNs === null ? null : clock.setTimeout(() => this.#askAgain(pid), delayMs));
  }

  #askAgain(pid: number): void {
    this.#waiting.delete(pid);
    const slot = this.#dependencies.slotOf(pid);
    if (slot?.stalled === true) this.stalled(slot);
  }

  #spawn({ pid, nonce, status, origin }: Pick<Slot, 'pid' | 'nonce' | 'status' | 'origin'>): void {
    const { command, captureBytes } = this.#settings;
    const [program = '', ...args] = command.argv.map((argument) => argument.replaceAll('{pid}', String(pid)));
    const startedNs = this.#dependencies.nowNs();
    this.#policy.started(pid, startedNs);
    const piped = captureBytes === null ? 'ignore' : 'pipe';
    const facts = {
      ADIT_PID: String(pid),
      ADIT_LAST_NONCE: String(nonce),
      ADIT_LAST_STATUS: status,
      ADIT_ORIGIN: origin,
    };
    let child: ChildProcess;
    try {
      child = spawn(program, args, {
        env: this.#environment(facts),
        stdio: ['ignore', piped, piped],
        // A process group of its own, so that a command is killed together with what it forked.
        detached: true,
      });
    } catch (error) {
      this.#spawnFailed(pid, program, error);
      return;
    }
    if (child.pid === undefined) {
      child.once('error', (error) => this.#spawnFailed(pid, program, error));
      return;
    }
    this.#follow(pid, child, child.pid, program, startedNs);
  }

  #follow(pid: number, child: ChildProcess, childPid: number, program: string, startedNs: number): void {
    const { command, timeoutMs, captureBytes } = this.#settings;
    const { clock, audit, news, logger } = this.#dependencies;
    const limit = captureBytes ?? 0;
    const ended = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        void this.#outputTaken(child).then(() => {
          this.#ended(pid, childPid, code, signal);
          resolve();
        });
      });
    });
    child.on('error', (error) => logger.warn({ error, pid: childPid }, notSignalled));
    const timeout = timeoutMs === null ? null : clock.setTimeout(() => this.#kill(childPid), timeoutMs);
    const [stdout, stderr] = [new CapturedOutput(child.stdout, limit), new CapturedOutput(child.stderr, limit)];
    this.#children.set(pid, { childPid, startedNs, stdout, stderr, timeout, ended });
    const commandLength = command.argv.join(' ').length;
    audit({ kind: 'spawn', agentPid: pid, childPid, program, source: command.source, commandLength });
    news({ kind: 'spawned', pid, childPid });
  }

  #ended(pid: number, childPid: number, exitCode: number | null, signal: NodeJS.Signals | null): void {
    const child = this.#children.get(pid);
    if (child === undefined) return;
    this.#children.delete(pid);
    child.timeout?.cancel();
    this.#policy.ended(pid);
    const { nowNs, audit, news } = this.#dependencies;
    const durationNs = Math.trunc(nowNs() - child.startedNs);
    const { stdout, stderr } = child;
    audit({
      kind: 'complete',
      agentPid: pid,
      childPid,
      outcome: signal === 'SIGKILL' ? 'killed' : 'reaped',
      exitCode,
      signal: signal === null ? null : constants.signals[signal],
      durationNs,
      stdoutLength: stdout.length,
      stderrLength: stderr.length,
      truncated: stdout.truncated || stderr.truncated,
    });
    const outcome = signal === 'SIGKILL' ? 'killed' : exitCode === 0 ? 'reaped_zero' : 'reaped_nonzero';
    news({ kind: 'completed', pid, outcome, durationNs, stdout: stdout.text(), stderr: stderr.text() });
    this.#resume(pid);
  }

  /** What the command wrote before its end. A process that it left behind may hold the streams open for ever. */
  async #outputTaken(child: ChildProcess): Promise<void> {
    if (this.#settings.captureBytes === null) return;
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    await settledWithin(this.#dependencies.clock, closed, outputGraceMs);
  }

  #spawnFailed(pid: number, program: string, error: unknown): void {
    this.#policy.ended(pid);
    const { audit, news } = this.#dependencies;
    const errno = error instanceof Error && 'code' in error ? String(error.code) : 'EINVAL';
    audit({ kind: 'spawn_failed', agentPid: pid, errno, program });
    news({ kind: 'spawn-failed', pid, program, reason: errorMessage(error) });
    this.#resume(pid);
  }

  /** A Stall that waited for the end of the child is decided now. */
  #resume(pid: number): void {
    if (this.#waiting.get(pid) === null && !this.#stopping) this.#askAgain(pid);
  }

  /** With all that it forked. A command that became another user, as sudo does, is beyond reach: it is left to end. */
  #kill(leader: number): void {
    try {
      process.kill(-leader, 'SIGKILL');
    } catch (error) {
      // Ended by itself just now.
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      this.#dependencies.logger.warn({ error, pid: leader }, notSignalled);
    }
  }

  #environment(facts: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
    const base = this.#settings.inheritEnv ? process.env : { PATH: '/usr/bin:/bin' };
    return { ...base, ...this.#settings.env, ...facts };
  }
}

/** The beginning of an output stream; all of it is read, so that the command never waits. */
class CapturedOutput {
  truncated = false;
  readonly #limit: number;
  readonly #parts: Buffer[] = [];
  #kept = 0;

  constructor(stream: Readable | null, limit: number) {
    this.#limit = limit;
    stream?.on('data', (data: Buffer) => this.#take(data));
    stream?.on('error', () => (this.truncated = true));
  }

  get length(): number {
    return this.#kept;
  }

  text(): string {
    return Buffer.concat(this.#parts).toString('utf8');
  }

  #take(data: Buffer): void {
    const part = data.subarray(0, this.#limit - this.#kept);
    if (part.length < data.length) this.truncated = true;
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#kept += part.length;
  }
}
