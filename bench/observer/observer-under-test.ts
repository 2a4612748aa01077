import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Child } from '../child.ts';

/** A program that watches beats: ours, or varta-watch. */
export interface ObserverProgram {
  readonly name: string;
  readonly description: string;
  readonly command: string;
  /** Before the flags, which both programs share. */
  readonly args: readonly string[];
}

const adit = fileURLToPath(new URL('../../bin/adit', import.meta.url));

/** `varta` is the path of varta-watch 0.2.0, or null; bench/README.md says how it is built. */
export function observerPrograms(varta: string | null): readonly ObserverProgram[] {
  const ours = { name: 'adit', description: 'this repository', command: adit, args: ['observer', '--print', 'none'] };
  if (varta === null) return [ours];
  return [ours, { name: 'varta-watch', description: 'varta-watch 0.2.0', command: varta, args: [] }];
}

export interface RunningObserver extends AsyncDisposable {
  readonly pid: number;
  readonly socket: string;
  /** Ends it in good order, so that its export file is whole, and reads that. */
  finish(): Promise<readonly ExportLine[]>;
}

/** A line of the export file. */
export interface ExportLine {
  readonly ns: number;
  readonly kind: string;
  readonly pid: number;
}

const endDeadlineMs = 30_000;
/** The socket is there a moment before everything else is. */
const settleMs = 1000;
const pollMs = 20;

/** Starts one with further flags; `exports` has it write an export file. */
export async function startObserver(
  program: ObserverProgram,
  folder: string,
  options: { readonly flags: readonly string[]; readonly exports: boolean },
): Promise<RunningObserver> {
  const own = mkdtempSync(join(folder, 'observer-'));
  const [socket, exported] = [join(own, 'o.sock'), join(own, 'tsv')];
  const token = join(own, 'token');
  writeFileSync(token, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  // As they run in earnest: metrics cost varta-watch more than half of its time a beat.
  const metrics = ['--prom-addr', `127.0.0.1:${await freeTcpPort()}`, '--prom-token-file', token];
  const exportFlags = options.exports ? ['--export-file', exported] : [];
  const child = new Child({
    name: program.name,
    command: program.command,
    args: [...program.args, '--socket', socket, ...options.flags, ...metrics, ...exportFlags],
    logPath: join(own, 'log'),
  });
  await child.has(() => (existsSync(socket) ? true : null), 'make its socket');
  const settledMs = performance.now() + settleMs;
  await child.has(() => (performance.now() > settledMs ? true : null), 'stay');
  return {
    pid: child.pid,
    socket,
    async finish() {
      process.kill(child.pid, 'SIGTERM');
      await waitFor(() => !isRunning(child.pid), `${program.name} ends`);
      return readFileSync(exported, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map(toLine);
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

async function freeTcpPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function toLine(line: string): ExportLine {
  const [ns, kind = '', pid] = line.split('\t');
  return { ns: Number(ns), kind, pid: Number(pid) };
}

function isRunning(pid: number): boolean {
  // A zombie has ended.
  const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : ') Z';
  return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z');
}

async function waitFor(condition: () => boolean, what: string): Promise<void> {
  const deadlineMs = performance.now() + endDeadlineMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
