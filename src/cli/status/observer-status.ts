import type { AgentReport, ObserverHealth } from '../../observer/admin/observer-schemas.ts';
import { durationWords } from '../why/time-words.ts';
import { renderTable, type Column } from './table.ts';

export interface ObserverStatus {
  readonly url: string;
  readonly health: ObserverHealth;
  readonly agents: readonly AgentReport[];
}

const columns: readonly Column[] = [
  { title: 'PID' },
  { title: 'LABEL' },
  { title: 'STATE' },
  { title: 'STATUS' },
  { title: 'SILENT', leaves: 6 },
  { title: 'PAYLOAD', leaves: 3 },
  { title: 'NONCE', leaves: 4 },
  { title: 'BEATS', leaves: 2 },
  { title: 'STALLS', leaves: 5 },
  { title: 'ORIGIN', leaves: 1 },
  { title: 'NAMESPACE', leaves: 0 },
];

/** An observer at a glance: one line about it, then a line for each pid, silent ones first. */
export function renderObserverStatus({ url, health, agents }: ObserverStatus, width?: number): string {
  const summary = [
    `observer ${health.version} at ${url}`,
    ...health.reasons.map((reason) => `${health.status === 'ok' ? 'attention' : 'degraded'}: ${reason}`),
    ...(health.status === 'ok' ? ['ok'] : []),
    `up ${durationWords(health.uptime_secs)}`,
    `${health.silent_pids} of ${health.watched_pids} silent`,
  ].join(', ');
  if (agents.length === 0) return `${summary}\nnothing has beaten yet\n`;
  const ordered = agents.toSorted((a, b) => Number(b.stalled) - Number(a.stalled) || a.pid - b.pid);
  return `${summary}\n${renderTable(columns, ordered.map(row), width)}`;
}

function row(agent: AgentReport): string[] {
  const state = agent.stalled ? (agent.exited ? 'ended' : 'silent') : 'beats';
  return [
    ...[String(agent.pid), agent.label ?? '', state, agent.status, `${agent.silent_ms} ms`, String(agent.payload)],
    ...[agent.nonce, String(agent.beats), String(agent.stalls), agent.origin, agent.pid_ns_inode ?? ''],
  ];
}
