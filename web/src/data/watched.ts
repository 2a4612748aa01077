import type { AgentReport } from './shapes.ts';

/** What an observer's stats say of the processes of its host. */
export interface Watched {
  readonly host: string;
  /** More than `agents` where it watches more than it lists. */
  readonly count: number;
  readonly agents: readonly AgentReport[];
}

/** Reads the stats of a node that says it is an observer; what it cannot have sent is left out. */
export function readWatched(stats: Readonly<Record<string, unknown>> | null): Watched | null {
  if (stats === null) return null;
  const { host, watched, agents } = stats;
  const listed = Array.isArray(agents) ? agents.filter(isAgent) : [];
  return {
    host: typeof host === 'string' ? host : 'its host',
    count: typeof watched === 'number' ? watched : listed.length,
    agents: listed,
  };
}

const statuses: ReadonlySet<unknown> = new Set<AgentReport['status']>(['Ok', 'Degraded', 'Critical']);

function isAgent(value: unknown): value is AgentReport {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, label, status, silent_ms, beats, stalls } = value as Readonly<Record<string, unknown>>;
  const numbers = [pid, silent_ms, beats, stalls].every((each) => typeof each === 'number');
  return numbers && statuses.has(status) && (label === null || typeof label === 'string');
}
