import type { LegView, NodeView, TunnelView, WhyFinding } from '../fleet.ts';

const roleNames: Readonly<Record<LegView['role'], string>> = {
  ingress: 'source',
  egress: 'destination',
  relay: 'relay',
  secondary_relay: 'second relay',
  flow: 'flow',
};

/** Why a tunnel carries nothing, in words, the gravest first; that all is well when it is. */
export function explainTunnel(tunnel: TunnelView, nodes: readonly NodeView[]): readonly WhyFinding[] {
  const nodeOf = new Map(nodes.map((node) => [node.id, node]));
  const findings = [...ofTunnel(tunnel), ...tunnel.legs.flatMap((leg) => ofLeg(leg, nodeOf.get(leg.node_id)))];
  findings.push(...ofRunning(tunnel, nodeOf));
  if (findings.length === 0) {
    findings.push(finding('good', 'Every part is in place, and both ends say that the tunnel is ready.', null, null));
  }
  const order = { problem: 0, note: 1, good: 2 };
  return findings.toSorted((a, b) => order[a.level] - order[b.level]);
}

function ofTunnel({
  removed_at: removedAt,
  paused_at: pausedAt,
  keys_unknown_at: unknownAt,
}: TunnelView): WhyFinding[] {
  if (removedAt !== null) return [finding('problem', 'This tunnel was removed.', 'restore it', null)];
  return [
    ...(pausedAt === null ? [] : [finding('problem', 'This tunnel is paused.', 'resume it', null)]),
    ...(unknownAt === null
      ? []
      : [finding('problem', 'The manager does not know the keys of this tunnel.', 'regenerate its keys', null)]),
  ];
}

function ofLeg(leg: LegView, node: NodeView | undefined): WhyFinding[] {
  const name = node?.name ?? leg.node_id;
  const role = roleNames[leg.role];
  if (leg.want === 'absent') {
    return [finding('note', `${name} has not confirmed yet that it forgot its part (${role}).`, null, leg.node_id)];
  }
  const findings: WhyFinding[] = [];
  if (node !== undefined && node.state !== 'online') {
    const text = `${name} (${role}) is not connected to the manager.`;
    findings.push(finding('problem', text, 'look whether it runs and reaches the manager', leg.node_id));
  }
  if (leg.push_status === 'failed') {
    const text = `${name} (${role}) refused its part: ${leg.push_error ?? 'no reason given'}.`;
    findings.push(finding('problem', text, 'mend what it says, then retry', leg.node_id));
  } else if (leg.push_status !== 'pushed' && node?.state === 'online') {
    findings.push(finding('note', `${name} (${role}) is about to get its part.`, null, leg.node_id));
  }
  return findings;
}

function ofRunning(tunnel: TunnelView, nodeOf: ReadonlyMap<string, NodeView>): WhyFinding[] {
  if (tunnel.status !== 'active') return [];
  const ends = [
    { id: tunnel.source_node_id, state: tunnel.running.source, role: 'source' },
    { id: tunnel.destination_node_id, state: tunnel.running.destination, role: 'destination' },
  ];
  return ends.flatMap(({ id, state, role }) => {
    const name = nodeOf.get(id)?.name ?? id;
    if (state === 'ready') return [];
    if (state === 'unknown')
      return [finding('note', `${name} (${role}) has not reported the tunnel lately.`, null, id)];
    const text = `${name} (${role}) has its part, but says that the tunnel is ${state}.`;
    return [finding('problem', text, `run adit why on ${name}`, id)];
  });
}

function finding(level: WhyFinding['level'], text: string, remedy: string | null, nodeId: string | null): WhyFinding {
  return { level, text, remedy, node_id: nodeId };
}
