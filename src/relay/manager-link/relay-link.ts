import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { ConfigFile, realConfigFileSystem } from '../../config/config-file.ts';
import { realJournalFiles } from '../../node-link/journal/journal-files.ts';
import { managerSettings } from '../../node-link/manager-config.ts';
import { wsDialler } from '../../node-link/link/ws-dialler.ts';
import { NodeLink } from '../../node-link/node-link.ts';
import type { RelayHealth } from '../../protocol/node/relay-telemetry.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import type { Relay } from '../relay.ts';
import { RelayCommands } from './relay-commands.ts';
import { StatsSource } from './stats-source.ts';

export interface RelayLinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  /** As it is in force, for `get_config`. */
  readonly effectiveConfig: () => RelayConfig;
  /** As REST returns it. */
  readonly health: () => RelayHealth;
}

export interface RelayLinkSettings {
  /** The config.json that the config was read from: credentials are kept in it. */
  readonly configPath: string;
  /** The environment has BILBYCAST_ALLOW_INSECURE=1. */
  readonly allowInsecure: boolean;
}

/**
 * A relay's link to its manager, not started. Start it before the relay and stop it after it, and have it raise the
 * relay's events, so that none is missed.
 */
export function createRelayLink(
  relay: Relay,
  config: RelayConfig,
  dependencies: RelayLinkDependencies,
  settings: RelayLinkSettings,
): NodeLink {
  const { report, control, policy, events } = relay;
  const commands = new RelayCommands({ control, policy, report });
  const stats = new StatsSource(report);
  return new NodeLink(
    {
      ...dependencies,
      dialler: wsDialler,
      journalFiles: realJournalFiles,
      configFileSystem: realConfigFileSystem,
      configFile: new ConfigFile(realConfigFileSystem, settings.configPath),
      program: {
        health: dependencies.health,
        stats: () => stats.gather(),
        execute: (action) => commands.execute(action),
        config: dependencies.effectiveConfig,
      },
      emit: (event) => {
        events.emit(event);
      },
    },
    {
      manager: managerSettings(config.manager),
      credentialsPath: config.credentials_path,
      stateDir: config.state_dir,
      softwareVersion: dependencies.softwareVersion,
      journalCapBytes: config.limits.event_journal_bytes,
      allowInsecure: settings.allowInsecure,
      redaction: 'mask',
    },
  );
}
