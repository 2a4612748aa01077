import { isDeepStrictEqual } from 'node:util';
import type { ReloadOutcome } from '../config/config-reload.ts';
import type { EdgeConfig } from './config/edge-config.ts';
import type { Edge } from './edge.ts';
import type { Flows } from './flows/flows.ts';

/**
 * What the keys of the config are called in the file; `tunnels`, `flows` and `logLevel` are not here: they need no
 * restart.
 */
const restartKeys: Readonly<Record<Exclude<keyof EdgeConfig, 'tunnels' | 'flows' | 'logLevel'>, string>> = {
  edgeId: 'edge_id',
  quic: 'quic',
  maxConnectionsPerTunnel: 'max_connections_per_tunnel',
  requireBindProof: 'require_bind_proof',
  manager: 'manager',
  credentialsPath: 'credentials_path',
  apiAddr: 'api_addr',
  apiToken: 'api_token',
  jsonLogTarget: 'logging.json_target',
  stateDir: 'state_dir',
  observer: 'observer',
};

/**
 * Brings a running edge in line with a config that was read again; tunnels that are the same go on undisturbed. A
 * tunnel or flow that cannot have its address is as before, and among `failed`.
 */
export async function reloadEdge(
  edge: Pick<Edge, 'tunnels' | 'putTunnels' | 'removeTunnel' | 'flows'>,
  current: EdgeConfig,
  next: EdgeConfig,
): Promise<ReloadOutcome> {
  const [before, after] = [current.manager?.certFingerprints ?? [], pinsAfter(current, next)];
  const lists = await reloadLists(edge, next);
  const applied = [
    ...(current.logLevel === next.logLevel ? [] : ['log_level']),
    ...(isDeepStrictEqual(before, after) ? [] : ['manager.cert_fingerprint']),
    ...lists.applied,
  ];
  const renewed = { ...current, manager: current.manager && { ...current.manager, certFingerprints: after } };
  const keys = Object.entries(restartKeys).filter(([key]) => {
    return !isDeepStrictEqual(renewed[key as keyof EdgeConfig], next[key as keyof EdgeConfig]);
  });
  return { applied, needsRestart: keys.map(([, name]) => name), failed: lists.failed };
}

/**
 * The pins of the manager's certificate once `next` is in force. The link to a manager that is gone from the file runs
 * until a restart, and so do its pins.
 */
export function pinsAfter(current: Pick<EdgeConfig, 'manager'>, next: Pick<EdgeConfig, 'manager'>): readonly string[] {
  const { manager } = next.manager?.enabled === true ? next : current;
  return manager?.certFingerprints ?? [];
}

/** Brings tunnels and flows in line with `next`, as `reloadEdge` does. Rejects once the edge has stopped. */
export async function reloadLists(
  edge: Pick<Edge, 'tunnels' | 'putTunnels' | 'removeTunnel' | 'flows'>,
  next: Pick<EdgeConfig, 'tunnels' | 'flows'>,
): Promise<Required<Pick<ReloadOutcome, 'applied' | 'failed'>>> {
  const applied: string[] = [];
  const failed: string[] = [];
  // Removed first: a new tunnel may want the address of one that goes.
  for (const { id, name } of edge.tunnels()) {
    if (next.tunnels.some((tunnel) => tunnel.id === id)) continue;
    await edge.removeTunnel(id);
    applied.push(`tunnel '${name}' removed`);
  }
  const outcomes = await edge.putTunnels(next.tunnels);
  for (const [index, outcome] of outcomes.entries()) {
    const tunnel = `tunnel '${next.tunnels[index]?.name ?? ''}'`;
    if (outcome.kind === 'applied') applied.push(tunnel);
    if (outcome.kind === 'port-conflict') failed.push(`${tunnel}: ${outcome.error}`);
  }
  failed.push(...(await reloadFlows(edge.flows, next, applied)));
  return { applied, failed };
}

/** As for tunnels; returns why flows could not start. What was done goes into `applied`. */
async function reloadFlows(
  flows: Pick<Flows, 'list' | 'put' | 'remove'>,
  next: Pick<EdgeConfig, 'flows'>,
  applied: string[],
): Promise<string[]> {
  const failed: string[] = [];
  for (const { id } of flows.list()) {
    if (next.flows.some((flow) => flow.id === id)) continue;
    await flows.remove(id);
    applied.push(`flow '${id}' removed`);
  }
  for (const flow of next.flows) {
    const outcome = await flows.put(flow);
    if (outcome.kind === 'applied') applied.push(`flow '${flow.id}'`);
    if (outcome.kind === 'failed') failed.push(`flow '${flow.id}': ${outcome.error}`);
  }
  return failed;
}
