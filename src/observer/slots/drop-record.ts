/** Why a beat of a pid was not accepted, for `adit why`. */
export type DropReason =
  | 'auth-failure'
  | 'namespace'
  | 'origin'
  | 'out-of-order'
  | 'pid-above-max'
  | 'rate-global'
  | 'rate-pid'
  | 'table-full'
  | 'uid-not-allowed';

export interface Drop {
  readonly reason: DropReason;
  /** When the last one was received. */
  readonly lastNs: number;
  /** How many in a row had this reason. */
  readonly count: number;
}

/** More pids than a table has slots; the least recently added one makes room. */
const maxPids = 8192;

/** The last drop of each pid. */
export class DropRecord {
  readonly #byPid = new Map<number, { reason: DropReason; lastNs: number; count: number }>();

  note(pid: number, reason: DropReason, nowNs: number): void {
    const known = this.#byPid.get(pid);
    if (known !== undefined) {
      known.count = known.reason === reason ? known.count + 1 : 1;
      known.reason = reason;
      known.lastNs = nowNs;
      return;
    }
    const oldest = this.#byPid.size < maxPids ? undefined : this.#byPid.keys().next().value;
    if (oldest !== undefined) this.#byPid.delete(oldest);
    this.#byPid.set(pid, { reason, lastNs: nowNs, count: 1 });
  }

  get(pid: number): Drop | null {
    return this.#byPid.get(pid) ?? null;
  }
}
