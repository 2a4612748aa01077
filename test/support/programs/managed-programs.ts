import type { EdgeProgram } from '../../../src/edge/edge-program.ts';
import type { RelayProgram } from '../../../src/relay/relay-program.ts';
import { runEdge, runRelay, type ConfigKeys, type RunningProgram } from './running-programs.ts';
import type { TestManager } from '../peers/test-manager.ts';
import { hastyRandom } from './test-node-link.ts';

export interface ManagedProgramOptions {
  readonly manager: TestManager;
  readonly nodeId: string;
  /** Further keys of the config file. */
  readonly config?: ConfigKeys;
}

/** The whole relay program with real files, known to the manager under this id. */
export function startManagedRelay(options: ManagedProgramOptions): Promise<RunningProgram & RelayProgram> {
  return runRelay({ ...options.config, manager: linkOf(options) }, hastyRandom);
}

/** The whole edge program with real files. */
export function startManagedEdge(options: ManagedProgramOptions): Promise<RunningProgram & EdgeProgram> {
  const own = { edge_id: options.nodeId, tunnels: [], ...options.config };
  return runEdge({ ...own, manager: linkOf(options) }, hastyRandom);
}

function linkOf({ manager, nodeId }: ManagedProgramOptions): object {
  const secret = `secret of ${nodeId}`;
  manager.secrets.set(nodeId, new Set([secret]));
  return manager.configFor({ node_id: nodeId, node_secret: secret });
}
