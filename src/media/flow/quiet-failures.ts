const quietUs = 60_000_000;
const mostReasons = 100;

/** Lets the same failure through once a minute: any host that reaches the port can cause it without limit. */
export class QuietFailures {
  readonly #saidUs = new Map<string, number>();

  isNews(nowUs: number, error: string): boolean {
    const last = this.#saidUs.get(error);
    if (last !== undefined && nowUs - last < quietUs) return false;
    if (this.#saidUs.size >= mostReasons) this.#saidUs.clear();
    this.#saidUs.set(error, nowUs);
    return true;
  }
}
