import type { Random } from '../../lib/random.ts';
import { Challenge, type Credentials } from './authorization.ts';

const userAgent = 'adit';

/** Writes the requests of one connection: with their number, the session and the credentials. */
export class RtspRequests {
  /** Of the server; null before its first SETUP. */
  sessionId: string | null = null;
  readonly #random: Random;
  readonly #credentials: Credentials | null;
  #sequence = 0;
  #challenge: Challenge | null = null;
  /** Challenges that were answered for the request that waits. */
  #answers = 0;

  constructor(random: Random, credentials: Credentials | null) {
    this.#random = random;
    this.#credentials = credentials;
  }

  write(method: string, url: string, headers: readonly string[]): Buffer {
    const lines = [`${method} ${url} RTSP/1.0`, `CSeq: ${++this.#sequence}`, `User-Agent: ${userAgent}`, ...headers];
    if (this.#challenge !== null && this.#credentials !== null) {
      const cnonce = Buffer.from(this.#random.bytes(8)).toString('hex');
      lines.push(`Authorization: ${this.#challenge.answer(this.#credentials, method, url, cnonce)}`);
    }
    if (this.sessionId !== null) lines.push(`Session: ${this.sessionId}`);
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  }

  /** The server has refused a request for want of a proof. Null: send it again. Otherwise why that is of no use. */
  challenged(values: readonly string[]): string | null {
    const isStale = values.some((value) => /stale\s*=\s*"?true/i.test(value));
    const challenge = Challenge.parse(values);
    if (this.#credentials === null) return 'the server wants a user name and password';
    if (challenge === null) return 'the server wants an authentication that is not known here';
    // Once for each request, and once more where the server only wants a newer nonce.
    if (this.#answers > 1 || (this.#answers === 1 && !isStale)) return 'the user name or the password is wrong';
    this.#answers++;
    this.#challenge = challenge;
    return null;
  }

  accepted(): void {
    this.#answers = 0;
  }
}
