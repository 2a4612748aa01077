let reads = new AbortController();
let left: Promise<unknown> = Promise.resolve();

/** Ends what is being read when the user signs out. */
export function readingSignal(): AbortSignal {
  return reads.signal;
}

/** Resolves when no sign-out is under way. */
export function whenStaying(): Promise<unknown> {
  return left;
}

/**
 * Signs out by `leave`. Reads under way are given up and new ones wait for its end: a manager refuses what arrives
 * after a sign-out, and the browser logs each refusal as an error.
 */
export async function whileLeaving(leave: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  left = promise;
  reads.abort();
  reads = new AbortController();
  try {
    await leave();
  } finally {
    resolve(undefined);
  }
}
