export interface RateGateSettings {
  /** 0 lets everything through. */
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** A token bucket over the receive times of datagrams. */
export class RateGate {
  readonly #settings: RateGateSettings;
  #tokens: number;
  #atNs: number | null = null;

  constructor(settings: RateGateSettings) {
    this.#settings = settings;
    this.#tokens = settings.burst;
  }

  tryPass(nowNs: number): boolean {
    const { ratePerSecond, burst } = this.#settings;
    if (ratePerSecond === 0) return true;
    const gained = ((nowNs - (this.#atNs ?? nowNs)) / 1e9) * ratePerSecond;
    this.#tokens = Math.min(burst, this.#tokens + gained);
    this.#atNs = nowNs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
