import type { Clock } from '../../src/lib/clock.ts';
import type { Random } from '../../src/lib/random.ts';
import { formatSocketAddress } from '../../src/lib/socket-address.ts';
import { encodeStreamHeader } from '../../src/protocol/tunnel/stream-header.ts';
import type { ConnectionHandler, QuicConnection, QuicEngine, QuicStream } from '../../src/quic/types.ts';
import { keepSelfSigned } from '../../src/quic/tls-material.ts';
import { edgeTransport, knownTunnelId, socketAddress } from './edge-transport.ts';
import { noTunnel, type Path, type PathGroup } from './path-group.ts';

export interface DirectDependencies {
  readonly engine: QuicEngine;
  readonly clock: Clock;
  readonly random: Random;
}

/** The header of streams that belong to no tunnel, so that both kinds of path carry the same bytes. */
const nil = knownTunnelId('00000000-0000-0000-0000-000000000000');
const resetKeyBytes = 32;

/** A connection from edge to edge: what a relay's latency is compared with. */
class DirectPath implements Path, ConnectionHandler {
  readonly prefix = noTunnel;
  readonly generation = 1;
  readonly #group: PathGroup;
  #connection: QuicConnection | null = null;

  constructor(group: PathGroup, connection: QuicConnection | null) {
    this.#group = group;
    this.#connection = connection;
  }

  get isReady(): boolean {
    return this.#connection !== null;
  }

  attach(connection: QuicConnection): void {
    this.#connection = connection;
  }

  send(datagram: Uint8Array): void {
    this.#connection?.sendDatagram(datagram);
  }

  openStream(): QuicStream {
    const stream = this.#connection?.openBidi() ?? null;
    if (stream === null) throw new Error('the other edge grants no stream');
    stream.write(encodeStreamHeader(nil));
    return stream;
  }

  onDatagram(datagram: Uint8Array): void {
    this.#group.receiver.onDatagram(datagram, this);
  }

  onStream(stream: QuicStream): void {
    this.#group.receiver.onStream(stream);
  }

  onAddressChange(): void {
    // Its own address cannot change on loopback.
  }

  onClosed(): void {
    this.#connection = null;
  }
}

/** Waits for the other edge at the address that it answers; `folder` keeps the certificate. */
export async function listenDirect(
  { engine, clock, random }: DirectDependencies,
  group: PathGroup,
  folder: string,
): Promise<string> {
  const tls = await keepSelfSigned(folder, clock);
  const listener = await engine.listen(
    {
      address: { ip: '127.0.0.1', port: 0 },
      tls,
      transport: edgeTransport,
      resetKey: random.bytes(resetKeyBytes),
      retryAfterHandshakesPerSec: 0,
    },
    {
      onIncoming: () => 'accept',
      onConnection: (connection) => {
        const path = new DirectPath(group, connection);
        group.paths.push(path);
        return path;
      },
      onHandshakeFailed: () => undefined,
      // What is sent from then on is lost, which the figure says.
      onFailed: () => undefined,
    },
  );
  return formatSocketAddress(listener.address);
}

export async function dialDirect({ engine }: DirectDependencies, group: PathGroup, address: string): Promise<void> {
  const path = new DirectPath(group, null);
  const verify = { kind: 'none' } as const;
  const options = { remote: socketAddress(address), serverName: 'relay', verify, transport: edgeTransport };
  path.attach(await engine.dial(options, path));
  group.paths.push(path);
}
