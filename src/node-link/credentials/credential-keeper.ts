import { errorMessage } from '../../lib/app-error.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { TurnQueue } from '../../lib/turn-queue.ts';
import type { LinkEvent } from '../../protocol/node/link-event.ts';
import type { CommandOutcome } from '../../protocol/node/node-message.ts';
import { confirm, maxPreviousSecrets, rotate, type Credentials } from './credentials.ts';
import type { CredentialStore } from './credential-store.ts';

export interface CredentialKeeperDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: CredentialStore;
  readonly emit: (event: LinkEvent) => void;
}

const retryDelayMs = 5_000;

/**
 * The one owner of the node's credentials: what memory holds is what the next attempt uses, and the disk follows.
 * Steps run one after the other, so none of them sees another half done.
 */
export class CredentialKeeper {
  readonly #dependencies: CredentialKeeperDependencies;
  #credentials: Credentials | null = null;
  #registrationToken: string | null = null;
  #problem: string | null = null;
  /** Memory may be ahead of the disk. */
  #unsaved = false;
  #retry: Timer | null = null;
  readonly #turns = new TurnQueue();

  constructor(dependencies: CredentialKeeperDependencies) {
    this.#dependencies = dependencies;
  }

  get credentials(): Credentials | null {
    return this.#credentials;
  }

  /** Null when there is none, or when it is spent. */
  get registrationToken(): string | null {
    return this.#registrationToken;
  }

  /** Why the disk does not have the credentials; null while it does. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Rejects with an AppError when the files cannot be read or understood. */
  async load(): Promise<void> {
    const identity = await this.#dependencies.store.load();
    this.#credentials = identity.credentials;
    this.#registrationToken = identity.credentials === null ? identity.registrationToken : null;
  }

  /** Whether credentials could be saved. Call it before a token is spent for them. */
  async canSave(): Promise<boolean> {
    return this.#turns.run(async () => {
      try {
        await this.#dependencies.store.proveWritable();
        this.#problem = null;
        return true;
      } catch (error) {
        this.#failed(error);
        return false;
      }
    });
  }

  /** Resolves when the credentials are on disk, or are known not to be; retries go on by themselves. */
  registered(nodeId: string, secret: string): Promise<void> {
    this.#credentials = { nodeId, secret, previousSecrets: [] };
    this.#registrationToken = null;
    this.#unsaved = true;
    return this.#turns.run(() => this.#save());
  }

  /** The manager accepted this secret, so the others are of no use any more. */
  confirmed(secret: string): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#credentials === null) return;
      const confirmed = confirm(this.#credentials, secret);
      if (confirmed === this.#credentials) return;
      this.#credentials = confirmed;
      this.#unsaved = true;
      await this.#save();
    });
  }

  /** The outcome for the ack. A secret that is in force already changes nothing and is no event. */
  rotate(newSecret: string): Promise<CommandOutcome> {
    return this.#turns.run(async (): Promise<CommandOutcome> => {
      const old = this.#credentials;
      if (old === null) return { success: false, error: 'Node is not registered', error_code: 'validation_error' };
      const rotation = rotate(old, newSecret);
      if (rotation.kind === 'unchanged') return { success: true };
      if (rotation.kind === 'too-many-unconfirmed') {
        const error = `${maxPreviousSecrets} secrets wait for confirmation by a reconnect already`;
        return { success: false, error, error_code: 'validation_error' };
      }
      return this.#replace(old, rotation.credentials);
    });
  }

  /** A last try to save what is not saved. */
  async stop(): Promise<void> {
    await this.#turns.run(() => this.#save());
    this.#retry?.cancel();
    this.#retry = null;
  }

  async #replace(old: Credentials, rotated: Credentials): Promise<CommandOutcome> {
    const { store, emit } = this.#dependencies;
    try {
      await store.save(rotated);
    } catch (error) {
      const text = errorMessage(error);
      this.#problem = text;
      emit({ kind: 'credential-persistence-failed', error: text });
      // The new file may be in place even so (directory not synced), so the old content is made sure of.
      this.#credentials = old;
      this.#unsaved = true;
      await this.#save();
      return { success: false, error: `Credential persistence failed: ${text}`, error_code: 'persistence_failed' };
    }
    this.#credentials = rotated;
    this.#saved();
    emit({ kind: 'secret-rotated' });
    return { success: true };
  }

  async #save(): Promise<void> {
    if (!this.#unsaved || this.#credentials === null) return;
    this.#retry?.cancel();
    try {
      await this.#dependencies.store.save(this.#credentials);
      this.#saved();
    } catch (error) {
      this.#failed(error);
      this.#retry = this.#dependencies.clock.setTimeout(() => void this.#turns.run(() => this.#save()), retryDelayMs);
    }
  }

  #saved(): void {
    if (this.#problem !== null) this.#dependencies.logger.info({}, 'credentials are on disk again');
    this.#problem = null;
    this.#unsaved = false;
  }

  /** One event while the trouble lasts. */
  #failed(error: unknown): void {
    const text = errorMessage(error);
    const { logger, emit } = this.#dependencies;
    if (this.#problem === null) emit({ kind: 'credential-persistence-failed', error: text });
    this.#problem = text;
    logger.warn({ error }, 'credentials could not be stored, trying again');
  }
}
