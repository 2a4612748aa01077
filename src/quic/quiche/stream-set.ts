import type { QuicConnection, QuicStream } from '../types.ts';
import type { QuicheHandle } from './binding.ts';
import { BlockedStreams } from './blocked-streams.ts';
import { StreamHandle } from './stream-handle.ts';
import { QuicheStream } from './stream.ts';
import type { StreamOwner } from './stream-owner.ts';
import { Arrivals } from './quirks/arrivals.ts';
import { StreamReaper } from './quirks/stream-reaper.ts';

/** What the streams of a connection need of it. */
export interface StreamSetOwner {
  readonly connection: QuicConnection;
  /** Something is to be sent. */
  planTransmit(): void;
  /** `process` is to be called in the next turn. */
  planReceive(): void;
  /** Sends at once what quiche has ready. True: more may be ready. */
  flush(): boolean;
  packetsSent(): number;
  readonly idleMs: number;
  nowMs(): number;
  later(callback: () => void): void;
  /** Stream data was taken from quiche. */
  onRead(bytes: number): void;
  onStream(stream: QuicStream): void;
  /** The connection cannot go on. */
  onFault(error: unknown): void;
}

/** How often a connection that receives packets is asked for STOP_SENDING. */
const stopProbeMs = 10;

/**
 * Streams that quiche forgets as soon as the peer knows that they are over, and a stop with them, so they are asked
 * each time.
 */
const maxHalfOpenProbes = 64;

/** Asking quiche for a list costs as much as asking for this many streams one by one. */
const fewStreams = 64;

/** After a list in which nothing was wanted (streams whose readers pause), the next list waits. */
const listPauseMs = 2;

/**
 * A connection counts as carrying streams for this long after one was used; its packets are then acknowledged at once.
 */
const activeMs = 1000;

/**
 * The streams of one connection: finds what has happened on them, which quiche does not announce, at a bounded price
 * per turn.
 */
export class StreamSet implements StreamOwner<QuicheStream> {
  readonly connection: QuicConnection;
  readonly arrivals: Arrivals;
  readonly #handle: QuicheHandle;
  readonly #owner: StreamSetOwner;
  readonly #isServer: boolean;
  readonly #open = new Map<number, QuicheStream>();
  readonly #blocked = new BlockedStreams();
  readonly #halfOpen = new Set<QuicheStream>();
  readonly #reaper: StreamReaper;
  #events: QuicheStream[] = [];
  /** Id of the bidirectional stream that the peer opens next. */
  #nextOfPeer: number;
  #nextBidi = 0;
  #nextUni = 0;
  #usedAtMs = Number.NEGATIVE_INFINITY;
  #used = false;
  #probedAtMs = Number.NEGATIVE_INFINITY;
  #probeDue = false;
  #listAllowedAtMs = Number.NEGATIVE_INFINITY;
  #listDue = false;

  constructor(handle: QuicheHandle, owner: StreamSetOwner, isServer: boolean) {
    this.#handle = handle;
    this.#owner = owner;
    this.connection = owner.connection;
    this.#isServer = isServer;
    this.#nextOfPeer = isServer ? 0 : 1;
    this.arrivals = new Arrivals(handle, owner);
    this.#reaper = new StreamReaper(handle, this.arrivals);
  }

  isActive(nowMs: number): boolean {
    return nowMs - this.#usedAtMs < activeMs;
  }

  /** When `process` wants to be called even if nothing arrives. */
  dueMs(): number {
    const probeAt = this.#probeDue ? this.#probedAtMs + stopProbeMs : Number.POSITIVE_INFINITY;
    const listAt = this.#listDue ? this.#listAllowedAtMs : Number.POSITIVE_INFINITY;
    return Math.min(probeAt, listAt, this.arrivals.dueMs, this.#reaper.dueMs);
  }

  openBidi(): QuicheStream | null {
    const stream = this.#openOwn(this.#nextBidi * 4 + (this.#isServer ? 1 : 0), 'both');
    if (stream !== null) this.#nextBidi += 1;
    return stream;
  }

  openUni(): QuicheStream | null {
    const stream = this.#openOwn(this.#nextUni * 4 + (this.#isServer ? 3 : 2), 'write');
    if (stream !== null) this.#nextUni += 1;
    return stream;
  }

  /** `arrived`: packets came since the last time. */
  process(arrived: boolean, nowMs: number): void {
    if (arrived) this.arrivals.heardAtMs = nowMs;
    if (arrived || this.#listDue) this.#read(nowMs);
    if (arrived) {
      this.#probeDue = this.#open.size > 0;
      if (this.#halfOpen.size <= maxHalfOpenProbes) for (const stream of this.#halfOpen) stream.checkStop();
    }
    if (this.#probeDue && nowMs >= this.#probedAtMs + stopProbeMs) this.#probeStops(nowMs);
    if (!this.#blocked.isEmpty) this.#blocked.retry(this.#open.values());
    this.arrivals.resume(nowMs);
    this.#deliverEvents();
    this.#reaper.reap(nowMs);
    if (this.#used) this.#usedAtMs = nowMs;
    this.#used = false;
  }

  /** Gives quiche what it takes now, before a close throws the rest away. */
  pushOut(): void {
    for (const stream of this.#open.values()) stream.pushOut(true);
  }

  /** The connection is gone: splices end, handlers are not called any more. */
  lose(): void {
    for (const stream of this.#open.values()) stream.lose();
    this.#open.clear();
    this.#blocked.clear();
    this.#halfOpen.clear();
    this.#events = [];
  }

  plan(): void {
    this.#used = true;
    this.#owner.planTransmit();
  }

  onRead(bytes: number): void {
    this.#owner.onRead(bytes);
    this.plan();
  }

  get packetsSent(): number {
    return this.#owner.packetsSent();
  }

  flush(): void {
    this.#owner.flush();
  }

  leaves(give: () => void): boolean {
    const more = this.#owner.flush();
    give();
    const { packetsSent } = this;
    this.#owner.flush();
    return !more && this.packetsSent > packetsSent;
  }

  /**
   * Two packets, as quiche lets the first one into a rest of the congestion window that holds a PING and no STREAM
   * frame.
   */
  hasRoom(): boolean {
    const ping = (): void => this.#handle.sendAckEliciting();
    return this.leaves(ping) && this.leaves(ping);
  }

  hold(stream: QuicheStream): void {
    this.arrivals.hold(stream);
    this.#owner.planReceive();
  }

  addBlocked(stream: QuicheStream): void {
    this.#blocked.add(stream);
  }

  addEvent(stream: QuicheStream): void {
    this.#events.push(stream);
    this.#owner.planReceive();
  }

  later(callback: () => void): void {
    this.#owner.later(callback);
  }

  onReadOver(stream: QuicheStream): void {
    this.#halfOpen.add(stream);
  }

  onOver(stream: QuicheStream): void {
    this.#open.delete(stream.id);
    this.#halfOpen.delete(stream);
    this.#reaper.add(stream.id, stream.writeEnd === 'reset', this.#owner.nowMs());
  }

  #openOwn(id: number, directions: 'both' | 'write'): QuicheStream | null {
    const handle = this.#streamHandle(id);
    if (!handle.open()) return null;
    return this.#add(handle, directions);
  }

  #streamHandle(id: number): StreamHandle {
    return new StreamHandle(this.#handle, id, (error) => this.#owner.onFault(error));
  }

  #add(handle: StreamHandle, directions: 'both' | 'read' | 'write'): QuicheStream {
    const stream = new QuicheStream(handle, this, directions);
    this.#open.set(handle.id, stream);
    return stream;
  }

  #read(nowMs: number): void {
    if (!this.#handle.isReadable()) {
      this.#listDue = false;
      return;
    }
    if (this.#open.size <= fewStreams) {
      for (const stream of this.#open.values()) if (stream.wantsRead() && stream.isReadable()) this.#notify(stream);
      if (!this.#handle.isReadable()) return;
    }
    // Peers open their streams in order, so the next new one is nearly always this one.
    while (this.#handle.streamReadable(this.#nextOfPeer)) this.#onUnknown(this.#nextOfPeer);
    if (!this.#handle.isReadable()) return;
    this.#listDue = nowMs < this.#listAllowedAtMs;
    if (this.#listDue) return;
    if (!this.#readList()) this.#listAllowedAtMs = nowMs + listPauseMs;
  }

  /** False: nothing in quiche's list was wanted. */
  #readList(): boolean {
    let wanted = false;
    for (const id of this.#handle.readable()) {
      const known = this.#open.get(id);
      if (known === undefined) {
        wanted = this.#onUnknown(id) || wanted;
      } else if (known.wantsRead()) {
        wanted = true;
        this.#notify(known);
      }
    }
    return wanted;
  }

  /** A new stream of the peer, or one that is over and that quiche keeps listing. */
  #onUnknown(id: number): boolean {
    if (this.#reaper.has(id) || this.#isOwn(id)) return false;
    if ((id & 2) === 0) this.#nextOfPeer = Math.max(this.#nextOfPeer, id + 4);
    const stream = this.#add(this.#streamHandle(id), (id & 2) === 0 ? 'both' : 'read');
    this.#used = true;
    this.#owner.onStream(stream);
    this.#notify(stream);
    return true;
  }

  #isOwn(id: number): boolean {
    return ((id & 1) === 1) === this.#isServer;
  }

  #notify(stream: QuicheStream): void {
    this.#used = true;
    stream.notifyReadable();
  }

  #probeStops(nowMs: number): void {
    this.#probedAtMs = nowMs;
    this.#probeDue = false;
    for (const stream of this.#open.values()) stream.look();
  }

  #deliverEvents(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    for (const stream of events) stream.deliver();
  }
}
