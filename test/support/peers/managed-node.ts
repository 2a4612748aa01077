import { randomUUID } from 'node:crypto';
import type { WebSocket } from 'ws';
import { until } from '../until.ts';

/** What an `auth` frame says. */
export interface AuthPayload {
  readonly registration_token?: string;
  readonly node_id?: string;
  readonly node_secret?: string;
  readonly software_version: string;
  readonly protocol_version: number;
}

/** A text frame from a node, as it was read. */
export interface Frame {
  readonly type: string;
  readonly timestamp: string;
  readonly payload: unknown;
}

export interface ReceivedEvent extends Frame {
  readonly payload: {
    readonly severity: string;
    readonly category: string;
    readonly message: string;
    readonly flow_id?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** The time in an event, milliseconds since the epoch. */
export function raisedAtMs(event: ReceivedEvent): number {
  return Date.parse(event.timestamp);
}

export interface CommandAck {
  readonly command_id: string;
  readonly success: boolean;
  readonly data?: unknown;
  readonly error?: string;
  readonly error_code?: string;
}

/** One connection of a node, as its manager sees it. */
export class ManagedNode {
  readonly frames: Frame[] = [];
  readonly events: ReceivedEvent[] = [];
  readonly acks: CommandAck[] = [];
  auth: AuthPayload | null = null;
  /** Null until it is authenticated. */
  nodeId: string | null = null;
  pings = 0;
  closed: { readonly code: number; readonly reason: string } | null = null;
  readonly #socket: WebSocket;
  readonly #listeners = new Set<(frame: Frame) => void>();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#received(JSON.parse(data.toString()) as Frame));
    socket.on('ping', () => this.pings++);
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  get isOpen(): boolean {
    return this.closed === null && this.#socket.readyState === this.#socket.OPEN;
  }

  onFrame(listener: (frame: Frame) => void): void {
    this.#listeners.add(listener);
  }

  /** The payloads of all frames of a type. */
  payloads<T>(type: string): T[] {
    return this.frames.filter((frame) => frame.type === type).map((frame) => frame.payload as T);
  }

  async frame(type: string): Promise<Frame> {
    return until(() => this.frames.find((frame) => frame.type === type), { what: `a ${type} frame` });
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  sendBinary(data: Uint8Array): void {
    this.#socket.send(data);
  }

  /** Sends a command and does not wait; answers its id. */
  order(action: unknown, commandId: string = randomUUID()): string {
    const payload = { command_id: commandId, action };
    this.sendText(JSON.stringify({ type: 'command', timestamp: new Date().toISOString(), payload }));
    return commandId;
  }

  /** Sends a command and waits for its ack. */
  async command(action: unknown, commandId: string = randomUUID()): Promise<CommandAck> {
    const seen = this.acks.length;
    this.order(action, commandId);
    return until(() => this.acks.slice(seen).find((ack) => ack.command_id === commandId), {
      what: `the ack of ${JSON.stringify(action).slice(0, 200)}`,
    });
  }

  /** Reads nothing more, as a manager that hangs. */
  stall(): void {
    this.#socket.pause();
  }

  unstall(): void {
    this.#socket.resume();
  }

  ping(): void {
    this.#socket.ping();
  }

  close(code = 1000, reason = ''): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #received(frame: Frame): void {
    this.frames.push(frame);
    if (frame.type === 'event') this.events.push(frame as ReceivedEvent);
    if (frame.type === 'command_ack') this.acks.push(frame.payload as CommandAck);
    for (const listener of this.#listeners) listener(frame);
  }
}
