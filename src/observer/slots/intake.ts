import { BEAT_BYTES, BeatReader, type BeatReading } from '../../protocol/beat/beat-frame.ts';
import type { Counters } from './counters.ts';
import type { DropReason, DropRecord } from './drop-record.ts';
import { toObserverNs, type BeatOrigin, type IoProblem, type ObserverEvent } from './observer-event.ts';
import { RateGate, type RateGateSettings } from './rate-gate.ts';
import type { Slot } from './slot.ts';
import type { TrackedBeat, Tracker, TrackOutcome } from './tracker.ts';

/** A datagram of a UNIX socket as the kernel handed it over. */
export interface UnixDatagram {
  /** As it was sent; `bytes` has no more than the first 32 of it. */
  readonly size: number;
  readonly bytes: Uint8Array;
  /** MSG_CTRUNC. */
  readonly ctrlTruncated: boolean;
  readonly credentials: { readonly pid: number; readonly uid: number } | null;
  readonly receivedNs: number;
}

/** The PID namespace of a process: its inode, or why it cannot be read. */
export type NamespaceOf = (pid: number, nowNs: number) => bigint | 'gone' | 'hidden';

export interface IntakeDependencies {
  readonly tracker: Tracker;
  readonly counters: Counters;
  readonly drops: DropRecord;
  readonly namespaceOf: NamespaceOf;
  /** The largest pid that the kernel gives now. */
  readonly pidMax: (nowNs: number) => number;
  /** Whether the Beat event of an accepted beat has a listener. */
  readonly wantsBeat: (beat: BeatReading) => boolean;
  /** Called before the Beat that took the place is returned. */
  readonly evicted: (slot: Slot, observerNs: bigint) => void;
}

export interface IntakeSettings {
  /** Users that may beat. */
  readonly allowedUids: ReadonlySet<number>;
  /** Of the observer; null when it cannot be read. */
  readonly ownNamespace: bigint | null;
  readonly allowCrossNamespace: boolean;
  readonly globalRate: RateGateSettings;
}

const noCredentials: IoProblem = {
  kind: 'InvalidData',
  errno: null,
  message: 'no sender credentials attached to the datagram (SO_PASSCRED)',
};
const cutControl: IoProblem = {
  kind: 'InvalidData',
  errno: null,
  message: 'ancillary data truncated by the kernel (MSG_CTRUNC)',
};

/** Decides on each datagram, first rule that applies (docs/observer.md §3). Pure: time comes with the datagrams. */
export class Intake {
  readonly #dependencies: IntakeDependencies;
  #settings: IntakeSettings;
  #gate: RateGate;
  readonly #reader = new BeatReader();
  /** The beat at hand; one object for all, since a flood of objects takes longer to collect than a flood of beats. */
  readonly #beat: { -readonly [Key in keyof TrackedBeat]: TrackedBeat[Key] };
  #latestNs = 0;

  constructor(dependencies: IntakeDependencies, settings: IntakeSettings) {
    this.#dependencies = dependencies;
    this.#settings = settings;
    this.#gate = new RateGate(settings.globalRate);
    const { reading } = this.#reader;
    this.#beat = { frame: reading, origin: 'KernelAttested', nsInode: null, gone: false, receivedNs: 0 };
  }

  /** Holds from the next datagram on. */
  reconfigure(settings: IntakeSettings): void {
    this.#settings = settings;
    this.#gate = new RateGate(settings.globalRate);
  }

  /** The time of the next event: receivers take their times independently, events never go backwards. */
  stamp(ns: number): number {
    this.#latestNs = Math.max(this.#latestNs, ns);
    return this.#latestNs;
  }

  /** What a datagram of a UNIX socket causes; null when it is only counted. */
  takeUnix(datagram: UnixDatagram): ObserverEvent | null {
    const { counters } = this.#dependencies;
    const nowNs = this.stamp(datagram.receivedNs);
    if (datagram.ctrlTruncated) {
      counters.ctrlTruncated += 1;
      return { type: 'CtrlTruncated', error: cutControl, observer_ns: toObserverNs(nowNs) };
    }
    if (!this.#hasSize(datagram.size)) return null;
    const { credentials } = datagram;
    if (credentials === null) return this.#io(noCredentials, nowNs);
    if (!this.#settings.allowedUids.has(credentials.uid)) {
      this.#drop(credentials.pid, 'uid-not-allowed', nowNs);
      return this.#io(uidRefused(credentials.uid, credentials.pid), nowNs);
    }
    const unreadable = this.#read(datagram.bytes, nowNs);
    if (unreadable !== null) return unreadable;
    const { pid } = this.#reader.reading;
    if (!this.#isPossiblePid(pid, nowNs)) return null;
    if (credentials.pid !== pid) {
      counters.authFailures += 1;
      this.#drop(pid, 'auth-failure', nowNs);
      return { type: 'AuthFailure', claimed_pid: pid, observer_ns: toObserverNs(nowNs) };
    }
    return this.#passesGlobalRate(pid, nowNs) ? this.#takeAttested(pid, nowNs) : null;
  }

  /** The kernel vouches for the pid. */
  #takeAttested(pid: number, nowNs: number): ObserverEvent | null {
    const { counters, namespaceOf } = this.#dependencies;
    const namespace = namespaceOf(pid, nowNs);
    const nsInode = typeof namespace === 'bigint' ? namespace : null;
    const { ownNamespace, allowCrossNamespace } = this.#settings;
    if (nsInode !== null && nsInode !== ownNamespace && !allowCrossNamespace) {
      counters.namespaceMismatches += 1;
      return this.#namespaceConflict(pid, nsInode, ownNamespace, nowNs);
    }
    return this.#track('KernelAttested', nsInode, namespace === 'gone', nowNs);
  }

  /** What a frame that came over UDP causes; it has the size of one. */
  takeUdp(bytes: Uint8Array, origin: BeatOrigin, receivedNs: number): ObserverEvent | null {
    const nowNs = this.stamp(receivedNs);
    if (!this.#hasSize(bytes.length)) return null;
    const unreadable = this.#read(bytes, nowNs);
    if (unreadable !== null) return unreadable;
    const { pid } = this.#reader.reading;
    if (!this.#isPossiblePid(pid, nowNs) || !this.#passesGlobalRate(pid, nowNs)) return null;
    return this.#track(origin, null, false, nowNs);
  }

  /** Receiving itself failed. */
  fail(problem: IoProblem, atNs: number): ObserverEvent {
    return this.#io(problem, this.stamp(atNs));
  }

  /** Raises the Stall of a slot that is due. */
  stall(slot: Slot, atNs: number): ObserverEvent {
    slot.stalled = true;
    slot.stalls += 1;
    return {
      type: 'Stall',
      pid: slot.pid,
      last_nonce: slot.nonce,
      last_ns: toObserverNs(slot.lastNs),
      origin: slot.origin,
      pid_ns_inode: slot.nsInode,
      observer_ns: toObserverNs(this.stamp(atNs)),
    };
  }

  #hasSize(size: number): boolean {
    if (size === BEAT_BYTES) return true;
    const { counters } = this.#dependencies;
    if (size === 0) counters.probes += 1;
    else counters.truncatedDatagrams += 1;
    return false;
  }

  /** The event of a frame that does not decode. */
  #read(bytes: Uint8Array, nowNs: number): ObserverEvent | null {
    const error = this.#reader.read(bytes);
    if (error === null) return null;
    this.#dependencies.counters.decodeErrors[error.kind] += 1;
    return { type: 'Decode', error, observer_ns: toObserverNs(nowNs) };
  }

  #isPossiblePid(pid: number, nowNs: number): boolean {
    if (pid <= this.#dependencies.pidMax(nowNs)) return true;
    this.#dependencies.counters.pidAboveMax += 1;
    this.#drop(pid, 'pid-above-max', nowNs);
    return false;
  }

  #passesGlobalRate(pid: number, nowNs: number): boolean {
    if (this.#gate.tryPass(nowNs)) return true;
    this.#dependencies.counters.rateLimitedGlobal += 1;
    this.#drop(pid, 'rate-global', nowNs);
    return false;
  }

  /** What the frame at hand causes. */
  #track(origin: BeatOrigin, nsInode: bigint | null, gone: boolean, receivedNs: number): ObserverEvent | null {
    const beat = this.#beat;
    beat.origin = origin;
    beat.nsInode = nsInode;
    beat.gone = gone;
    beat.receivedNs = receivedNs;
    const { tracker, counters, evicted, wantsBeat } = this.#dependencies;
    const outcome = tracker.accept(beat);
    if (outcome.kind !== 'accepted') return this.#refuse(beat, outcome);
    if (outcome.sequence === 'wrap') counters.nonceWraps += 1;
    if (outcome.sequence === 'restart') counters.nonceRestarts += 1;
    if (outcome.evicted !== null) {
      counters.evicted += 1;
      evicted(outcome.evicted, toObserverNs(receivedNs));
    }
    const { frame } = beat;
    if (!wantsBeat(frame)) return null;
    return {
      type: 'Beat',
      pid: frame.pid,
      status: frame.status,
      payload: frame.payload,
      nonce: frame.nonce,
      origin,
      pid_ns_inode: nsInode,
      observer_ns: toObserverNs(receivedNs),
    };
  }

  #refuse(
    { frame: { pid }, origin, nsInode, receivedNs }: TrackedBeat,
    outcome: Exclude<TrackOutcome, { readonly kind: 'accepted' }>,
  ): ObserverEvent | null {
    const { counters } = this.#dependencies;
    switch (outcome.kind) {
      case 'too-soon':
        counters.rateLimitedPerPid += 1;
        this.#drop(pid, 'rate-pid', receivedNs);
        return null;
      case 'out-of-order':
        counters.outOfOrder += 1;
        this.#drop(pid, 'out-of-order', receivedNs);
        return null;
      case 'table-full':
        counters.capacityExceeded += 1;
        if (outcome.truncated) counters.evictionScanTruncated += 1;
        this.#drop(pid, 'table-full', receivedNs);
        return null;
      case 'namespace-conflict':
        counters.namespaceConflicts += 1;
        return this.#namespaceConflict(pid, nsInode, outcome.pinned, receivedNs);
      case 'origin-conflict':
        counters.originConflicts += 1;
        this.#drop(pid, 'origin', receivedNs);
        return {
          type: 'OriginConflict',
          claimed_pid: pid,
          observed_origin: origin,
          slot_origin: outcome.slotOrigin,
          observer_ns: toObserverNs(receivedNs),
        };
    }
  }

  #namespaceConflict(pid: number, observed: bigint | null, expected: bigint | null, nowNs: number): ObserverEvent {
    this.#drop(pid, 'namespace', nowNs);
    return {
      type: 'NamespaceConflict',
      claimed_pid: pid,
      observed_ns_inode: observed,
      observer_ns_inode: expected,
      observer_ns: toObserverNs(nowNs),
    };
  }

  #io(error: IoProblem, nowNs: number): ObserverEvent {
    this.#dependencies.counters.ioErrors += 1;
    return { type: 'Io', error, observer_ns: toObserverNs(nowNs) };
  }

  #drop(pid: number, reason: DropReason, nowNs: number): void {
    this.#dependencies.drops.note(pid, reason, nowNs);
  }
}

function uidRefused(uid: number, pid: number): IoProblem {
  return { kind: 'PermissionDenied', errno: null, message: `uid ${uid} of pid ${pid} is not in allowed_uids` };
}
