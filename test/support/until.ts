/** What a machine takes that is slow and busy is far below it: this only ends a wait for what never comes. */
export const patienceMs = 60_000;

export interface UntilOptions {
  /** `patienceMs` by default. */
  readonly timeoutMs?: number;
  readonly pollMs?: number;
  /** Named in the error when the deadline passes. */
  readonly what?: string;
}

/**
 * Waits in real time until `condition` answers something truthy, and returns that. Rejects when the deadline passes,
 * and at once when the condition throws.
 */
export async function until<Value>(
  condition: () => Value | Promise<Value>,
  options: UntilOptions = {},
): Promise<Exclude<Value, false | null | undefined>> {
  const { timeoutMs = patienceMs, pollMs = 5, what = condition.toString() } = options;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<Value, false | null | undefined>;
    if (performance.now() >= deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
