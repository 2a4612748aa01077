import type { Clock } from '../../lib/clock.ts';

const windowMs = 60_000;
const lockMs = 60_000;
const failuresPerPair = 5;
const failuresPerId = 50;
/** Beyond this the oldest entries are forgotten, so that invented ids do not fill the memory. */
const maxEntries = 20_000;

interface Entry {
  failures: number[];
  lockedUntilMs: number;
}

/**
 * Locks ids after failed attempts: five failures within a minute lock an id for that address, fifty lock it for every
 * address that never succeeded. So knowing a node's id is not enough to lock the node itself out. With a registration
 * token no id is known (null): only the address counts, or any peer could keep every node from registering. Times are
 * monotonic.
 */
export class AuthLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pairs = new Map<string, Entry>();
  readonly #ids = new Map<string, Entry>();
  readonly #trusted = new Map<string, true>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  isLocked(id: string | null, address: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const pair = pairKey(id, address);
    if ((this.#pairs.get(pair)?.lockedUntilMs ?? 0) > nowMs) return true;
    if (id === null || this.#trusted.has(pair)) return false;
    return (this.#ids.get(id)?.lockedUntilMs ?? 0) > nowMs;
  }

  failed(id: string | null, address: string): void {
    const nowMs = this.#clock.monotonicMs();
    count(this.#pairs, pairKey(id, address), failuresPerPair, nowMs);
    if (id !== null) count(this.#ids, id, failuresPerId, nowMs);
  }

  succeeded(id: string, address: string): void {
    const pair = pairKey(id, address);
    this.#pairs.delete(pair);
    this.#trusted.delete(pair);
    this.#trusted.set(pair, true);
    trim(this.#trusted);
  }
}

function pairKey(id: string | null, address: string): string {
  return id === null ? address : `${address} ${id}`;
}

function count(entries: Map<string, Entry>, key: string, limit: number, nowMs: number): void {
  const entry = entries.get(key) ?? { failures: [], lockedUntilMs: 0 };
  entry.failures = [...entry.failures.filter((at) => at > nowMs - windowMs), nowMs].slice(-limit);
  if (entry.failures.length >= limit) entry.lockedUntilMs = nowMs + lockMs;
  entries.delete(key);
  entries.set(key, entry);
  trim(entries);
}

function trim(entries: Map<string, unknown>): void {
  for (const key of entries.keys()) {
    if (entries.size <= maxEntries) return;
    entries.delete(key);
  }
}
