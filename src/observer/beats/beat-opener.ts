import { BEAT_BYTES } from '../../protocol/beat/beat-frame.ts';
import { agentKey, openBeat, readEnvelope, type BeatKey } from '../../protocol/beat/secure-beat.ts';
import type { Counters } from '../slots/counters.ts';
import { ReplayGuard } from '../slots/replay-guard.ts';

export interface BeatKeys {
  /** Shared keys; all are accepted. */
  readonly shared: readonly BeatKey[];
  readonly master: readonly BeatKey[];
}

const maxDerivedKeys = 1024;

/**
 * Opens encrypted beats: with every key that fits the layout, so that the time taken says nothing about which fitted.
 */
export class BeatOpener {
  #keys: BeatKeys;
  readonly #counters: Counters;
  readonly #guard = new ReplayGuard();
  readonly #derived = new Map<number, readonly BeatKey[]>();

  constructor(keys: BeatKeys, counters: Counters) {
    this.#keys = keys;
    this.#counters = counters;
  }

  /** Other keys from now on; what was seen stays known. */
  reconfigure(keys: BeatKeys): void {
    this.#keys = keys;
    this.#derived.clear();
  }

  /** The frame's bytes, or null after counting why there are none. `address` is the sender's. */
  open(datagram: Uint8Array, address: string, nowNs: number): Uint8Array | null {
    const envelope = readEnvelope(datagram);
    if (envelope === null) {
      if (datagram.length === 0) this.#counters.probes += 1;
      else this.#counters.truncatedDatagrams += 1;
      return null;
    }
    const frame = this.#tryKeys(datagram, envelope.pid);
    if (frame === null || !hasPid(frame, envelope.pid)) {
      this.#counters.decryptFailures += 1;
      return null;
    }
    const verdict = this.#guard.check(address, envelope.iv, envelope.counter, nowNs);
    if (verdict === 'replayed') this.#counters.replays += 1;
    if (verdict === 'full') this.#counters.senderStateFull += 1;
    return verdict === 'fresh' ? frame : null;
  }

  #tryKeys(datagram: Uint8Array, pid: number | null): Uint8Array | null {
    let opened: Uint8Array | null = null;
    for (const key of pid === null ? this.#keys.shared : this.#agentKeys(pid)) {
      this.#counters.aeadAttempts += 1;
      opened = openBeat(key, datagram) ?? opened;
    }
    return opened;
  }

  #agentKeys(pid: number): readonly BeatKey[] {
    const known = this.#derived.get(pid);
    if (known !== undefined) return known;
    const keys = this.#keys.master.map((master) => agentKey(master, pid));
    if (this.#derived.size >= maxDerivedKeys) this.#derived.clear();
    this.#derived.set(pid, keys);
    return keys;
  }
}

/** An agent has the key of its own pid only; the frame must name no other. */
function hasPid(frame: Uint8Array, pid: number | null): boolean {
  return pid === null || new DataView(frame.buffer, frame.byteOffset, BEAT_BYTES).getUint32(4, true) === pid;
}
