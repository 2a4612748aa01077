import { z } from 'zod';
import type { Counters } from '../slots/counters.ts';

const count = z.int().min(0);
const text = z.string();

/** The answers of an observer's REST API (docs/observer.md §7). u64 values are decimal text. */
export const agentSchema = z.object({
  pid: count,
  label: text.nullable(),
  status: z.enum(['Ok', 'Degraded', 'Critical']),
  stalled: z.boolean(),
  /** /proc has no such process any more. */
  exited: z.boolean(),
  payload: count,
  nonce: text,
  silent_ms: z.number().min(0),
  origin: z.enum(['KernelAttested', 'OperatorAttestedTransport', 'NetworkUnverified', 'SocketModeOnly']),
  pid_ns_inode: text.nullable(),
  beats: count,
  stalls: count,
});

const dropReasons = [
  ...(['auth-failure', 'namespace', 'origin', 'out-of-order', 'pid-above-max', 'rate-global'] as const),
  ...(['rate-pid', 'table-full', 'uid-not-allowed'] as const),
] as const;

/** What explains why a pid is silent. */
export const agentFactsSchema = z.object({
  pid: count,
  threshold_ms: count,
  /** Null for a pid that never had a beat accepted, or made room. */
  agent: agentSchema.nullable(),
  exists: z.boolean(),
  /** The last beat of this pid that was not accepted. */
  last_drop: z.object({ reason: z.enum(dropReasons), ago_ms: z.number().min(0), count }).nullable(),
  socket: text.nullable(),
});

export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  reasons: z.array(text).readonly(),
  version: text,
  uptime_secs: z.number().min(0),
  /** Differs from the answers of other programs. */
  watched_pids: count,
  silent_pids: count,
  api_addr: text.nullable(),
});

/** What a manager gets every second. */
export interface ObserverStats {
  readonly uptime_secs: number;
  /** The name of the machine whose processes these are. */
  readonly host: string;
  readonly watched: number;
  /** The first 256 of them. */
  readonly agents: readonly AgentReport[];
  readonly counters: Counters;
  /** Recovery commands by how they ended. */
  readonly recovery: Readonly<Record<string, number>>;
}

export type AgentReport = z.output<typeof agentSchema>;
export type AgentFacts = z.output<typeof agentFactsSchema>;
export type ObserverHealth = z.output<typeof healthSchema>;
