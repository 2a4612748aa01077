import { TERMINAL_NONCE, type BeatReading } from '../../protocol/beat/beat-frame.ts';
import { nonceOrder } from './nonce-order.ts';
import type { BeatOrigin } from './observer-event.ts';
import type { Slot } from './slot.ts';
import { SlotTable, type SlotTableSettings } from './slot-table.ts';

export interface TrackerSettings extends Omit<SlotTableSettings, 'evictAfterNs'> {
  readonly thresholdNs: number;
  /** `stronger`: a kernel-attested beat takes over the slot of an unverified one. `first`: the slot stays. */
  readonly originPolicy: 'first' | 'stronger';
  /** Least time between two accepted beats of a pid; 0 for any. */
  readonly minGapNs: number;
}

/** A frame and what the transport knows of its sender. The tracker keeps no part of it. */
export interface TrackedBeat {
  readonly frame: BeatReading;
  readonly origin: BeatOrigin;
  /** Null where it cannot be known. */
  readonly nsInode: bigint | null;
  /** The process has ended: its namespace cannot be known then, which proves nothing. */
  readonly gone: boolean;
  readonly receivedNs: number;
}

export type TrackOutcome =
  | {
      readonly kind: 'accepted';
      /** What the sequence did; `restart` is a new one inside the same pid. */
      readonly sequence: 'first' | 'forward' | 'wrap' | 'restart';
      readonly evicted: Slot | null;
    }
  | { readonly kind: 'too-soon' }
  | { readonly kind: 'origin-conflict'; readonly slotOrigin: BeatOrigin }
  | { readonly kind: 'namespace-conflict'; readonly pinned: bigint | null }
  | { readonly kind: 'out-of-order' }
  | { readonly kind: 'table-full'; readonly truncated: boolean };

/** Of beats that continue a slot: made once, since there is one for each beat. */
const continued = {
  forward: { kind: 'accepted', sequence: 'forward', evicted: null },
  wrap: { kind: 'accepted', sequence: 'wrap', evicted: null },
  restart: { kind: 'accepted', sequence: 'restart', evicted: null },
} as const;

/** Slots silent for this many thresholds may make room for a new pid. */
const evictAfterThresholds = 10;

/** Decides whether a beat continues the slot of its pid (docs/observer.md §4). Pure: time comes with the beats. */
export class Tracker {
  readonly table: SlotTable;
  #settings: TrackerSettings;
  readonly #startTimeOf: (pid: number) => number | null;

  /** `startTimeOf` gives the kernel's start time of a process, or null; it is asked rarely. */
  constructor(startTimeOf: (pid: number) => number | null, settings: TrackerSettings) {
    this.#startTimeOf = startTimeOf;
    this.#settings = settings;
    this.table = new SlotTable(tableSettings(settings));
  }

  /** Holds from the next beat on. A smaller capacity keeps the slots that are in use. */
  reconfigure(settings: TrackerSettings): void {
    this.#settings = settings;
    this.table.reconfigure(tableSettings(settings));
  }

  accept(beat: TrackedBeat): TrackOutcome {
    const slot = this.table.get(beat.frame.pid);
    if (slot === undefined) return this.#insert(beat);
    if (this.#isTooSoon(slot, beat)) return { kind: 'too-soon' };
    if (slot.origin !== beat.origin) {
      if (!this.#takesOver(slot, beat)) return { kind: 'origin-conflict', slotOrigin: slot.origin };
      slot.nsInode = null;
      slot.startTime = this.#startTimeOf(slot.pid);
      return this.#refresh(slot, beat, 'restart');
    }
    if (slot.nsInode !== null && beat.nsInode !== slot.nsInode && !(beat.nsInode === null && beat.gone)) {
      return { kind: 'namespace-conflict', pinned: slot.nsInode };
    }
    const order = nonceOrder(slot.nonce, beat.frame.nonce);
    if (order !== 'stale') return this.#refresh(slot, beat, order);
    return this.#isRestart(slot, beat) ? this.#refresh(slot, beat, 'restart') : { kind: 'out-of-order' };
  }

  #insert(beat: TrackedBeat): TrackOutcome {
    const { frame, origin, nsInode, receivedNs } = beat;
    const slot: Slot = {
      pid: frame.pid,
      nonce: frame.nonce,
      status: frame.status,
      payload: frame.payload,
      lastNs: receivedNs,
      origin,
      nsInode,
      startTime: origin === 'KernelAttested' ? this.#startTimeOf(frame.pid) : null,
      stalled: false,
      beats: 1,
      stalls: 0,
    };
    const admission = this.table.admit(slot, receivedNs);
    if (admission.kind === 'full') return { kind: 'table-full', truncated: admission.truncated };
    return { kind: 'accepted', sequence: 'first', evicted: admission.evicted };
  }

  #refresh(slot: Slot, beat: TrackedBeat, sequence: 'forward' | 'wrap' | 'restart'): TrackOutcome {
    const { frame, origin, nsInode, receivedNs } = beat;
    slot.nonce = frame.nonce;
    slot.status = frame.status;
    slot.payload = frame.payload;
    slot.lastNs = receivedNs;
    slot.origin = origin;
    slot.nsInode ??= nsInode;
    slot.stalled = false;
    slot.beats += 1;
    return continued[sequence];
  }

  /** A dying agent says so at once after its last beat, so its terminal frame is let through. */
  #isTooSoon(slot: Slot, { frame, receivedNs }: TrackedBeat): boolean {
    return receivedNs - slot.lastNs < this.#settings.minGapNs && frame.nonce !== TERMINAL_NONCE;
  }

  #takesOver(slot: Slot, beat: TrackedBeat): boolean {
    const { originPolicy } = this.#settings;
    return originPolicy === 'stronger' && beat.origin === 'KernelAttested' && slot.origin === 'NetworkUnverified';
  }

  /**
   * A new process under the old pid, or a second client in the same process after the first fell silent. Never where
   * the sender is not attested: there a stale nonce may be a replay.
   */
  #isRestart(slot: Slot, { origin, receivedNs }: TrackedBeat): boolean {
    if (origin !== 'KernelAttested') return false;
    const startTime = this.#startTimeOf(slot.pid);
    const changed = startTime !== null && slot.startTime !== null && startTime !== slot.startTime;
    if (!changed && receivedNs - slot.lastNs < this.#settings.thresholdNs / 2) return false;
    slot.startTime = startTime ?? slot.startTime;
    return true;
  }
}

function tableSettings(settings: TrackerSettings): SlotTableSettings {
  return { ...settings, evictAfterNs: settings.thresholdNs * evictAfterThresholds };
}
