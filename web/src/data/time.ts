import { signal, type ReadonlySignal } from '@preact/signals';

/** The page's only door to time. */
export function nowMs(): number {
  return Date.now();
}

/** Calls back once. Returns how to cancel. */
export function later(callback: () => void, delayMs: number): () => void {
  const handle = setTimeout(callback, delayMs);
  return () => clearTimeout(handle);
}

/** Calls back every `periodMs`. Returns how to stop. */
export function every(callback: () => void, periodMs: number): () => void {
  const handle = setInterval(callback, periodMs);
  return () => clearInterval(handle);
}

const tick = signal(nowMs());
every(() => {
  tick.value = nowMs();
}, 1_000);

/** The time, renewed each second: a part that reads it is drawn again. */
export const secondsClock: ReadonlySignal<number> = tick;

/** A time for a `datetime` attribute. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
