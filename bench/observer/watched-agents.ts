import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../test/soak/agents.py', import.meta.url));

export interface AgentLoad {
  /** `unix:PATH` or `udp:PORT`. */
  readonly target: string;
  readonly count: number;
  /** Beats a second of each; 0 sends without pause. */
  readonly rate: number;
  readonly seconds: number;
}

/** What the agents say of themselves. */
export interface AgentTotals {
  readonly sent: number;
  readonly refused: number;
  /** The longest time that any of them had between two beats that the kernel took. */
  readonly longestMs: number;
  /** The same of each, by its pid. */
  readonly longestMsOf: ReadonlyMap<number, number>;
}

/** Runs agents, each a process of its own (Python: 200 of Node's would not fit), until they end. */
export async function runAgents({ target, count, rate, seconds }: AgentLoad): Promise<AgentTotals> {
  const args = [script, target, String(count), String(rate), String(seconds)];
  const child = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const totals = { sent: 0, refused: 0, longestMs: 0, longestMsOf: new Map<number, number>() };
  for await (const line of createInterface({ input: child.stdout })) {
    const report = JSON.parse(line) as { pid: number; sent: number; refused: number; longest_ms: number };
    totals.sent += report.sent;
    totals.refused += report.refused;
    totals.longestMs = Math.max(totals.longestMs, report.longest_ms);
    totals.longestMsOf.set(report.pid, report.longest_ms);
  }
  const { size } = totals.longestMsOf;
  if (size !== count) throw new Error(`${size} of ${count} agents reported`);
  return totals;
}
