import type { Clock } from './clock.ts';

/** Waits for `work`, but no longer than `timeoutMs`: false when it is under way still. Rejects as it does. */
export async function settledWithin(clock: Clock, work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const deadline = clock.setTimeout(() => late.resolve(false), timeoutMs);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    deadline.cancel();
  }
}
