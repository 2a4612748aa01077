import type { AgentFacts } from '../../observer/admin/observer-schemas.ts';
import { good, note, problem, type Finding } from './finding.ts';

type Reason = NonNullable<AgentFacts['last_drop']>['reason'];

/** Why a beat was not accepted, and what helps. */
const drops: Readonly<Record<Reason, readonly [text: string, remedy: string]>> = {
  'auth-failure': [
    'a beat named this pid and came from another process',
    'a process must beat with its own pid; after a fork the child needs a client of its own',
  ],
  namespace: [
    'a beat came from another PID namespace',
    'run the agent in the namespace of the observer, or set allow_cross_namespace_agents',
  ],
  origin: [
    'the pid belongs to another way in (UNIX socket or UDP)',
    'stop the other sender, or set origin_policy to stronger',
  ],
  'out-of-order': [
    'its nonce did not grow',
    'two clients in one process share a pid: use one; over UDP a restarted client needs another pid',
  ],
  'pid-above-max': ['the kernel gives no such pid', 'look at what the agent sends as its pid'],
  'rate-global': ['all agents together beat more often than global_beat_rate', 'raise it, or beat less often'],
  'rate-pid': ['it beats more often than max_beat_rate', 'raise it, or beat less often'],
  'table-full': ['there was no room for another pid', 'raise tracker_capacity, at most 4096'],
  'uid-not-allowed': ['its user is not in allowed_uids', 'add the user, and let it write to the socket (socket_mode)'],
};

/** Explains why a pid is silent, or that it is not. Pure. */
export function explainAgent(facts: AgentFacts): readonly Finding[] {
  const { agent, last_drop: drop } = facts;
  return [...stateOf(facts), ...(drop === null ? [] : [dropFinding(drop, agent?.silent_ms ?? null)])];
}

function stateOf({
  pid,
  agent,
  exists,
  threshold_ms: thresholdMs,
  socket,
  last_drop: drop,
}: AgentFacts): readonly Finding[] {
  if (agent === null) {
    if (!exists) return [problem('No process has this pid, and none has beaten with it.', 'look up the pid again')];
    if (drop !== null) return [problem('No beat of it was ever accepted.', 'see below')];
    const place = socket ?? 'the UDP port of the observer';
    return [problem('It has never beaten here.', `let pid ${pid} beat to ${place}, as the same user as the observer`)];
  }
  if (agent.exited) {
    return [problem(`The process has ended; its last beat came ${seconds(agent.silent_ms)} ago.`, 'start it again')];
  }
  if (agent.silent_ms >= thresholdMs) {
    const [silence, threshold] = [seconds(agent.silent_ms), seconds(thresholdMs)];
    const text = `It lives and has not beaten for ${silence}; the threshold is ${threshold}.`;
    return [
      problem(text, 'it hangs, or its socket is gone: a varta client finds a new one only with set_reconnect_after'),
    ];
  }
  const beats = good(`It beats: the last one came ${seconds(agent.silent_ms)} ago, ${agent.beats} in all.`);
  return agent.status === 'Ok' ? [beats] : [beats, note(`It says of itself that it is ${agent.status}.`)];
}

function dropFinding(
  { reason, ago_ms: agoMs, count }: NonNullable<AgentFacts['last_drop']>,
  silentMs: number | null,
): Finding {
  const [text, remedy] = drops[reason];
  const times = count === 1 ? '' : ` (${count} in a row)`;
  const sentence = `A beat was dropped ${seconds(agoMs)} ago${times}: ${text}.`;
  return silentMs === null || agoMs < silentMs ? problem(sentence, remedy) : note(sentence, remedy);
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
