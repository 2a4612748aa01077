import { once } from 'node:events';
import { WebSocket } from 'ws';
import { until } from '../until.ts';

export interface SimFrame {
  readonly type: string;
  readonly message?: string;
  readonly payload?: unknown;
}

export interface SimCommand {
  readonly command_id: string;
  readonly action: Readonly<Record<string, unknown>> & { readonly type: string };
}

/** What a node says to a command: `silence` says nothing. */
export type SimAnswer =
  | { readonly data?: unknown; readonly error?: never; readonly error_code?: never }
  | { readonly error: string; readonly error_code?: string }
  | 'silence';

/** A node as the manager sees it, made by hand: it says what the test wants and keeps what it gets. */
export class SimNode implements AsyncDisposable {
  readonly frames: SimFrame[] = [];
  readonly commands: SimCommand[] = [];
  readonly pongs: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  /** What `get_config` brings; null answers nothing. */
  config: unknown = { tunnels: [] };
  answer: (command: SimCommand) => SimAnswer = () => ({});
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#received(JSON.parse(data.toString()) as SimFrame));
    socket.on('pong', (data) => this.pongs.push(data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  static async dial(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SimNode> {
    const socket = new WebSocket(`${url}/ws/node`, { rejectUnauthorized: false, perMessageDeflate: false, headers });
    const node = new SimNode(socket);
    await once(socket, 'open');
    return node;
  }

  /** Dials and authenticates; rejects when the manager refuses. */
  static async connect(
    url: string,
    credentials: Readonly<Record<string, unknown>>,
    setup?: (node: SimNode) => void,
  ): Promise<SimNode> {
    const node = await SimNode.dial(url);
    setup?.(node);
    const answer = await node.authenticate(credentials);
    if (answer.type === 'auth_error') throw new Error(answer.message);
    return node;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async authenticate(credentials: Readonly<Record<string, unknown>>): Promise<SimFrame> {
    const payload = { software_version: '1.0.0', protocol_version: 1, ...credentials };
    this.send({ type: 'auth', timestamp: new Date().toISOString(), payload });
    return this.frame(({ type }) => type !== 'command');
  }

  send(frame: unknown): void {
    this.sendText(JSON.stringify(frame));
  }

  sendText(text: string | Uint8Array): void {
    this.#socket.send(text);
  }

  say(type: string, payload: unknown): void {
    this.send({ type, timestamp: new Date().toISOString(), payload });
  }

  event(message: string, eventId?: string): void {
    const details = eventId === undefined ? {} : { details: { event_id: eventId } };
    this.say('event', { severity: 'info', category: 'edge', message, ...details });
  }

  ping(payload: string): void {
    this.#socket.ping(payload);
  }

  pause(): void {
    this.#socket.pause();
  }

  terminate(): void {
    this.#socket.terminate();
  }

  frame(test: (frame: SimFrame) => boolean): Promise<SimFrame> {
    return until(() => this.frames.find(test) ?? (this.closed === null ? undefined : { type: 'closed' }), {
      what: 'a frame of the manager',
    });
  }

  /** Waits until commands of this type came, and returns the newest. */
  async command(type: string, count = 1): Promise<SimCommand> {
    return until(() => this.commands.filter(({ action }) => action.type === type)[count - 1], {
      what: `${count} ${type}; seen: ${this.commands.map(({ action }) => action.type).join(', ')}`,
    });
  }

  ack({ command_id }: SimCommand, answer: Exclude<SimAnswer, 'silence'> = {}): void {
    this.say('command_ack', { command_id, success: answer.error === undefined, ...answer });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.closed !== null) return;
    this.#socket.terminate();
    await until(() => this.closed !== null);
  }

  #received(frame: SimFrame): void {
    this.frames.push(frame);
    if (frame.type !== 'command') return;
    const command = frame.payload as SimCommand;
    this.commands.push(command);
    if (command.action.type === 'get_config') {
      if (this.config !== null) this.say('config_response', this.config);
      return;
    }
    const answer = this.answer(command);
    if (answer !== 'silence') this.ack(command, answer);
  }
}
