import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

export interface RestRequest {
  readonly method: string;
  /** Sent as it stands. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends requests just as they are told, also such as `fetch` would refuse or tidy up. */
export class RestClient implements Disposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #host: string;
  readonly #port: string;

  /** `address` is `ip:port`. */
  constructor(address: string) {
    const { hostname, port } = new URL(`http://${address}`);
    this.#host = hostname;
    this.#port = port;
  }

  async ask({ method, path, headers, body }: RestRequest): Promise<RestAnswer> {
    // Node frames no body of a GET by itself: it would be read as another request.
    const framed = body === null ? headers : { ...headers, 'content-length': Buffer.byteLength(body) };
    const to = { agent: this.#agent, host: this.#host, port: this.#port };
    const sent = httpRequest({ ...to, method, path, headers: framed });
    sent.end(body ?? undefined);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) };
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
