import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Random } from '../../lib/random.ts';
import { formatSocketAddress } from '../../lib/socket-address.ts';
import { CLOSE_CODE, closeReason } from '../../protocol/tunnel/close-code.ts';
import type { ConnectionHandler, ListenerHandler, QuicConnection, SocketAddress } from '../../quic/types.ts';
import type { Admission } from './admission.ts';
import type { EventLimits } from '../events/event-limits.ts';
import type { Forwarder } from '../forwarding/forwarder.ts';
import type { SessionDirectory } from '../session/session-directory.ts';
import { SessionRunner, type SessionRunnerSettings } from '../session/session-runner.ts';
import type { Switchboard } from '../session/switchboard.ts';
import type { TunnelRegistry } from '../tunnels/tunnel-registry.ts';

export interface EdgeReceptionDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Random;
  readonly admission: Admission;
  readonly events: Pick<EventLimits, 'emit'>;
  readonly sessions: SessionDirectory;
  readonly switchboard: Switchboard;
  readonly forwarder: Forwarder;
  readonly registry: Pick<TunnelRegistry, 'heldBinds'>;
}

/** For a connection that was completed only so that the close can carry the reason. Ignores everything. */
const refusedConnection: ConnectionHandler = {
  onStream: () => undefined,
  onDatagram: () => undefined,
  onAddressChange: () => undefined,
  onClosed: () => undefined,
};

/** docs/protocol/tunnel.md §5. */
const challengeBytes = 32;

/** Passes handshakes to admission, and starts a session for each connection that is admitted. */
export class EdgeReception {
  readonly #dependencies: EdgeReceptionDependencies;
  readonly #settings: SessionRunnerSettings;

  constructor(dependencies: EdgeReceptionDependencies, settings: SessionRunnerSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
  }

  /** For the listener on one address. */
  handlerFor(bindAddr: string): Omit<ListenerHandler, 'onFailed'> {
    const { admission, events } = this.#dependencies;
    return {
      onIncoming: (attempt) => {
        const { decision, overCap } = admission.decide(attempt);
        if (overCap !== null && decision !== 'accept') this.#raiseOverCap(attempt.remote, overCap);
        return decision;
      },
      onConnection: (connection) => this.#receive(connection),
      onHandshakeFailed: (remote, error) => {
        admission.failed(remote);
        events.emit({ kind: 'accept-failed', remoteIp: remote.ip, error, bindAddr });
      },
    };
  }

  #receive(connection: QuicConnection): ConnectionHandler {
    const { admission, sessions, random } = this.#dependencies;
    const admittance = admission.established(connection.remote);
    if (admittance.kind === 'over-cap') {
      this.#raiseOverCap(connection.remote, admittance.active);
      connection.close(CLOSE_CODE, closeReason.perIpCap);
      return refusedConnection;
    }
    const onClosed = (session: SessionRunner): void => {
      sessions.remove(session);
      admission.closed(admittance.source);
    };
    const challenge = Buffer.from(random.bytes(challengeBytes)).toString('hex');
    const session = new SessionRunner(connection, { ...this.#dependencies, onClosed }, this.#settings, challenge);
    sessions.add(session);
    return session;
  }

  #raiseOverCap(remote: SocketAddress, activeConnections: number): void {
    this.#dependencies.events.emit({
      kind: 'per-ip-cap-exceeded',
      remoteAddr: formatSocketAddress(remote),
      remoteIp: remote.ip,
      activeConnections,
      cap: this.#dependencies.admission.capPerIp,
    });
  }
}
