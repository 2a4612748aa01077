import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { until } from '../until.ts';

const adit = join(import.meta.dirname, '../../../bin/adit');

/** `adit observer` as a process of its own. */
export interface ObserverProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Standard output so far. */
  out(): string;
  /** Standard error so far. */
  log(): string;
  events(): readonly { readonly type: string }[];
}

/**
 * Resolves when it has started. `fd` is handed over as systemd does it (sd_listen_fds(3)). `wrapper` starts the
 * observer, and becomes it by exec.
 */
export async function startObserverProcess(
  flags: readonly string[],
  fd?: number,
  wrapper: readonly string[] = [],
): Promise<ObserverProcess> {
  const script = `${fd === undefined ? '' : 'LISTEN_FDS=1 LISTEN_PID=$$ '}exec "$@"`;
  const stdio = ['ignore' as const, 'pipe' as const, 'pipe' as const, ...(fd === undefined ? [] : [fd])];
  const child = spawn('/bin/sh', ['-c', script, 'sh', ...wrapper, adit, 'observer', ...flags], { stdio });
  let [out, log] = ['', ''];
  child.stdout?.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr?.on('data', (data: Buffer) => (log += data.toString()));
  await until(() => {
    if (hasEnded(child)) throw new Error(log);
    return log.includes('observer started');
  });
  const lines = (): readonly string[] => out.split('\n').slice(0, -1);
  return {
    child,
    out: () => out,
    log: () => log,
    events: () => lines().map((line) => JSON.parse(line) as { readonly type: string }),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => void child.once('exit', resolve));
      if (hasEnded(child)) return;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Its loop's watchdog may have ended it with a signal on a busy machine. */
function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
