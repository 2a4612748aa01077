import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../lib/app-error.ts';
import type { ReloadOutcome } from '../config/config-reload.ts';
import type { EdgeConfig } from './config/edge-config.ts';
import type { Edge } from './edge.ts';

/** What the keys of the config are called in the file; `tunnels` and `logLevel` are not here, for they need no restart. */
const restartKeys: Readonly<Record<Exclude<keyof EdgeConfig, 'tunnels' | 'logLevel'>, string>> = {
  edgeId: 'edge_id',
  quic: 'quic',
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
 * Brings a running edge in line with a config that was read again; tunnels that are the same go on undisturbed. Rejects
 * with AppError `address-unavailable` when a tunnel cannot have its address; the other tunnels are in place then.
 */
export async function reloadEdge(
  edge: Pick<Edge, 'tunnels' | 'putTunnel' | 'removeTunnel'>,
  current: EdgeConfig,
  next: EdgeConfig,
): Promise<ReloadOutcome> {
  const applied: string[] = current.logLevel === next.logLevel ? [] : ['log_level'];
  const conflicts: string[] = [];
  // Removed first: a new tunnel may want the address of one that goes.
  for (const { id, name } of edge.tunnels()) {
    if (next.tunnels.some((tunnel) => tunnel.id === id)) continue;
    await edge.removeTunnel(id);
    applied.push(`tunnel '${name}' removed`);
  }
  for (const tunnel of next.tunnels) {
    const outcome = await edge.putTunnel(tunnel);
    if (outcome.kind === 'applied') applied.push(`tunnel '${tunnel.name}'`);
    if (outcome.kind === 'port-conflict') conflicts.push(outcome.error);
  }
  if (conflicts.length > 0) throw new AppError('address-unavailable', conflicts.join('; '));
  const keys = Object.entries(restartKeys).filter(([key]) => {
    return !isDeepStrictEqual(current[key as keyof EdgeConfig], next[key as keyof EdgeConfig]);
  });
  return { applied, needsRestart: keys.map(([, name]) => name) };
}
