import { createServer, type Server } from 'node:http';

export interface OriginAnswer {
  readonly status: number;
  /** The connection ends with the answer. */
  readonly close?: boolean;
}

/** An HTTP server that keeps what is put to it. */
export class HttpOrigin implements AsyncDisposable {
  readonly #server: Server;
  /** What was stored, by name. */
  readonly documents = new Map<string, Buffer>();
  /** Every PUT in order: its path, and how many others were on their way. */
  readonly puts: string[] = [];
  readonly tokens = new Set<string | undefined>();
  mostAtOnce = 0;
  #atOnce = 0;

  private constructor(answer: (name: string, count: number) => OriginAnswer | null) {
    this.#server = createServer((request, response) => {
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
      response.once('close', () => this.#atOnce--);
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const name = request.url?.split('/').at(-1) ?? '';
        this.puts.push(`${request.method ?? ''} ${request.url ?? ''}`);
        this.tokens.add(request.headers.authorization);
        const answered = answer(name, this.puts.filter((put) => put.endsWith(name)).length);
        // Null says nothing.
        if (answered === null) return;
        if (answered.status < 300) this.documents.set(name, Buffer.concat(parts));
        response.writeHead(answered.status, answered.close === true ? { connection: 'close' } : {});
        response.end();
      });
    });
  }

  static async start(answer: (name: string, count: number) => OriginAnswer | null): Promise<HttpOrigin> {
    const origin = new HttpOrigin(answer);
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', () => resolve()));
    return origin;
  }

  get url(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/live`;
  }

  /** Segments that were put, or that it has refused. */
  get segmentsTried(): number {
    return new Set(this.puts.filter((put) => put.endsWith('.ts'))).size;
  }

  get playlist(): string {
    return this.documents.get('playlist.m3u8')?.toString() ?? '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
