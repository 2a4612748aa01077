/** Resolves in the next turn of the event loop: packets and timers that are due come first. For work in many pieces. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
