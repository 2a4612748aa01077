import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import { AppError } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { FreshIntake } from '../../lib/fresh-intake.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';
import type { StallWatch } from '../../lib/stall-watch.ts';
import type { Direction } from '../../protocol/tunnel/leg.ts';

/** The local program that a reply goes to. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

export interface LocalUdpObserver {
  /** A datagram waited in the socket for longer than the age limit, because this process did not keep up. */
  onLate(): void;
  /** `sender` is null where it named port 0, which cannot be answered: Node throws for it. */
  onMessage(payload: Uint8Array, sender: Sender | null): void;
  /** A send was refused, or the kernel passed on an ICMP error; the socket lives. */
  onError(error: Error): void;
}

export interface LocalUdpDependencies {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly stalls: Pick<StallWatch, 'waitedMs'>;
}

/** As for the queue towards the relay (conformance S6); libuv reads 32 datagrams of a socket in one turn. */
const intake = { maxAgeMs: 100, behindMs: 200, batch: 32 };
/**
 * Requested from the kernel, which may grant less: room for a burst while the event loop is busy. What grows old in it
 * is dropped.
 */
const receiveBufferBytes = 4 * 1_048_576;

/** An egress end listens for local programs. An ingress end is connected, so ICMP reports that no program listens. */
export function udpModeOf(direction: Direction): 'bind' | 'connect' {
  return direction === 'egress' ? 'bind' : 'connect';
}

/**
 * A UDP socket that listens on (`bind`) or speaks only with (`connect`) `address`.
 * Rejects with AppError `address-unavailable`.
 */
export async function openLocalUdpSocket(
  mode: 'bind' | 'connect',
  address: HostPort,
  observer: LocalUdpObserver,
  dependencies: LocalUdpDependencies,
): Promise<Socket> {
  const v6 = isIPv6(address.host);
  const socket = createSocket({
    type: v6 ? 'udp6' : 'udp4',
    ipv6Only: v6,
    recvBufferSize: receiveBufferBytes,
    // Literal addresses only: answered at once instead of in a later turn of the event loop for each packet.
    lookup: (host, _options, callback) => callback(null, host, isIPv6(host) ? 6 : 4),
  });
  try {
    await taken(socket, mode, address);
  } catch (error) {
    socket.close();
    throw udpUnavailable(mode, address, error);
  }
  const fresh = new FreshIntake<readonly [Uint8Array, Sender]>(intake, {
    ...dependencies,
    afterReads: setImmediate,
    onFresh: ([payload, sender]) => observer.onMessage(payload, sender.port === 0 ? null : sender),
    onLate: () => observer.onLate(),
  });
  socket.on('message', (payload, { address: ip, port }) => fresh.take([payload, { address: ip, port }]));
  socket.on('error', (error) => observer.onError(error));
  return socket;
}

/** Closes the socket and waits until it is gone. */
export function closeLocalUdpSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(resolve));
}

/** Binding takes an address of this machine; connecting names another one, for which other remedies hold. */
export function udpUnavailable(mode: 'bind' | 'connect', address: HostPort, cause: unknown): AppError {
  const attempt = `cannot ${mode} UDP ${formatHostPort(address)}`;
  return mode === 'bind' ? addressUnavailable(attempt, cause) : new AppError('address-unavailable', attempt, { cause });
}

function taken(socket: Socket, mode: 'bind' | 'connect', { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    // A failed `connect` calls its callback and nothing else (node:dgram, socket.connect).
    const finish = (error?: Error): void => {
      socket.off('error', reject);
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once('error', reject);
    if (mode === 'bind') socket.bind({ address: host, port }, finish);
    else socket.connect(port, host, finish);
  });
}
