import type { WatchState } from '../beat-watch.ts';
import type { Slot } from '../slots/slot.ts';
import type { AgentFacts, AgentReport } from './observer-schemas.ts';

/** A slot for people and machines. `label` and `exited` are looked up now. */
export function agentReport(slot: Slot, state: WatchState, label: string | null): AgentReport {
  return {
    pid: slot.pid,
    label,
    status: slot.status,
    stalled: slot.stalled,
    exited: slot.origin === 'KernelAttested' && hasExited(slot, state),
    payload: slot.payload,
    nonce: String(slot.nonce),
    silent_ms: Math.max(0, Math.round((state.nowNs - slot.lastNs) / 1e6)),
    origin: slot.origin,
    pid_ns_inode: slot.nsInode === null ? null : String(slot.nsInode),
    beats: slot.beats,
    stalls: slot.stalls,
  };
}

export function agentFacts(
  pid: number,
  state: WatchState,
  about: { readonly label: string | null; readonly thresholdMs: number; readonly socket: string | null },
): AgentFacts {
  const slot = state.slots.find((each) => each.pid === pid);
  const drop = state.drops.get(pid);
  return {
    pid,
    threshold_ms: about.thresholdMs,
    agent: slot === undefined ? null : agentReport(slot, state, about.label),
    exists: state.facts.startTimeOf(pid) !== null,
    last_drop:
      drop === null
        ? null
        : { reason: drop.reason, ago_ms: Math.round((state.nowNs - drop.lastNs) / 1e6), count: drop.count },
    socket: about.socket,
  };
}

/** Gone, or another process under the same pid. */
function hasExited(slot: Slot, { facts }: WatchState): boolean {
  const startTime = facts.startTimeOf(slot.pid);
  return startTime === null || (slot.startTime !== null && startTime !== slot.startTime);
}
