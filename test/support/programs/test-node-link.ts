import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock, rfc3339, type Clock } from '../../../src/lib/clock.ts';
import { SystemRandom, type Random } from '../../../src/lib/random.ts';
import { ConfigFile, realConfigFileSystem, type ConfigFileSystem } from '../../../src/config/config-file.ts';
import { defaultJournalCapBytes } from '../../../src/node-link/journal/event-journal.ts';
import { realJournalFiles, type JournalFiles } from '../../../src/node-link/journal/journal-files.ts';
import { managerSchema, managerSettings } from '../../../src/node-link/manager-config.ts';
import { NodeLink } from '../../../src/node-link/node-link.ts';
import type { ManagerDialler } from '../../../src/node-link/link/manager-socket.ts';
import type { NodeProgram } from '../../../src/node-link/node-program.ts';
import { wsDialler } from '../../../src/node-link/link/ws-dialler.ts';
import { linkEventText, type LinkEvent } from '../../../src/protocol/node/link-event.ts';
import type { NodeEvent } from '../../../src/protocol/node/node-event.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';

export interface TestNodeLinkOptions {
  /** The `manager` object of the config file. */
  readonly manager: Record<string, unknown>;
  readonly directory?: string;
  readonly program?: Partial<NodeProgram>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly dialler?: ManagerDialler;
  readonly journalFiles?: JournalFiles;
  readonly configFileSystem?: ConfigFileSystem;
  readonly credentialsPath?: string;
  readonly journalCapBytes?: number;
  readonly allowInsecure?: boolean;
  /** Leaves an existing config file alone, as a restart does. */
  readonly keepConfig?: boolean;
}

/** Jitter that never waits long: tests over real time need no patience. */
export const hastyRandom: Random = { bytes: (length) => new SystemRandom().bytes(length), float: () => 0 };

/** A node link with a small program around it, and its files in a directory of its own. */
export class TestNodeLink implements AsyncDisposable {
  readonly link: NodeLink;
  readonly directory: string;
  readonly logger: RecordingLogger;
  /** What the link reported of itself. */
  readonly linkEvents: LinkEvent[];
  readonly #clock: Clock;
  readonly #ownsDirectory: boolean;

  private constructor(
    link: NodeLink,
    rest: Pick<TestNodeLink, 'directory' | 'logger' | 'linkEvents'> & { clock: Clock; ownsDirectory: boolean },
  ) {
    this.link = link;
    this.directory = rest.directory;
    this.logger = rest.logger;
    this.linkEvents = rest.linkEvents;
    this.#clock = rest.clock;
    this.#ownsDirectory = rest.ownsDirectory;
  }

  static async create(options: TestNodeLinkOptions): Promise<TestNodeLink> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'adit-node-link-')));
    const configPath = join(directory, 'config.json');
    const content = { quic_addrs: ['127.0.0.1:0'], manager: options.manager, api_token: 'x'.repeat(32) };
    if (options.keepConfig !== true) await writeFile(configPath, `${JSON.stringify(content, null, 2)}\n`);
    const logger = new RecordingLogger();
    const linkEvents: LinkEvent[] = [];
    const clock = options.clock ?? new SystemClock();
    const configFileSystem = options.configFileSystem ?? realConfigFileSystem;
    const configFile = new ConfigFile(configFileSystem, configPath);
    const link: NodeLink = new NodeLink(
      {
        clock,
        random: options.random ?? hastyRandom,
        logger,
        dialler: options.dialler ?? wsDialler,
        journalFiles: options.journalFiles ?? realJournalFiles,
        configFileSystem,
        configFile,
        program: { ...idleProgram, config: () => configFile.read(), ...options.program },
        emit: (event) => {
          linkEvents.push(event);
          link.raise({ timestamp: rfc3339(clock.now()), ...linkEventText(event) });
        },
      },
      {
        manager: managerSettings(managerSchema.parse(options.manager)),
        credentialsPath: options.credentialsPath ?? null,
        stateDir: directory,
        softwareVersion: '1.2.3',
        journalCapBytes: options.journalCapBytes ?? defaultJournalCapBytes,
        allowInsecure: options.allowInsecure ?? false,
        redaction: 'mask',
      },
    );
    const ownsDirectory = options.directory === undefined;
    return new TestNodeLink(link, { directory, logger, linkEvents, clock, ownsDirectory });
  }

  static async start(options: TestNodeLinkOptions): Promise<TestNodeLink> {
    const node = await TestNodeLink.create(options);
    await node.link.start();
    return node;
  }

  raise(message: string, severity: NodeEvent['severity'] = 'info'): void {
    this.link.raise({ timestamp: rfc3339(this.#clock.now()), severity, category: 'edge', message });
  }

  /** The config file as it is on disk. */
  async config(): Promise<{ manager: Record<string, unknown>; [key: string]: unknown }> {
    const text = await readFile(join(this.directory, 'config.json'), 'utf8');
    return JSON.parse(text) as { manager: Record<string, unknown> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.stop();
    if (this.#ownsDirectory) await rm(this.directory, { recursive: true });
  }
}

const idleProgram: Omit<NodeProgram, 'config'> = {
  health: () => ({ status: 'ok' }),
  stats: () => ({ uptime_secs: 0 }),
  execute: (action) => ({ outcome: { success: true, data: { echo: action.type } } }),
};
