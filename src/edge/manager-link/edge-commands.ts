import { isDeepStrictEqual } from 'node:util';
import { formatProblem } from '../../config/config-problem.ts';
import { parseEdgeAction } from '../../protocol/node/edge-command.ts';
import type { CommandAction } from '../../protocol/node/node-command.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import type { TunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { parseTunnel } from '../config/edge-config.ts';
import type { Edge } from '../edge.ts';
import type { TunnelSettings } from '../config/tunnel-config.ts';
import type { FlowCommands } from './flow-commands.ts';
import { storedChange } from './stored-change.ts';
import type { StoredEntries, StoredEntry } from './stored-entries.ts';

export interface EdgeCommandsDependencies {
  readonly edge: Pick<Edge, 'putTunnel' | 'removeTunnel' | 'tunnels' | 'stats' | 'events'>;
  /** The tunnels of edge.json. */
  readonly stored: StoredEntries;
  readonly flows: FlowCommands;
  /** The whole config of a manager in place of ours; see `ConfigUpdate`. */
  readonly updateConfig: (config: StoredEntry) => Promise<CommandOutcome>;
}

export interface EdgeCommandsSettings {
  /** Relative paths in tunnels start here. */
  readonly directory: string;
  readonly requireBindProof: boolean;
}

const done: CommandOutcome = { success: true };

/** The commands of a manager to an edge (docs/protocol/manager.md §9). A change is on disk before it takes effect. */
export class EdgeCommands {
  readonly #dependencies: EdgeCommandsDependencies;
  readonly #settings: EdgeCommandsSettings;

  constructor(dependencies: EdgeCommandsDependencies, settings: EdgeCommandsSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** Rejects with an AppError `closed` once the edge has stopped. */
  async execute(action: CommandAction): Promise<CommandOutcome> {
    const parsed = parseEdgeAction(action);
    if (parsed.kind === 'refused') return { success: false, error: parsed.error, error_code: parsed.error_code };
    switch (parsed.action.type) {
      case 'create_tunnel':
        return this.#create(parsed.action.tunnel);
      case 'delete_tunnel':
        return this.#delete(parsed.action.tunnel_id);
      case 'list_tunnels':
        return { success: true, data: this.#dependencies.edge.stats().tunnels };
      case 'update_config':
        return this.#dependencies.updateConfig(parsed.action.config);
      default:
        return this.#dependencies.flows.execute(parsed.action);
    }
  }

  async #create(entry: StoredEntry): Promise<CommandOutcome> {
    const parsed = parseTunnel(entry, this.#settings);
    if (parsed.kind === 'invalid') {
      const error = parsed.problems.map(formatProblem).join('. ');
      return { success: false, error, error_code: 'validation_error' };
    }
    const { tunnel, ignoredKeys } = parsed;
    const outcome = this.#find(tunnel.id, tunnel)
      ? done
      : await storedChange(
          this.#dependencies.edge,
          () => this.#dependencies.stored.put(tunnel.id, parsed.entry),
          (previous) => this.#put(tunnel, previous),
        );
    // A key that has no effect is named: an acknowledgement without it would claim more than is done.
    return outcome.success && ignoredKeys.length > 0 ? { ...outcome, data: { ignored_keys: ignoredKeys } } : outcome;
  }

  async #put(tunnel: TunnelSettings, previous: StoredEntry | null): Promise<CommandOutcome> {
    const { edge, stored } = this.#dependencies;
    const outcome = await edge.putTunnel(tunnel);
    if (outcome.kind !== 'port-conflict') return done;
    if (previous === null) await stored.remove(tunnel.id);
    else await stored.put(tunnel.id, previous);
    return { success: false, error: outcome.error, error_code: 'port_conflict' };
  }

  async #delete(id: TunnelId): Promise<CommandOutcome> {
    const { edge, stored } = this.#dependencies;
    if (!this.#find(id)) return done;
    return storedChange(
      this.#dependencies.edge,
      () => stored.remove(id),
      async () => {
        await edge.removeTunnel(id);
        return done;
      },
    );
  }

  /** Whether the edge has the tunnel, with exactly these settings where they are given. */
  #find(id: TunnelId, settings?: TunnelSettings): boolean {
    const found = this.#dependencies.edge.tunnels().find((tunnel) => tunnel.id === id);
    return found !== undefined && (settings === undefined || isDeepStrictEqual(found, settings));
  }
}
