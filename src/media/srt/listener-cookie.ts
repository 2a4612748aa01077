import { createHmac } from 'node:crypto';

/** A cookie is good in its minute and the next. */
const minuteUs = 60_000_000;

/** Proves that a caller receives what is sent to its address, without state for each caller. */
export class ListenerCookie {
  readonly #secret: Uint8Array;

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** `remote` names address and port. */
  issue(nowUs: number, remote: string): number {
    return this.#of(Math.floor(nowUs / minuteUs), remote);
  }

  accepts(nowUs: number, remote: string, cookie: number): boolean {
    const minute = Math.floor(nowUs / minuteUs);
    return cookie === this.#of(minute, remote) || cookie === this.#of(minute - 1, remote);
  }

  #of(minute: number, remote: string): number {
    return createHmac('sha256', this.#secret).update(`${remote} ${minute}`).digest().readUInt32BE(0);
  }
}
