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
 * address that never succeeded. So knowing a node's id is not enough to lock the node itself out. Monotonic time.
 */
export class AuthLimiter {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #pairs = new Map<string, Entry>();
  readonly #ids = new Map<string, Entry>();
  readonly #trusted = new Map<string, true>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  isLocked(id: string, address: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const pair = pairKey(id, address);
    if ((this.#pairs.get(pair)?.lockedUntilMs ?? 0) > nowMs) return true;
    return !this.#trusted.has(pair) && (this.#ids.get(id)?.lockedUntilMs ?? 0) > nowMs;
  }

  failed(id: string, address: string): void {
    const nowMs = this.#clock.monotonicMs();
    count(this.#pairs, pairKey(id, address), failuresPerPair, nowMs);
    count(this.#ids, id, failuresPerId, nowMs);
  }

  succeeded(id: string, address: string): void {
    const pair = pairKey(id, address);
    this.#pairs.delete(pair);
    this.#trusted.delete(pair);
    this.#trusted.set(pair, true);
    trim(this.#trusted);
  }
}

function pairKey(id: string, address: string): string {
  return `${address} ${id}`;
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
