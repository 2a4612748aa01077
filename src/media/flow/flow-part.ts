import type { LookupAddress } from 'node:dns';
import type { Clock } from '../../lib/clock.ts';
import type { HostPort } from '../../lib/host-port.ts';
import type { Random } from '../../lib/random.ts';
import type { DatagramObserver, DatagramSocket, DatagramSocketSettings } from '../net/datagram-socket.ts';
import type { DialSettings, StreamObserver, StreamSocket, TcpListener, TcpListenerObserver } from '../net/tcp.ts';
import type { PutRequest, PutResult } from '../net/http-put.ts';
import type { ChunkSink } from './bus.ts';
import type { Chunk } from './chunk.ts';
import type { MediaEvent } from './flow-event.ts';
import type { OfferTaker } from './offer-taker.ts';
import type { Pulse } from './pulse.ts';
import type { InputStats, OutputStats } from './flow-stats.ts';

/** What inputs and outputs need of the worker. */
export interface FlowPartDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly pulse: Pulse;
  readonly openSocket: (settings: DatagramSocketSettings, observer: DatagramObserver) => Promise<DatagramSocket>;
  /** The way through a tunnel of this edge. */
  readonly openTunnel: (tunnel: string, observer: DatagramObserver) => Promise<DatagramSocket>;
  readonly listenTcp: (
    address: HostPort,
    maxConnections: number,
    observer: TcpListenerObserver,
  ) => Promise<TcpListener>;
  readonly dialTcp: (settings: DialSettings, onConnect: () => void, observer: StreamObserver) => StreamSocket;
  readonly httpPut: (request: PutRequest) => Promise<PutResult>;
  readonly resolve: (host: string) => Promise<LookupAddress>;
  readonly report: (event: MediaEvent) => void;
  /** Asks the flow's source for a picture that a decoder can start at, where it can be asked. */
  readonly requestKeyFrame: () => void;
}

export interface FlowInputDependencies extends FlowPartDependencies {
  readonly publish: (nowUs: number, chunk: Chunk) => void;
}

/** How long packets may lie unread in the sockets of a part; those of a part that does not say may not. */
interface Patient {
  readonly patienceMs?: number;
}

export interface FlowInput extends Patient {
  /** Rejects with AppError `address-unavailable`. */
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  stats(): InputStats;
  /** Only of parts that WebRTC peers dial. */
  readonly offers?: OfferTaker;
  /** Only of sources that can be asked. */
  requestKeyFrame?(): void;
}

export interface FlowOutput extends ChunkSink, Patient {
  start(): Promise<void>;
  stop(): Promise<void>;
  stats(): OutputStats;
  /** Only of parts that WebRTC peers dial. */
  readonly offers?: OfferTaker;
}
