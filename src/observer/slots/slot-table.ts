import type { Slot } from './slot.ts';

export interface SlotTableSettings {
  readonly capacity: number;
  /** `strict` evicts only slots that are stalled; `balanced` also those that are merely silent as long. */
  readonly evictionPolicy: 'strict' | 'balanced';
  /** Slots that one insertion looks at, from where the last look ended. */
  readonly scanWindow: number;
  /** Only slots that have been silent for longer are evicted. */
  readonly evictAfterNs: number;
}

export type Admission =
  | { readonly kind: 'admitted'; readonly evicted: Slot | null }
  /** `truncated`: not every slot was looked at. */
  | { readonly kind: 'full'; readonly truncated: boolean };

/** The slots of all pids, at most `capacity`. */
export class SlotTable {
  #settings: SlotTableSettings;
  readonly #byPid = new Map<number, Slot>();
  /** The same slots in fixed places, for the rotating scan. */
  readonly #places: Slot[] = [];
  #cursor = 0;

  constructor(settings: SlotTableSettings) {
    this.#settings = settings;
  }

  reconfigure(settings: SlotTableSettings): void {
    this.#settings = settings;
  }

  get(pid: number): Slot | undefined {
    return this.#byPid.get(pid);
  }

  slots(): readonly Slot[] {
    return this.#places;
  }

  /** Adds the slot of a pid that has none, evicting another where the table is full. */
  admit(slot: Slot, nowNs: number): Admission {
    if (this.#places.length < this.#settings.capacity) {
      this.#places.push(slot);
      this.#byPid.set(slot.pid, slot);
      return { kind: 'admitted', evicted: null };
    }
    const place = this.#findEvictable(nowNs);
    const evicted = place === null ? undefined : this.#places[place];
    if (place === null || evicted === undefined) {
      return { kind: 'full', truncated: this.#settings.scanWindow < this.#places.length };
    }
    this.#byPid.delete(evicted.pid);
    this.#places[place] = slot;
    this.#byPid.set(slot.pid, slot);
    return { kind: 'admitted', evicted };
  }

  #findEvictable(nowNs: number): number | null {
    const looks = Math.min(this.#settings.scanWindow, this.#places.length);
    for (let look = 0; look < looks; look += 1) {
      const place = this.#cursor;
      this.#cursor = (this.#cursor + 1) % this.#places.length;
      const slot = this.#places[place];
      if (slot !== undefined && this.#isEvictable(slot, nowNs)) return place;
    }
    return null;
  }

  #isEvictable(slot: Slot, nowNs: number): boolean {
    const { evictionPolicy, evictAfterNs } = this.#settings;
    return nowNs - slot.lastNs > evictAfterNs && (slot.stalled || evictionPolicy === 'balanced');
  }
}
