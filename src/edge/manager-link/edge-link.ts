import { dirname } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { ConfigFile, realConfigFileSystem } from '../../config/config-file.ts';
import { defaultJournalCapBytes } from '../../node-link/journal/event-journal.ts';
import { realJournalFiles } from '../../node-link/journal/journal-files.ts';
import type { ManagerSettings } from '../../node-link/manager-config.ts';
import { wsDialler } from '../../node-link/link/ws-dialler.ts';
import { NodeLink } from '../../node-link/node-link.ts';
import type { NodeProgram } from '../../node-link/node-program.ts';
import type { EdgeHealth } from '../../protocol/node/edge-telemetry.ts';
import type { EdgeConfig } from '../config/edge-config.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import type { Edge } from '../edge.ts';
import { EdgeCommands } from './edge-commands.ts';
import { ConfigUpdate } from './config-update.ts';
import { FlowCommands } from './flow-commands.ts';
import { StoredEntries } from './stored-entries.ts';

export interface EdgeLinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  readonly edge: Edge;
  /** As REST returns it. */
  readonly health: () => EdgeHealth;
}

export interface EdgeLinkSettings {
  /** The edge.json that the config was read from; managers change the tunnels in it. */
  readonly configPath: string;
  /** The environment has BILBYCAST_ALLOW_INSECURE=1. */
  readonly allowInsecure: boolean;
}

/** The link of an edge to its manager, ready to be started. */
export function createEdgeLink(
  config: EdgeConfig,
  manager: ManagerSettings,
  dependencies: EdgeLinkDependencies,
  { configPath, allowInsecure }: EdgeLinkSettings,
): NodeLink {
  const configFile = new ConfigFile(realConfigFileSystem, configPath);
  return new NodeLink(
    {
      ...dependencies,
      dialler: wsDialler,
      journalFiles: realJournalFiles,
      configFileSystem: realConfigFileSystem,
      configFile,
      program: createProgram(config, configFile, dependencies),
      emit: (event) => {
        dependencies.edge.events.emit(event);
      },
    },
    {
      manager,
      allowInsecure,
      credentialsPath: config.credentialsPath,
      stateDir: config.stateDir,
      softwareVersion: dependencies.softwareVersion,
      journalCapBytes: defaultJournalCapBytes,
      redaction: 'omit',
    },
  );
}

function createProgram(
  { requireBindProof }: EdgeConfig,
  configFile: ConfigFile,
  { edge, health }: EdgeLinkDependencies,
): NodeProgram {
  const update = new ConfigUpdate({ edge, configFile }, { directory: dirname(configFile.path) });
  const commands = new EdgeCommands(
    {
      edge,
      stored: new StoredEntries(configFile, 'tunnels', parseTunnelId),
      flows: new FlowCommands({ edge, stored: new StoredEntries(configFile, 'flows', (id) => id) }),
      updateConfig: (next) => update.execute(next),
    },
    { directory: dirname(configFile.path), requireBindProof },
  );
  return {
    health,
    stats: () => edge.stats(),
    execute: async (action) => ({ outcome: await commands.execute(action) }),
    config: () => configFile.read(),
  };
}
