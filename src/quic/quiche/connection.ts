import type { RemoteInfo } from 'node:dgram';
import { errorMessage } from '../../lib/app-error.ts';
import type { CloseInfo, ConnectionStats } from '../connection-report.ts';
import type {
  ConnectionHandler,
  DatagramSendResult,
  DatagramTarget,
  Ledger,
  QuicConnection,
  QuicStream,
  RouteHandle,
  SocketAddress,
} from '../types.ts';
import { AckPace } from './ack-pace.ts';
import { closeInfo, handshakeTooLong, reasonBytes, silentTooLong } from './close-info.ts';
import { fault, giveUp, type ConnectionEnvironment, type Ending } from './connection-environment.ts';
import { DatagramRouter } from './datagram-router.ts';
import type { TimerMember } from './timers.ts';
import type { QuicheLedger } from './ledger.ts';
import type { Loop, LoopMember } from './loop.ts';
import { packetsAccepted, receivePacket, type QuicheHandle } from './binding.ts';
import { ForwardTarget, ownLedger } from './route.ts';
import { Budget } from './budget.ts';
import type { PeerPath } from './peer-path.ts';
import { StreamSet } from './stream-set.ts';
import { TrafficMeter } from './traffic-meter.ts';
import { Transmitter } from './transmitter.ts';

export class QuicheConnection extends ForwardTarget implements QuicConnection, LoopMember, TimerMember {
  readonly id: number;
  readonly local: SocketAddress;
  receiveQueued = false;
  transmitQueued = false;
  heapIndex = -1;
  dueMs = 0;
  readonly #environment: ConnectionEnvironment;
  readonly #handle: QuicheHandle;
  readonly #path: PeerPath;
  readonly #loop: Loop;
  readonly #transmitter: Transmitter;
  readonly #streams: StreamSet;
  readonly #router: DatagramRouter;
  readonly #acks = new AckPace();
  readonly #meter = new TrafficMeter();
  readonly #budget: Budget;
  readonly #handshakeDueMs: number;
  #handler: ConnectionHandler | null = null;
  #heardAtMs: number;
  #moved = false;
  #ending: Ending | null = null;
  #over = false;

  constructor(environment: ConnectionEnvironment) {
    super();
    const { handle, transport, nowMs, socket, path } = environment;
    this.#environment = environment;
    this.id = environment.id;
    this.local = socket.address;
    this.#handle = handle;
    this.#path = path;
    this.#loop = environment.loop;
    this.#transmitter = new Transmitter(handle, { socket, path, meter: this.#meter }, transport, nowMs);
    this.#streams = new StreamSet(handle, this.#streamSetOwner(), environment.isServer);
    const onLocal = (payload: Uint8Array, late: boolean): void =>
      late ? this.#handler?.onLateDatagram?.() : this.#handler?.onDatagram(payload);
    this.#router = new DatagramRouter(handle, environment, this.#meter, transport.localDatagrams ? onLocal : null);
    this.#budget = new Budget(transport, nowMs);
    this.#heardAtMs = nowMs;
    this.#handshakeDueMs = nowMs + transport.handshakeTimeoutMs;
    this.#loop.planTransmit(this);
  }

  get remote(): SocketAddress {
    return this.#path.address;
  }

  get peerCertificate(): Uint8Array | null {
    return this.#handle.peerCertChain()?.[0] ?? null;
  }

  get silentMs(): number {
    return this.#isOpen() ? this.#environment.clock.monotonicMs() - this.#heardAtMs : Number.POSITIVE_INFINITY;
  }

  /** The edge moves the bytes of its local sockets by itself here. */
  readonly localSends = 0;

  openBidi(): QuicStream | null {
    return this.#isOpen() ? this.#streams.openBidi() : null;
  }

  openUni(): QuicStream | null {
    return this.#isOpen() ? this.#streams.openUni() : null;
  }

  sendDatagram(payload: Uint8Array, ledger: Ledger | null = null): DatagramSendResult {
    const own = ledger && ownLedger(ledger);
    own?.noteIn(payload.length);
    if (!this.#isOpen()) return own?.noteClosed() ?? 'closed';
    this.#loop.planTransmit(this);
    return this.#transmitter.offer(payload, own, this.#environment.clock.monotonicMs());
  }

  routeDatagrams(prefix: Uint8Array, target: DatagramTarget, ledger: Ledger): RouteHandle {
    return this.#router.route(prefix, target, ledger);
  }

  markProven(): void {
    this.#budget.markProven();
  }

  ping(): void {
    if (!this.#isOpen()) return;
    this.#transmitter.ping();
    this.#loop.planTransmit(this);
  }

  stats(): ConnectionStats {
    return this.#transmitter.stats();
  }

  close(code: number, reason: string): void {
    this.end({ info: { kind: 'local', code, reason }, code, reason, isApp: true });
  }

  /** The first ending counts. It happens in the next turn, after what streams hold was sent. */
  end(ending: Ending): void {
    if (this.#over || this.#ending !== null) return;
    this.#ending = ending;
    this.#loop.planReceive(this);
  }

  /** A packet with one of our ids came from `remote`; it may be anything. */
  onPacket(packet: Uint8Array, remote: RemoteInfo, nowMs: number, late = false): void {
    if (this.#over) return;
    const size = packet.length;
    // Asking quiche whether a packet is authentic costs as much as all the rest, so only where it matters.
    const doubtful = !this.#path.proved || !this.#path.isHere(remote.address, remote.port);
    const before = doubtful ? packetsAccepted(this.#handle) : 0;
    try {
      receivePacket(this.#handle, packet);
      if (late && this.#handler !== null) this.#router.expire();
    } catch (error) {
      this.#fail(error);
    }
    if (doubtful && this.#handler !== null && packetsAccepted(this.#handle) > before) {
      this.#moved = this.#path.onAuthentic(remote.address, remote.port, size, nowMs) || this.#moved;
    }
    this.#heardAtMs = nowMs;
    this.#acks.onPacket();
    this.#meter.onReceived(size);
    this.#loop.planReceive(this);
  }

  receive(nowMs: number): void {
    if (this.#over) return;
    try {
      if (!this.#transmitter.isClosing) this.#receive(nowMs);
    } catch (error) {
      this.#fail(error);
    }
    if (this.#ending !== null) this.#finish(this.#ending, nowMs);
    else if (this.#handle.isDraining() || this.#handle.isClosed()) this.#gone(closeInfo(this.#handle), null);
    else if (!this.transmitQueued) this.#setDeadline(nowMs);
  }

  transmit(nowMs: number): boolean {
    if (this.#over || this.#transmitter.isClosing) return false;
    let more = false;
    try {
      more = this.#transmitter.transmit(nowMs);
    } catch (error) {
      this.#fail(error);
    }
    this.#acks.flushed();
    this.#setDeadline(nowMs);
    return more;
  }

  onDeadline(nowMs: number): void {
    if (this.#over) return;
    try {
      if (this.#handle.timeout() === 0) this.#transmitter.onTimeout(nowMs);
      if (this.#transmitter.keepAliveDueMs <= nowMs) this.#handle.sendAckEliciting();
    } catch (error) {
      this.#fail(error);
    }
    if (this.#handler === null && nowMs >= this.#handshakeDueMs) this.end(giveUp('error', handshakeTooLong));
    // quiche waits for three probe timeouts at least, which on a busy machine come to minutes.
    const longestSilenceMs = 2 * this.#environment.transport.idleTimeoutMs;
    if (nowMs - this.#heardAtMs >= longestSilenceMs) this.end(giveUp('idle', silentTooLong));
    this.#loop.planReceive(this);
    this.#loop.planTransmit(this);
  }

  override forward(datagram: Uint8Array, ledger: QuicheLedger, arrivedMs: number): void {
    if (this.#over) ledger.drops.no_peer += 1;
    else if (this.#ending !== null) ledger.drops.closing += 1;
    else {
      this.#transmitter.offer(datagram, ledger, arrivedMs);
      this.#loop.planTransmit(this);
    }
  }

  #receive(nowMs: number): void {
    if (this.#handler === null && !this.#establish(nowMs)) {
      this.#loop.planTransmit(this);
      return;
    }
    // They came at `#heardAtMs` at the latest; the process may have stood still since.
    if (nowMs - this.#heardAtMs > this.#environment.transport.datagramQueueMs) this.#router.expire();
    else this.#router.drain(this.#heardAtMs);
    const arrived = this.#acks.arrived > 0;
    this.#streams.process(arrived, nowMs);
    const excess = this.#budget.judge(this.#meter, nowMs);
    this.#meter.clear();
    if (excess !== null) this.end(giveUp('budget', excess));
    if (this.#moved) {
      this.#moved = false;
      this.#handler?.onAddressChange(this.remote);
    }
    const eager = this.#transmitter.blocked || this.#streams.isActive(nowMs);
    if (arrived && this.#acks.decide(eager, nowMs)) this.#loop.planTransmit(this);
  }

  #establish(nowMs: number): boolean {
    if (!this.#handle.isEstablished()) return false;
    const answer = this.#environment.onEstablished();
    if (typeof answer === 'string') {
      this.end(giveUp('error', answer));
      return false;
    }
    this.#handler = answer;
    this.#transmitter.onEstablished(nowMs);
    return true;
  }

  /** Sends what streams hold and the close, and is gone. */
  #finish(ending: Ending, nowMs: number): void {
    try {
      if (!this.#transmitter.isClosing) this.#streams.pushOut();
      if (!this.#transmitter.readyToClose(nowMs)) {
        this.#setDeadline(nowMs);
        return;
      }
      this.#handle.close(ending.isApp, ending.code, reasonBytes(ending.reason));
    } catch (error) {
      this.#gone({ ...ending.info, reason: `${ending.info.reason} (${errorMessage(error)})` }, null);
      return;
    }
    this.#gone(ending.info, this.#transmitter.sendClose());
  }

  #gone(info: CloseInfo, closePacket: Uint8Array | null): void {
    this.#over = true;
    this.#environment.timers.remove(this);
    this.#transmitter.clear('closing');
    this.#streams.lose();
    this.#environment.onGone(closePacket);
    if (this.#handler === null) this.#environment.onFailed(info);
    else this.#handler.onClosed(info);
  }

  /** A native call threw: quiche has closed the connection already, or cannot go on with it. */
  #fail(error: unknown): void {
    if (this.#ending === null) this.end(fault(this.#handle, error));
  }

  #isOpen(): boolean {
    return this.#handler !== null && !this.#over && this.#ending === null;
  }

  #setDeadline(nowMs: number): void {
    const timeout = this.#handle.timeout();
    const dueMs = Math.min(
      timeout === null ? Number.POSITIVE_INFINITY : nowMs + timeout,
      this.#handler === null ? this.#handshakeDueMs : this.#transmitter.keepAliveDueMs,
      this.#acks.dueMs,
      this.#transmitter.dueMs,
      this.#streams.dueMs(),
    );
    if (dueMs !== this.dueMs || this.heapIndex < 0) this.#environment.timers.set(this, dueMs);
  }

  #streamSetOwner(): ConstructorParameters<typeof StreamSet>[1] {
    return {
      connection: this,
      planTransmit: () => this.#loop.planTransmit(this),
      planReceive: () => this.#loop.planReceive(this),
      flush: () => this.#transmitter.flush(this.#environment.clock.monotonicMs()),
      packetsSent: () => this.#transmitter.packetsSent,
      idleMs: this.#environment.transport.idleTimeoutMs,
      nowMs: () => this.#environment.clock.monotonicMs(),
      later: (callback) => this.#loop.later(callback),
      onRead: (bytes) => this.#meter.onUseful(bytes),
      onStream: (stream) => this.#handler?.onStream(stream),
      onFault: (error) => this.#fail(error),
    };
  }
}
