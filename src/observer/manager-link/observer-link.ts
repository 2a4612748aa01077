import { ConfigFile, realConfigFileSystem } from '../../config/config-file.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { defaultJournalCapBytes } from '../../node-link/journal/event-journal.ts';
import { realJournalFiles } from '../../node-link/journal/journal-files.ts';
import { managerSettings, type ManagerConfig } from '../../node-link/manager-config.ts';
import { NodeLink } from '../../node-link/node-link.ts';
import { wsDialler } from '../../node-link/link/ws-dialler.ts';
import { linkEventText } from '../../protocol/node/link-event.ts';
import type { NodeEvent } from '../../protocol/node/node-event.ts';
import type { ObserverConfig } from '../config/observer-config.ts';

export interface ObserverLinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly softwareVersion: string;
  readonly health: () => unknown;
  /** The table of agents and the counters. */
  readonly stats: () => unknown;
  /** Gets what the link itself reports, to log it; the link keeps it for the manager. */
  readonly raised: (event: NodeEvent) => void;
}

export interface ObserverLinkSettings {
  readonly configPath: string;
  readonly allowInsecure: boolean;
}

/** An observer's link to its manager, not started. It takes no commands but the link's own. */
export function createObserverLink(
  manager: ManagerConfig,
  config: ObserverConfig,
  dependencies: ObserverLinkDependencies,
  settings: ObserverLinkSettings,
): NodeLink {
  const { clock, raised } = dependencies;
  const configFile = new ConfigFile(realConfigFileSystem, settings.configPath);
  const link = new NodeLink(
    {
      ...dependencies,
      dialler: wsDialler,
      journalFiles: realJournalFiles,
      configFileSystem: realConfigFileSystem,
      configFile,
      program: {
        health: dependencies.health,
        stats: dependencies.stats,
        execute: ({ type }) => ({
          outcome: { success: false, error: `Unknown observer command: ${type}`, error_code: 'unknown_command' },
        }),
        config: () => configFile.read(),
      },
      emit(event) {
        const own: NodeEvent = { timestamp: rfc3339(clock.now()), ...linkEventText(event) };
        raised(own);
        link.raise(own);
      },
    },
    {
      manager: managerSettings(manager),
      credentialsPath: config.credentials_path,
      stateDir: config.state_dir,
      softwareVersion: dependencies.softwareVersion,
      deviceType: 'observer',
      journalCapBytes: defaultJournalCapBytes,
      allowInsecure: settings.allowInsecure,
      redaction: 'mask',
    },
  );
  return link;
}
