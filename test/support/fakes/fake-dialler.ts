import type { CertificateCheck } from '../../../src/node-link/link/certificate-check.ts';
import type {
  ManagerDialler,
  ManagerSocket,
  ManagerSocketListener,
} from '../../../src/node-link/link/manager-socket.ts';

/** A socket whose other end is the test. */
export class FakeSocket implements ManagerSocket {
  readonly url: string;
  readonly check: CertificateCheck;
  readonly sent: { type: string; payload: Record<string, unknown> | null }[] = [];
  readonly pings: string[] = [];
  bufferedBytes = 0;
  paused = false;
  ended: 'no' | 'closed' | 'terminated' = 'no';
  readonly #listener: ManagerSocketListener;

  constructor(url: string, check: CertificateCheck, listener: ManagerSocketListener) {
    this.url = url;
    this.check = check;
    this.#listener = listener;
  }

  send(frame: string): void {
    this.sent.push(JSON.parse(frame) as { type: string; payload: Record<string, unknown> | null });
  }

  ping(payload: string): void {
    this.pings.push(payload);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(): void {
    this.#end('closed');
  }

  terminate(): void {
    this.#end('terminated');
  }

  /** The manager's doings. */
  open(): void {
    this.#listener.opened();
  }

  receive(message: unknown): void {
    this.#listener.alive();
    this.#listener.received(typeof message === 'string' ? message : JSON.stringify(message));
  }

  pong(payload: string): void {
    this.#listener.alive();
    this.#listener.ponged(payload);
  }

  end(error: string | null): void {
    this.ended = 'closed';
    this.#listener.closed(error);
  }

  types(): string[] {
    return this.sent.map((frame) => frame.type);
  }

  #end(how: 'closed' | 'terminated'): void {
    if (this.ended !== 'no') return;
    this.ended = how;
    queueMicrotask(() => this.#listener.closed(null));
  }
}

export class FakeDialler implements ManagerDialler {
  readonly sockets: FakeSocket[] = [];

  dial(url: string, check: CertificateCheck, to: ManagerSocketListener): FakeSocket {
    const socket = new FakeSocket(url, check, to);
    this.sockets.push(socket);
    return socket;
  }

  get last(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing was dialled');
    return socket;
  }
}
