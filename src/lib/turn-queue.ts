/** Runs asynchronous tasks one after the other, in the order of the calls. */
export class TurnQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` when those before it have ended, whether they failed or not. Resolves or rejects as it does. */
  run<Result>(task: () => Promise<Result>): Promise<Result> {
    const turn = this.#last.then(task);
    // The failure is the caller's: the next task runs all the same.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
