import { join } from 'node:path';
import { AppError } from '../lib/app-error.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { settledWithin } from '../lib/settled-within.ts';
import type { LinkEvent } from '../protocol/node/link-event.ts';
import type { NodeEvent } from '../protocol/node/node-event.ts';
import type { NodeCredentials, NodeIntroduction } from '../protocol/node/node-message.ts';
import { allowInsecureVariable, chooseCertificateCheck } from './link/certificate-check.ts';
import { AttemptEnds, type LastEnd } from './attempt-ends.ts';
import { CommandRunner } from './commands/command-runner.ts';
import { ConfigFile, type ConfigFileSystem } from '../config/config-file.ts';
import { CredentialKeeper } from './credentials/credential-keeper.ts';
import { CredentialStore } from './credentials/credential-store.ts';
import { candidateSecrets } from './credentials/credentials.ts';
import { EventJournal } from './journal/event-journal.ts';
import type { JournalFiles } from './journal/journal-files.ts';
import { LinkAttempt, type AttemptResult, type LinkAttemptOwner } from './link/link-attempt.ts';
import type { ManagerSettings } from './manager-config.ts';
import type { ManagerDialler } from './link/manager-socket.ts';
import type { NodeProgram } from './node-program.ts';
import { Outbox } from './journal/outbox.ts';
import { ReconnectPlan } from './link/reconnect-plan.ts';
import { redactSecrets, type RedactionStyle } from './commands/redact-secrets.ts';
import { Telemetry } from './telemetry.ts';

export interface NodeLinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly dialler: ManagerDialler;
  readonly journalFiles: JournalFiles;
  readonly configFileSystem: ConfigFileSystem;
  /** The node's config file, shared with other code that changes it. */
  readonly configFile: ConfigFile;
  readonly program: NodeProgram;
  /** Into the node's own stream of events, from where they come back through `raise`. */
  readonly emit: (event: LinkEvent) => void;
}

export interface NodeLinkSettings extends NodeIntroduction {
  readonly manager: ManagerSettings;
  /** Where credentials are kept when the config file cannot be written; null keeps them in the config file. */
  readonly credentialsPath: string | null;
  readonly stateDir: string;
  readonly journalCapBytes: number;
  /** The environment has BILBYCAST_ALLOW_INSECURE=1. */
  readonly allowInsecure: boolean;
  /** How `get_config` hides secrets. */
  readonly redaction: RedactionStyle;
}

/** What keeps the link from doing its work, and whether it is up. */
export interface LinkStatus {
  /** The manager that the node is authenticated with now; null while there is none. */
  readonly connectedUrl: string | null;
  /** For how long there has been none; 0 while there is one. */
  readonly downMs: number;
  /** In words, for `health`; empty when all is well. */
  readonly problems: readonly string[];
  /** How the last attempt or connection ended; null while one is up, and before the first has ended. */
  readonly lastEnd: LastEnd | null;
}

const stopFlushMs = 2_000;
/** A WebSocket that is asked to close is gone within a second. */
const stopCloseMs = 2_000;
const stopDiskMs = 2_000;
const stopPollMs = 10;
const upkeepIntervalMs = 15_000;

/** A node's link to its manager: stays connected, brings events and reports, carries out commands. */
export class NodeLink {
  readonly #dependencies: NodeLinkDependencies;
  readonly #settings: NodeLinkSettings;
  #certFingerprints: readonly string[];
  readonly #keeper: CredentialKeeper;
  readonly #journal: EventJournal;
  readonly #outbox: Outbox;
  readonly #commands: CommandRunner;
  readonly #plan: ReconnectPlan;
  #attempt: LinkAttempt | null = null;
  #connectedUrl: string | null = null;
  #downSinceMs: number;
  #telemetry: Telemetry | null = null;
  #reconnect: Timer | null = null;
  #upkeep: Timer | null = null;
  readonly #ends: AttemptEnds;
  #claim: DisposableStack | null = null;
  #running = false;
  #stopped: Promise<void> | null = null;

  constructor(dependencies: NodeLinkDependencies, settings: NodeLinkSettings) {
    const { clock, random, logger, emit, journalFiles, configFile, configFileSystem, program } = dependencies;
    const { credentialsPath, stateDir, journalCapBytes: capBytes } = settings;
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#certFingerprints = settings.manager.certFingerprints;
    this.#downSinceMs = clock.monotonicMs();
    const ownFile = credentialsPath === null ? null : new ConfigFile(configFileSystem, credentialsPath);
    this.#keeper = new CredentialKeeper({ clock, logger, store: new CredentialStore(configFile, ownFile), emit });
    this.#journal = new EventJournal(
      { files: journalFiles, clock, random, logger },
      { directory: join(stateDir, 'events'), capBytes },
    );
    this.#outbox = new Outbox(this.#journal, logger);
    this.#commands = new CommandRunner({
      clock,
      logger,
      program,
      rotateSecret: (secret) => this.#keeper.rotate(secret),
      visibleConfig: () => this.#visibleConfig(),
    });
    this.#ends = new AttemptEnds(logger, emit);
    this.#plan = new ReconnectPlan(random, settings.manager.urls.length);
  }

  /** The certificates that a manager may show from the next connection on; the one that is there goes on. */
  trust({ certFingerprints }: Pick<ManagerSettings, 'certFingerprints'>): void {
    this.#certFingerprints = certFingerprints;
  }

  get status(): LinkStatus {
    const { problem, loss } = this.#journal;
    const problems = [
      problem === null ? null : `events cannot be written to disk: ${problem}`,
      loss === null ? null : 'events were lost: the journal was full or removed',
      this.#keeper.problem === null ? null : `credentials cannot be stored: ${this.#keeper.problem}`,
    ];
    const downMs = this.#connectedUrl === null ? this.#dependencies.clock.monotonicMs() - this.#downSinceMs : 0;
    return {
      connectedUrl: this.#connectedUrl,
      downMs,
      problems: problems.filter((text) => text !== null),
      lastEnd: this.#ends.last,
    };
  }

  /**
   * Opens the journal and begins to connect; does not wait for the manager. Events may be raised from here on. Rejects
   * with an AppError when the journal or the credentials cannot be used; nothing needs to be stopped then.
   */
  async start(): Promise<void> {
    await this.#keeper.load();
    if (this.#keeper.credentials === null && this.#keeper.registrationToken === null) {
      const mend = 'set manager.registration_token, or node_id and node_secret';
      throw new AppError('config-invalid', `the node has nothing to prove itself to its manager with: ${mend}`);
    }
    using claim = new DisposableStack();
    claim.use(this.#dependencies.journalFiles.claim(this.#settings.stateDir));
    this.#journal.open();
    this.#claim = claim.move();
    this.#running = true;
    void this.#dial();
  }

  /** Keeps the event for the manager. Its write to the disk has begun when this returns. */
  raise(event: NodeEvent): void {
    this.#journal.append(event);
    this.#outbox.wake();
  }

  /** Sends the events that wait, for a short time, then closes the link. A manager's failure never makes it reject. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#reconnect?.cancel();
    if (this.#connectedUrl !== null) await this.#until(() => this.#outbox.isEmpty, stopFlushMs);
    this.#attempt?.close();
    await this.#until(() => this.#attempt === null, stopCloseMs);
    await this.#leaveDisk();
  }

  /** What a disk that hangs does not take now was given to it when it was raised. */
  async #leaveDisk(): Promise<void> {
    const { clock, logger } = this.#dependencies;
    const closed = this.#keeper.stop().then(() => this.#journal.close());
    if (await settledWithin(clock, closed, stopDiskMs)) this.#claim?.dispose();
    else logger.warn({}, 'the disk hangs, not waiting for it any longer');
  }

  async #dial(): Promise<void> {
    const { manager, allowInsecure, softwareVersion, deviceType } = this.#settings;
    const trust = { ...manager, certFingerprints: this.#certFingerprints };
    const { urlIndex, secretIndex } = this.#plan.current();
    const url = manager.urls[urlIndex];
    const check = chooseCertificateCheck(trust, allowInsecure);
    if (url === undefined || check.kind === 'refused') {
      const reason = check.kind === 'refused' ? check.reason : 'no address';
      this.#ended(url ?? '', { end: 'failed', error: reason });
      return;
    }
    if (check.kind === 'unchecked') {
      this.#dependencies.logger.warn({ url, variable: allowInsecureVariable }, 'manager certificate is not checked');
    }
    const credentials = await this.#credentialsToOffer(secretIndex);
    if (!this.#running) return;
    if (credentials === null) {
      this.#ended(url, { end: 'failed', error: 'credentials could not be stored' });
      return;
    }
    this.#attempt = new LinkAttempt(
      { ...this.#dependencies, owner: this.#ownerOf(url, credentials) },
      { url, check, credentials, softwareVersion, deviceType },
    );
    this.#attempt.start();
  }

  /** A token is offered only while what it buys could be stored; null otherwise. */
  async #credentialsToOffer(secretIndex: number): Promise<NodeCredentials | null> {
    const { credentials, registrationToken } = this.#keeper;
    if (credentials !== null) {
      const secret = candidateSecrets(credentials)[secretIndex] ?? credentials.secret;
      return { node_id: credentials.nodeId, node_secret: secret };
    }
    if (registrationToken === null || !(await this.#keeper.canSave())) return null;
    return { registration_token: registrationToken };
  }

  #ownerOf(url: string, credentials: NodeCredentials): LinkAttemptOwner {
    return {
      registered: (nodeId, secret) => this.#keeper.registered(nodeId, secret),
      authenticated: () => {
        // A secret that has just been registered is the only one anyway.
        if ('node_secret' in credentials) void this.#keeper.confirmed(credentials.node_secret);
        this.#authenticated(url);
      },
      command: (command, size) => this.#commands.accept(command, size),
      ponged: (payload) => this.#outbox.ponged(payload),
      ended: (result) => this.#ended(url, result),
    };
  }

  #authenticated(url: string): void {
    const { clock, emit, logger } = this.#dependencies;
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#plan.accepted();
    this.#ends.accepted();
    this.#connectedUrl = url;
    logger.debug({ url, node_id: this.#keeper.credentials?.nodeId }, 'authenticated with manager');
    emit({ kind: 'manager-connected', url });
    this.#reportLoss();
    this.#upkeep = clock.setInterval(() => {
      this.#reportLoss();
      this.#outbox.wake();
    }, upkeepIntervalMs);
    this.#telemetry = new Telemetry(this.#dependencies, attempt);
    this.#telemetry.start();
    this.#commands.attach(attempt);
    this.#outbox.attach(attempt);
  }

  #ended(url: string, result: AttemptResult): void {
    this.#attempt = null;
    if (this.#connectedUrl !== null) this.#downSinceMs = this.#dependencies.clock.monotonicMs();
    this.#connectedUrl = null;
    this.#telemetry?.stop();
    this.#upkeep?.cancel();
    this.#commands.detach();
    this.#outbox.detach();
    if (!this.#running) return;
    const { credentials } = this.#keeper;
    const secretCount = credentials === null ? 1 : candidateSecrets(credentials).length;
    const { delayMs, allRefused } = this.#plan.next(result.end, secretCount);
    this.#ends.report(url, result, allRefused, delayMs);
    this.#reconnect = this.#dependencies.clock.setTimeout(() => void this.#dial(), delayMs);
  }

  /** Forgotten once the event is written: a crash in between reports a loss twice, and never not at all. */
  #reportLoss(): void {
    const { loss, problem } = this.#journal;
    if (loss === null || problem !== null) return;
    this.#dependencies.emit({ kind: 'events-lost', ...loss });
    this.#journal.forgetLoss(loss);
  }

  async #visibleConfig(): Promise<unknown> {
    const config = redactSecrets(await this.#dependencies.program.config(), this.#settings.redaction);
    const nodeId = this.#keeper.credentials?.nodeId;
    if (typeof config !== 'object' || config === null || !('manager' in config) || nodeId === undefined) return config;
    return { ...config, manager: { ...(config.manager as object), node_id: nodeId } };
  }

  async #until(done: () => boolean, timeoutMs: number): Promise<void> {
    const { clock } = this.#dependencies;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    while (!done() && clock.monotonicMs() < deadlineMs) {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, stopPollMs));
    }
  }
}
