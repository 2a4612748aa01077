import { connect as connectTcp, createServer, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { addressUnavailable } from '../../lib/address-unavailable.ts';
import { AppError } from '../../lib/app-error.ts';
import { formatHostPort, type HostPort } from '../../lib/host-port.ts';

/** One TCP connection, with or without TLS. */
export interface StreamSocket {
  /** `ip:port` of the other end, for people. */
  readonly remoteAddress: string;
  write(bytes: Buffer): void;
  /** Sends what waits, then ends; at the latest after a second. Idempotent. */
  end(): void;
}

export interface StreamObserver {
  onData(bytes: Buffer): void;
  /** Once, also after `end`. Null where the other end has closed. */
  onClose(error: Error | null): void;
}

export interface TcpListener {
  readonly localAddress: string;
  /** Ends all connections; resolves once the address is free again. Idempotent. */
  close(): Promise<void>;
}

export interface TcpListenerObserver {
  onConnection(socket: StreamSocket): StreamObserver;
  /** A connection could not be taken. */
  onError(error: Error): void;
}

/** A peer that reads nothing is given up when so many bytes wait for it. */
const maxWaitingBytes = 1_048_576;
const lingerMs = 1000;

/** Opens a TCP listener that has at most `maxConnections`. Rejects with AppError `address-unavailable`. */
export async function listenTcp(
  address: HostPort,
  maxConnections: number,
  observer: TcpListenerObserver,
): Promise<TcpListener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    watch(socket, observer.onConnection(streamSocket(socket)));
  });
  server.maxConnections = maxConnections;
  server.on('drop', () => {
    observer.onError(new AppError('limit-reached', `all ${maxConnections} connections are taken`));
  });
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(addressUnavailable(`cannot listen on TCP ${formatHostPort(address)}`, cause));
    };
    server.once('error', fail);
    server.listen({ host: address.host, port: address.port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
  server.on('error', (error) => observer.onError(error));
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  let closed: Promise<void> | null = null;
  return {
    localAddress: formatHostPort({ host: address.host, port }),
    close: () => {
      closed ??= new Promise((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

export interface DialSettings extends HostPort {
  readonly tls: boolean;
  readonly timeoutMs: number;
}

/** Dials; `onClose` says when it cannot be reached. Names are looked up. */
export function dialTcp(
  { host, port, tls, timeoutMs }: DialSettings,
  onConnect: () => void,
  observer: StreamObserver,
): StreamSocket {
  const socket = tls
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) }, onConnect)
    : connectTcp({ host, port, noDelay: true }, onConnect);
  // Until it is connected; what is silent afterwards is the caller's to judge.
  socket.setTimeout(timeoutMs, () => {
    if (socket.connecting) socket.destroy(new AppError('timed-out', `no connection within ${timeoutMs / 1000} s`));
  });
  watch(socket, observer);
  return streamSocket(socket);
}

function watch(socket: Socket, observer: StreamObserver): void {
  let error: Error | null = null;
  socket.on('data', (bytes) => observer.onData(bytes));
  socket.on('error', (cause) => (error = cause));
  socket.on('close', () => observer.onClose(error));
}

function streamSocket(socket: Socket): StreamSocket {
  return {
    get remoteAddress() {
      const { remoteAddress: host, remotePort: port } = socket;
      return host === undefined || port === undefined ? '' : formatHostPort({ host, port });
    },
    write: (bytes) => {
      if (socket.writable) socket.write(bytes);
      if (socket.writableLength > maxWaitingBytes) socket.destroy(new AppError('closed', 'the peer reads nothing'));
    },
    end: () => {
      if (socket.destroyed) return;
      socket.destroySoon();
      socket.setTimeout(lingerMs, () => socket.destroy());
    },
  };
}
