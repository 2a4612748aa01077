import type { ClientRequest } from 'node:http';
import { createRequire } from 'node:module';
import { TLSSocket } from 'node:tls';
import type * as Ws from 'ws';
import { AppError, errorMessage } from '../../lib/app-error.ts';
import { fitsPin } from '../../lib/pin.ts';
import { MAX_NODE_FRAME_BYTES } from '../../protocol/node/limits.ts';
import type { CertificateCheck } from './certificate-check.ts';
import type { ManagerDialler, ManagerSocket, ManagerSocketListener } from './manager-socket.ts';

/** What a manager may take to answer our close frame; an option that the package's types do not have yet. */
const closing = { closeTimeout: 1_000 };

/** Closing codes that say nothing is wrong: normal, going away, and none given. */
const orderlyCodes: ReadonlySet<number> = new Set([1000, 1001, 1005]);

type UsableCheck = Exclude<CertificateCheck, { kind: 'refused' }>;

/** The dialler over real sockets and the `ws` package. */
export const wsDialler: ManagerDialler = {
  dial(url, check, to) {
    // Looked at here too, where the secret leaves: the config is not the only door that addresses come through.
    if (!/^wss:/i.test(url)) throw new AppError('config-invalid', `the manager's address is not wss://: ${url}`);
    return new WsSocket(url, check, to);
  },
};

class WsSocket implements ManagerSocket {
  readonly #socket: Ws.WebSocket;
  #error: string | null = null;

  constructor(url: string, check: UsableCheck, to: ManagerSocketListener) {
    // Loaded with the first connection: a node without a manager never needs it.
    const { WebSocket } = createRequire(import.meta.url)('ws') as typeof Ws;
    const socket = new WebSocket(url, {
      perMessageDeflate: false,
      maxPayload: MAX_NODE_FRAME_BYTES,
      rejectUnauthorized: check.kind === 'chain',
      ...closing,
      // The upgrade request waits for our own look at the certificate.
      finishRequest: (request) => sendOnceTrusted(request, check),
    });
    this.#socket = socket;
    socket.on('open', () => to.opened());
    socket.on('ping', () => to.alive());
    socket.on('pong', (data) => {
      to.alive();
      to.ponged(data.toString());
    });
    socket.on('message', (data, isBinary) => {
      to.alive();
      if (isBinary) this.#fail('binary frame');
      // The package's default binaryType makes every message one Buffer.
      else to.received((data as Buffer).toString());
    });
    socket.on('error', (error) => {
      this.#error ??= errorMessage(error);
    });
    socket.on('close', (code, reason) => to.closed(this.#error ?? closeError(code, reason)));
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(frame: string): void {
    // A failing send closes the socket, which is reported there.
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame, ignore);
  }

  ping(payload: string): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(payload, true, ignore);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #fail(error: string): void {
    this.#error ??= error;
    this.#socket.close(1003, error);
  }
}

function ignore(): void {
  // Outcomes of single writes: see send().
}

function sendOnceTrusted(request: ClientRequest, check: UsableCheck): void {
  const pins = check.kind === 'unchecked' ? [] : check.pins;
  if (pins.length === 0) {
    request.end();
    return;
  }
  request.once('socket', (socket) => {
    socket.once('secureConnect', () => {
      const leaf = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      if (leaf !== undefined && pins.some((pin) => fitsPin(leaf.raw, pin))) request.end();
      else
        request.destroy(new Error(`certificate is not the pinned one: its SHA-256 is ${leaf?.fingerprint256 ?? ''}`));
    });
  });
}

function closeError(code: number, reason: Buffer): string | null {
  if (orderlyCodes.has(code)) return null;
  const text = reason.toString();
  return text === '' ? `closed with code ${code}` : `closed with code ${code}: ${text}`;
}
