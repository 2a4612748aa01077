import { isIP } from 'node:net';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { ConfiguredVerification, PeerVerification } from '../../quic/peer-verification.ts';
import type { TransportSettings } from '../../quic/transport-settings.ts';
import type { ConnectionHandler, QuicConnection, QuicEngine, SocketAddress } from '../../quic/types.ts';
import { refusalWords } from './way-out.ts';

export interface RelayDiallerDependencies {
  readonly engine: Pick<QuicEngine, 'dial'>;
  readonly clock: Clock;
  /** Literal addresses of a host name, at least one; rejects when there is none. */
  readonly resolveHost: (host: string) => Promise<readonly string[]>;
  /** Read anew for each attempt, so that a renewed CA is used without a restart. */
  readonly readTextFile: (path: string) => Promise<string>;
  /** The code with which the system refuses packets to that address; null where it does not. See `wayOut`. */
  readonly wayOut: (remote: SocketAddress) => Promise<string | null>;
}

export interface RelayDiallerSettings {
  readonly relay: HostPort;
  readonly verification: ConfiguredVerification;
  readonly transport: TransportSettings;
}

/** One try to connect. */
interface Attempt {
  readonly signal: AbortSignal;
  /** The code with which the system refuses its packets. */
  refusal: string | null;
}

/** DNS and handshake together (docs/protocol/tunnel.md §7). */
export const connectDeadlineMs = 6000;
/** After this silence the system is asked why: to QUIC a packet that was refused is a lost one. */
const doubtAfterMs = 3000;
/** What existing edges send; a relay is not looked up by name unless a CA verifies it. */
const defaultServerName = 'relay';
/** Begins the reason when a relay's certificate is not what the config expects; the cause follows. */
export const unprovenRelay = 'the relay did not prove who it is';

/** Added to the reason of a relay that does not know `if_free`; a bind there would take the leg from the other edge. */
export const noClaim = 'this relay cannot say when the leg is free again';

/** Makes connections to one relay. */
export class RelayDialler {
  readonly #dependencies: RelayDiallerDependencies;
  readonly #settings: RelayDiallerSettings;
  #verification: ConfiguredVerification;
  /** The pin that the relay has proved last. */
  #provenPin: string | null = null;
  #attempts = 0;

  constructor(dependencies: RelayDiallerDependencies, settings: RelayDiallerSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#verification = settings.verification;
  }

  /** How the relay proves itself from the next connection on. */
  trust(verification: ConfiguredVerification): void {
    this.#verification = verification;
  }

  /** Rejects with the cause, with AppError `timed-out` after the deadline, or with the reason of `stopping`. */
  async dial(handler: ConnectionHandler, stopping: AbortSignal): Promise<QuicConnection> {
    const late = new AbortController();
    const deadline = this.#dependencies.clock.setTimeout(() => {
      late.abort(new AppError('timed-out', `no connection within ${connectDeadlineMs / 1000} s`));
    }, connectDeadlineMs);
    const attempt: Attempt = { signal: AbortSignal.any([late.signal, stopping]), refusal: null };
    try {
      return await this.#connect(handler, attempt);
    } catch (error) {
      if (stopping.aborted) throw stopping.reason;
      if (isUnproven(error)) throw new AppError('tls-failed', unprovenRelay, { cause: error });
      const { refusal } = attempt;
      if (refusal !== null) throw new AppError('connect-failed', `no connection: ${refusalWords(refusal)}`);
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      deadline.cancel();
    }
  }

  async #connect(handler: ConnectionHandler, attempt: Attempt): Promise<QuicConnection> {
    const { signal } = attempt;
    const { clock, engine, wayOut } = this.#dependencies;
    const { relay, transport } = this.#settings;
    const [ip, proofs] = await orAborted(Promise.all([this.#address(), this.#proofs()]), signal);
    const remote = { ip, port: relay.port };
    const ask = async (): Promise<void> => {
      attempt.refusal = await wayOut(remote);
    };
    using _silence = clock.setTimeout(() => void ask(), doubtAfterMs);
    const dial = async (verify: PeerVerification): Promise<QuicConnection> => {
      const serverName = verify.kind === 'ca' ? relay.host : defaultServerName;
      const options = { remote, serverName, verify, transport, signal };
      const connection = await engine.dial(options, handler);
      if (verify.kind === 'fingerprint') this.#provenPin = verify.sha256;
      return connection;
    };
    const [first, ...others] = proofs;
    // The engines compare with one pin, so each other one costs a handshake: once, when the certificate has changed.
    let dialled = dial(first);
    for (const verify of others) {
      dialled = dialled.catch((error: unknown) => {
        if (signal.aborted || !isUnproven(error)) throw error;
        return dial(verify);
      });
    }
    return await dialled;
  }

  /** A host with several addresses: each attempt takes the next one. */
  async #address(): Promise<string> {
    const { host } = this.#settings.relay;
    if (isIP(host) !== 0) return host;
    const addresses = await this.#dependencies.resolveHost(host);
    const address = addresses[this.#attempts++ % addresses.length];
    if (address === undefined) throw new AppError('address-unavailable', `${host} has no address`);
    return address;
  }

  /** What the relay may prove itself by, the likeliest first. */
  async #proofs(): Promise<readonly [PeerVerification, ...PeerVerification[]]> {
    const verification = this.#verification;
    switch (verification.kind) {
      case 'none':
        return [verification];
      case 'ca': {
        const caPem = await this.#dependencies.readTextFile(verification.path);
        return [{ kind: 'ca', caPem, host: this.#settings.relay.host }];
      }
      case 'fingerprint': {
        const pins = verification.sha256.toSorted(
          (a, b) => Number(b === this.#provenPin) - Number(a === this.#provenPin),
        );
        const [first, ...others] = pins.map((sha256) => ({ kind: 'fingerprint' as const, sha256 }));
        if (first === undefined) throw new AppError('bug', 'a relay is pinned to no certificate');
        return [first, ...others];
      }
    }
  }
}

function isUnproven(error: unknown): boolean {
  return error instanceof AppError && error.code === 'tls-failed';
}

/** `work`, unless the signal comes first: then rejects, and what `work` comes to is forgotten. */
async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(new AppError('cancelled', 'given up'));
  signal.addEventListener('abort', onAbort);
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
