/** What a server sends over the connection. */
export type RtspItem =
  | {
      readonly kind: 'response';
      readonly status: number;
      readonly reason: string;
      readonly headers: RtspHeaders;
      readonly body: Buffer;
    }
  /** A request of the server's. */
  | { readonly kind: 'request'; readonly method: string; readonly headers: RtspHeaders }
  /** RTP or RTCP in between (RFC 2326 §10.12). */
  | { readonly kind: 'frame'; readonly channel: number; readonly payload: Buffer };

/** Values by name in lower case, in the order in which they came. */
export type RtspHeaders = ReadonlyMap<string, readonly string[]>;

const maxHeadBytes = 32_768;
/** A session description of two streams has 1 KB. */
const maxBodyBytes = 65_536;

const headEnd = Buffer.from('\r\n\r\n');

/** Takes apart what an RTSP server sends. Pure; holds one item at most. */
export class RtspReader {
  #rest: Buffer = Buffer.alloc(0);
  #problem: string | null = null;

  /** Why nothing more can be read; null while it can. */
  get problem(): string | null {
    return this.#problem;
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  /** The next complete item; null until more has come, or where `problem` says why not. */
  next(): RtspItem | null {
    if (this.#problem !== null) return null;
    // Some servers send empty lines between messages.
    while (this.#rest[0] === 0x0d || this.#rest[0] === 0x0a) this.#rest = this.#rest.subarray(1);
    if (this.#rest.length === 0) return null;
    return this.#rest[0] === 0x24 ? this.#frame() : this.#message();
  }

  #frame(): RtspItem | null {
    if (this.#rest.length < 4) return null;
    const end = 4 + this.#rest.readUInt16BE(2);
    if (this.#rest.length < end) return null;
    const channel = this.#rest.readUInt8(1);
    const payload = this.#rest.subarray(4, end);
    this.#rest = this.#rest.subarray(end);
    return { kind: 'frame', channel, payload };
  }

  #message(): RtspItem | null {
    const end = this.#rest.subarray(0, maxHeadBytes).indexOf(headEnd);
    if (end === -1) {
      if (this.#rest.length >= maxHeadBytes) this.#problem = `a header of more than ${maxHeadBytes} bytes`;
      return null;
    }
    const [first = '', ...lines] = this.#rest.toString('latin1', 0, end).split('\r\n');
    const headers = headersOf(lines);
    const length = this.#bodyBytes(headers);
    const start = end + headEnd.length;
    if (this.#problem !== null || this.#rest.length < start + length) return null;
    const body = Buffer.from(this.#rest.subarray(start, start + length));
    this.#rest = this.#rest.subarray(start + length);
    return this.#item(first, headers, body);
  }

  #bodyBytes(headers: RtspHeaders): number {
    const [written = '0'] = headers.get('content-length') ?? [];
    const length = Number(written);
    if (length >= 0 && length <= maxBodyBytes) return length;
    this.#problem = `a body of ${written.slice(0, 20)} bytes; the limit is ${maxBodyBytes}`;
    return 0;
  }

  #item(first: string, headers: RtspHeaders, body: Buffer): RtspItem | null {
    const status = /^RTSP\/\d\.\d (\d{3})(?: (.*))?$/.exec(first);
    if (status !== null) {
      return { kind: 'response', status: Number(status[1]), reason: (status[2] ?? '').slice(0, 80), headers, body };
    }
    const request = /^([A-Z_]{1,20}) \S+ RTSP\/\d\.\d$/.exec(first);
    if (request !== null) return { kind: 'request', method: request[1] ?? '', headers };
    this.#problem = 'an answer that is not RTSP';
    return null;
  }
}

function headersOf(lines: readonly string[]): RtspHeaders {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}
