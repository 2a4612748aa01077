import { WebSocket } from 'ws';
import { pause } from '../pause.ts';
import type { SimCommand } from './sim-node.ts';

interface Numbered {
  readonly number: number;
  readonly id: string;
}

const retryMs = 200;
const pingEveryMs = 500;
/** A real node waits for 45 s; what is measured here is the manager. */
const silentMs = 3_000;
const firstAnswerMs = 10_000;

/**
 * A simulated node that behaves as ours. It dials a list of managers in turn, and keeps each event until a pong
 * confirms it. It acknowledges every command, and keeps the last one for each tunnel.
 */
export class RoamingNode implements AsyncDisposable {
  readonly id: string;
  readonly raised: string[] = [];
  /** What the newest create or authorise said, by tunnel. */
  readonly tunnels = new Map<string, unknown>();
  /** Codes with which managers closed it. */
  readonly closes: number[] = [];
  url = '';
  readonly #credentials: { readonly node_id: string; readonly node_secret: string };
  readonly #urls: readonly string[];
  #journal: Numbered[] = [];
  #number = 0;
  #socket: WebSocket | null = null;
  #stopped = false;
  #next: number;
  readonly #running: Promise<void>;

  constructor(options: {
    readonly id: string;
    readonly secret: string;
    readonly urls: readonly string[];
    /** Which of the addresses comes first. */
    readonly first: number;
  }) {
    this.id = options.id;
    this.#credentials = { node_id: options.id, node_secret: options.secret };
    this.#urls = options.urls;
    this.#next = options.first;
    this.#running = this.#run();
  }

  get isConnected(): boolean {
    return this.url !== '';
  }

  /** Events that no manager has confirmed yet. */
  get unconfirmed(): number {
    return this.#journal.length;
  }

  raise(): void {
    this.#number += 1;
    const event = { number: this.#number, id: `${this.id}-${this.#number}` };
    this.raised.push(event.id);
    this.#journal.push(event);
    if (this.isConnected) this.#sendEvents([event]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    this.#socket?.terminate();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const url = this.#urls[this.#next++ % this.#urls.length] ?? '';
      await this.#session(url);
      this.url = '';
      await pause(retryMs);
    }
  }

  /** Resolves when it is over. */
  #session(url: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`${url}/ws/node`, {
        ...{ rejectUnauthorized: false, perMessageDeflate: false, handshakeTimeout: 2_000 },
      });
      this.#socket = socket;
      let heardAtMs = performance.now();
      const timer = setInterval(() => {
        if (performance.now() - heardAtMs > (this.isConnected ? silentMs : firstAnswerMs)) socket.terminate();
        else if (this.isConnected) {
          socket.ping('alive');
          socket.ping(`events-${this.#number}`);
        }
      }, pingEveryMs);
      socket.on('error', () => undefined);
      socket.on('close', (code) => {
        clearInterval(timer);
        if (this.isConnected) this.closes.push(code);
        resolve();
      });
      socket.on('open', () => this.#say('auth', { ...this.#credentials, protocol_version: 1, software_version: '1' }));
      socket.on('pong', (data) => {
        heardAtMs = performance.now();
        const stored = Number(/^events-(\d+)$/.exec(data.toString())?.[1] ?? 0);
        this.#journal = this.#journal.filter(({ number }) => number > stored);
      });
      socket.on('message', (data: Buffer) => {
        heardAtMs = performance.now();
        this.#received(url, JSON.parse(data.toString()) as { type: string; payload: unknown });
      });
    });
  }

  #received(url: string, { type, payload }: { readonly type: string; readonly payload: unknown }): void {
    if (type === 'auth_ok') {
      this.url = url;
      this.#sendEvents(this.#journal);
    } else if (type === 'command') this.#obey(payload as SimCommand);
  }

  #obey({ command_id, action }: SimCommand): void {
    if (action.type === 'get_config') {
      this.#say('config_response', { tunnels: [] });
      return;
    }
    if (action.type === 'list_authorized') {
      this.#say('command_ack', { command_id, success: false, error: 'Unknown relay command: list_authorized' });
      return;
    }
    if (action.type === 'create_tunnel') {
      const tunnel = action['tunnel'] as { readonly id: string };
      this.tunnels.set(tunnel.id, tunnel);
    } else if (action.type === 'authorize_tunnel') this.tunnels.set(String(action['tunnel_id']), action);
    this.#say('command_ack', { command_id, success: true });
  }

  #sendEvents(events: readonly Numbered[]): void {
    for (const { id } of events) {
      this.#say('event', { severity: 'info', category: 'trial', message: 'numbered', details: { event_id: id } });
    }
  }

  #say(type: string, payload: unknown): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify({ type, timestamp: '2026-01-01T00:00:00.000Z', payload }));
  }
}
