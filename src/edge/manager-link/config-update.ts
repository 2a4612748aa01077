import type { ConfigFile } from '../../config/config-file.ts';
import { formatProblem } from '../../config/config-problem.ts';
import { asJsonObject } from '../../lib/json.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import { parseEdgeConfig } from '../config/edge-config.ts';
import { reloadLists } from '../edge-reload.ts';
import type { Edge } from '../edge.ts';
import { storedChange } from './stored-change.ts';
import type { StoredEntry } from './stored-entries.ts';

export interface ConfigUpdateDependencies {
  readonly edge: Pick<Edge, 'tunnels' | 'putTunnels' | 'removeTunnel' | 'flows' | 'events'>;
  readonly configFile: ConfigFile;
}

export interface ConfigUpdateSettings {
  /** Relative paths start here. */
  readonly directory: string;
}

/**
 * The command `update_config`: flows and tunnels become those of the manager's config. Everything else of the file is
 * the operator's and stays, the node's own secrets above all.
 */
export class ConfigUpdate {
  readonly #dependencies: ConfigUpdateDependencies;
  readonly #settings: ConfigUpdateSettings;

  constructor(dependencies: ConfigUpdateDependencies, settings: ConfigUpdateSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  async execute(config: StoredEntry): Promise<CommandOutcome> {
    const { edge, configFile } = this.#dependencies;
    const content = asJsonObject(await configFile.read()) ?? {};
    const lists = {
      tunnels: config['tunnels'] ?? content['tunnels'] ?? [],
      flows: config['flows'] ?? content['flows'] ?? [],
    };
    const parsed = parseEdgeConfig({ ...content, ...lists }, { ...this.#settings, hostname: 'edge' });
    if (parsed.kind === 'invalid') {
      const error = parsed.problems.map(formatProblem).join('. ');
      return { success: false, error, error_code: 'validation_error' };
    }
    return storedChange(
      edge,
      () =>
        configFile.change(() => [
          { path: ['tunnels'], value: lists.tunnels },
          { path: ['flows'], value: lists.flows },
        ]),
      async () => {
        const { failed } = await reloadLists(edge, parsed.config);
        if (failed.length === 0) return { success: true };
        return { success: false, error: failed.join('; '), error_code: 'port_conflict' };
      },
    );
  }
}
