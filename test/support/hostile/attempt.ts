/** The library throws for everything that the relay or we did wrong. Here that is the point, so it becomes undefined. */
export function attempt<Result>(call: () => Result, onFault: (message: string) => void = () => {}): Result | undefined {
  try {
    return call();
  } catch (error) {
    onFault(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
