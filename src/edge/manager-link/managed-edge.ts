import { dirname } from 'node:path';
import { ConfigFile, type ConfigFileSystem } from '../../config/config-file.ts';
import { defaultJournalCapBytes } from '../../node-link/journal/event-journal.ts';
import type { JournalFiles } from '../../node-link/journal/journal-files.ts';
import type { ManagerSettings } from '../../node-link/manager-config.ts';
import type { ManagerDialler } from '../../node-link/link/manager-socket.ts';
import { NodeLink, type LinkStatus } from '../../node-link/node-link.ts';
import type { NodeProgram } from '../../node-link/node-program.ts';
import type { NodeEvent } from '../../protocol/node/node-event.ts';
import type { EdgeHealth } from '../../protocol/node/edge-telemetry.ts';
import type { EdgeConfig } from '../config/edge-config.ts';
import { parseTunnelId } from '../../protocol/tunnel/tunnel-id.ts';
import { createEdge, type Edge, type EdgeDependencies } from '../edge.ts';
import { EdgeCommands } from './edge-commands.ts';
import { ConfigUpdate } from './config-update.ts';
import { FlowCommands } from './flow-commands.ts';
import { StoredEntries } from './stored-entries.ts';

export interface ManagedEdgeDependencies extends EdgeDependencies {
  readonly dialler: ManagerDialler;
  readonly journalFiles: JournalFiles;
  readonly configFileSystem: ConfigFileSystem;
  /** As REST returns it. */
  readonly health: () => EdgeHealth;
}

export interface ManagedEdgeSettings {
  /** The edge.json that the config was read from; managers change the tunnels in it. */
  readonly configPath: string;
  /** The environment has BILBYCAST_ALLOW_INSECURE=1. */
  readonly allowInsecure: boolean;
}

/** An edge together with its link to a manager, when its config names one. */
export class ManagedEdge {
  readonly edge: Edge;
  readonly #link: NodeLink | null;

  constructor(config: EdgeConfig, dependencies: ManagedEdgeDependencies, settings: ManagedEdgeSettings) {
    this.edge = createEdge(config, dependencies);
    const { manager } = config;
    this.#link = manager?.enabled === true ? this.#createLink(config, manager, dependencies, settings) : null;
  }

  /** Null without a manager. */
  get linkStatus(): LinkStatus | null {
    return this.#link?.status ?? null;
  }

  /** The certificates that the manager may show from the next connection on. */
  trust(manager: Pick<ManagerSettings, 'certFingerprints'>): void {
    this.#link?.trust(manager);
  }

  /** Brings an event to the manager; without one it does nothing. */
  report(event: NodeEvent): void {
    this.#link?.raise(event);
  }

  /** The link first: what the tunnels report from their first moment on is kept for the manager. */
  async start(): Promise<void> {
    await this.#link?.start();
    await this.edge.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.edge.stop();
    await this.#link?.stop();
  }

  #createLink(
    config: EdgeConfig,
    manager: ManagerSettings,
    dependencies: ManagedEdgeDependencies,
    { configPath, allowInsecure }: ManagedEdgeSettings,
  ): NodeLink {
    const configFile = new ConfigFile(dependencies.configFileSystem, configPath);
    return new NodeLink(
      {
        ...dependencies,
        configFile,
        program: this.#createProgram(config, configFile, dependencies.health),
        emit: (event) => {
          this.edge.events.emit(event);
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

  #createProgram({ requireBindProof }: EdgeConfig, configFile: ConfigFile, health: () => EdgeHealth): NodeProgram {
    const { edge } = this;
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
}
