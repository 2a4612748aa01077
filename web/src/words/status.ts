import type {
  AgentReport,
  DriftRow,
  LegRow,
  NodeState,
  PushStatus,
  RunningState,
  Severity,
  TunnelStatus,
} from '../data/shapes.ts';
import type { FlowStats } from '../data/flow-stats.ts';
import type { IconName } from '../parts/icon.tsx';

export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'idle' | 'info';

/** One look for one state everywhere: a colour, a sign and a word. */
export interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

export const nodeLooks: Readonly<Record<NodeState, Look>> = {
  online: { tone: 'ok', icon: 'check', word: 'Online' },
  reconnecting: { tone: 'warn', icon: 'sync', word: 'Reconnecting' },
  offline: { tone: 'bad', icon: 'cross', word: 'Offline' },
  never: { tone: 'idle', icon: 'dot', word: 'Never connected' },
  disabled: { tone: 'idle', icon: 'pause', word: 'Disabled' },
  expired: { tone: 'warn', icon: 'clock', word: 'Expired' },
};

export const pushLooks: Readonly<Record<PushStatus, Look>> = {
  pushed: { tone: 'ok', icon: 'check', word: 'Pushed' },
  pushing: { tone: 'busy', icon: 'sync', word: 'Pushing' },
  pending: { tone: 'warn', icon: 'clock', word: 'Pending' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
};

/** As an edge judges its flow: all well, an output or packets missing, nothing comes in, it cannot run. */
export const flowHealthLooks: Readonly<Record<FlowStats['health'], Look>> = {
  Healthy: { tone: 'ok', icon: 'check', word: 'Healthy' },
  Warning: { tone: 'warn', icon: 'clock', word: 'Warning' },
  Error: { tone: 'bad', icon: 'cross', word: 'Nothing comes in' },
  Critical: { tone: 'bad', icon: 'cross', word: 'Does not run' },
};

export const runningLooks: Readonly<Record<RunningState, Look>> = {
  ready: { tone: 'ok', icon: 'pulse', word: 'Running' },
  waiting: { tone: 'warn', icon: 'clock', word: 'Waiting' },
  connecting: { tone: 'warn', icon: 'sync', word: 'Connecting' },
  stopped: { tone: 'idle', icon: 'pause', word: 'Stopped' },
  down: { tone: 'bad', icon: 'cross', word: 'Down' },
  unknown: { tone: 'idle', icon: 'question', word: 'Not reported' },
};

export const tunnelLooks: Readonly<Record<TunnelStatus, Look>> = {
  active: { tone: 'ok', icon: 'check', word: 'Pushed' },
  pending: { tone: 'warn', icon: 'clock', word: 'Pending' },
  failed: { tone: 'bad', icon: 'cross', word: 'Failed' },
  removing: { tone: 'busy', icon: 'sync', word: 'Removing' },
  paused: { tone: 'idle', icon: 'pause', word: 'Paused' },
  removed: { tone: 'idle', icon: 'trash', word: 'Removed' },
};

export const severityLooks: Readonly<Record<Severity, Look>> = {
  info: { tone: 'info', icon: 'info', word: 'Info' },
  warning: { tone: 'warn', icon: 'warning', word: 'Warning' },
  critical: { tone: 'bad', icon: 'critical', word: 'Critical' },
};

const beatLooks: Readonly<Record<AgentReport['status'], Look>> = {
  Ok: { tone: 'ok', icon: 'check', word: 'Ok' },
  Degraded: { tone: 'warn', icon: 'warning', word: 'Degraded' },
  Critical: { tone: 'bad', icon: 'critical', word: 'Critical' },
};
const silentLook: Look = { tone: 'bad', icon: 'cross', word: 'Silent' };

/** Of a process that an observer watches. */
export function agentLook({ stalled, status }: Pick<AgentReport, 'stalled' | 'status'>): Look {
  return stalled ? silentLook : beatLooks[status];
}

export const driftLooks: Readonly<Record<DriftRow['kind'], Look>> = {
  extraneous: { tone: 'info', icon: 'plus', word: 'Only on the node' },
  missing: { tone: 'warn', icon: 'minus', word: 'Missing on the node' },
  mismatched: { tone: 'warn', icon: 'differs', word: 'Differs' },
};

export const legRoles: Readonly<Record<LegRow['role'], string>> = {
  ingress: 'Source',
  egress: 'Destination',
  relay: 'Relay',
  secondary_relay: 'Second relay',
  flow: 'Flow',
};

const worstFirst: readonly RunningState[] = ['down', 'connecting', 'waiting', 'unknown', 'stopped', 'ready'];

/** The worse of both sides: a tunnel runs only as well as that. */
export function overallRunning({
  source,
  destination,
}: {
  source: RunningState;
  destination: RunningState;
}): RunningState {
  return worstFirst.find((state) => state === source || state === destination) ?? 'unknown';
}
