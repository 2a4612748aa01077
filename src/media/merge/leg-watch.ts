export type LegAlarm =
  { readonly kind: 'leg-lost'; readonly leg: 1 | 2; readonly reason: string } | { readonly kind: 'legs-lost' };

const silenceUs = 1_000_000;

interface Leg {
  seenUs: number | null;
  connected: boolean;
  lost: boolean;
}

/** Says when a leg of a redundant input is lost, once until it delivers again, and when both are. */
export class LegWatch {
  readonly #legs: Record<1 | 2, Leg> = { 1: newLeg(), 2: newLeg() };
  #bothLost = false;

  onConnected(leg: 1 | 2): void {
    this.#legs[leg].connected = true;
  }

  onData(nowUs: number, leg: 1 | 2): void {
    this.#legs[leg].seenUs = nowUs;
    this.#legs[leg].connected = true;
    this.#legs[leg].lost = false;
    this.#bothLost = false;
  }

  onDisconnected(nowUs: number, leg: 1 | 2, reason: string): LegAlarm[] {
    const state = this.#legs[leg];
    state.connected = false;
    return [...this.#lose(leg, reason), ...this.check(nowUs)];
  }

  /** For how long each leg has delivered nothing; null for one that never has. */
  silence(nowUs: number): readonly { readonly leg: number; readonly silent_secs: number | null }[] {
    return ([1, 2] as const).map((leg) => {
      const { seenUs } = this.#legs[leg];
      return { leg, silent_secs: seenUs === null ? null : Math.max(0, Math.floor((nowUs - seenUs) / 1e6)) };
    });
  }

  /** Call every half second or so. */
  check(nowUs: number): LegAlarm[] {
    const silent = ([1, 2] as const).map((leg) => this.#silent(nowUs, leg));
    const alarms: LegAlarm[] = [];
    if (silent[0] === true && silent[1] === false) alarms.push(...this.#lose(1, 'no data for 1 s'));
    if (silent[1] === true && silent[0] === false) alarms.push(...this.#lose(2, 'no data for 1 s'));
    const ever = this.#legs[1].seenUs !== null || this.#legs[2].seenUs !== null;
    if (ever && silent[0] === true && silent[1] === true && !this.#bothLost) {
      this.#bothLost = true;
      alarms.push({ kind: 'legs-lost' });
    }
    return alarms;
  }

  #silent(nowUs: number, leg: 1 | 2): boolean {
    const { seenUs, connected } = this.#legs[leg];
    return !connected || seenUs === null || nowUs - seenUs >= silenceUs;
  }

  /** Only a leg that has delivered can be lost. */
  #lose(leg: 1 | 2, reason: string): LegAlarm[] {
    const state = this.#legs[leg];
    if (state.lost || state.seenUs === null) return [];
    state.lost = true;
    return [{ kind: 'leg-lost', leg, reason }];
  }
}

function newLeg(): Leg {
  return { seenUs: null, connected: false, lost: false };
}
