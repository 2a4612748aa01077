import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { createSelfSigned, type Certificate } from '../samples/certificates.ts';
import { ManagedNode, type AuthPayload, type Frame, type ReceivedEvent } from './managed-node.ts';
import { patienceMs, until } from '../until.ts';

/** How the manager answers `auth`: as a real one does, or with this text, or by ending the connection, or not at all. */
export type AuthAnswer = 'normal' | 'silence' | 'drop' | { readonly frame: string };

/** How it treats the HTTP upgrade. */
export type UpgradeAnswer = 'normal' | 'silence' | 'refuse';

export interface TestManagerOptions {
  readonly certificate?: Certificate;
  readonly port?: number;
  readonly host?: string;
  /** Takes any registration token, and any node with the secret that it first comes with. */
  readonly welcoming?: boolean;
}

/** A manager over real TLS and WebSocket that records everything and misbehaves on request. */
export class TestManager implements AsyncDisposable {
  readonly certificate: Certificate;
  readonly port: number;
  /** Registration tokens that are still good; each is spent by one use. */
  readonly tokens = new Set<string>();
  /** The secrets that each node may come with. */
  readonly secrets = new Map<string, Set<string>>();
  /** Every connection that reached the WebSocket, oldest first. */
  readonly connections: ManagedNode[] = [];
  /** What was tried in `auth`, in order. */
  readonly auths: AuthPayload[] = [];
  authAnswer: AuthAnswer = 'normal';
  upgradeAnswer: UpgradeAnswer = 'normal';
  /** Whether pings of nodes are answered, on connections from now on. */
  autoPong = true;
  readonly #welcoming: boolean;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  readonly #listeners = new Set<(node: ManagedNode, frame: Frame) => void>();
  #registered = 0;

  private constructor(server: Server, certificate: Certificate, welcoming: boolean) {
    this.#server = server;
    this.#welcoming = welcoming;
    this.certificate = certificate;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', (request, socket: Duplex, head) => {
      if (this.upgradeAnswer === 'silence') return;
      if (this.upgradeAnswer === 'refuse') return void socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n');
      const acceptor = new WebSocketServer({ noServer: true, autoPong: this.autoPong, maxPayload: 64 * 1024 * 1024 });
      acceptor.handleUpgrade(request, socket, head, (webSocket) => {
        const node = new ManagedNode(webSocket);
        this.connections.push(node);
        node.onFrame((frame) => this.#received(node, frame));
      });
    });
  }

  static async start(options: TestManagerOptions = {}): Promise<TestManager> {
    const certificate = options.certificate ?? (await createSelfSigned());
    const server = createServer({ cert: certificate.certificatePem, key: certificate.privateKeyPem });
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
    await once(server, 'listening');
    return new TestManager(server, certificate, options.welcoming ?? false);
  }

  get url(): string {
    return `wss://127.0.0.1:${this.port}/ws/node`;
  }

  /** The `manager` object of a node's config that trusts exactly this manager. */
  configFor(identity: Record<string, unknown>): Record<string, unknown> {
    const { fingerprint } = this.certificate;
    const pinned = { accept_self_signed_cert: true, cert_fingerprint: fingerprint };
    return { enabled: true, url: this.url, ...pinned, ...identity };
  }

  /** All events in the order of arrival, repeats included. */
  get events(): ReceivedEvent[] {
    return this.connections.flatMap((node) => node.events);
  }

  /** Repeats left out, as a manager does by `event_id`. */
  get distinctEvents(): ReceivedEvent[] {
    const byId = new Map<unknown, ReceivedEvent>();
    for (const event of this.events) {
      const id = event.payload.details?.['event_id'];
      if (!byId.has(id)) byId.set(id, event);
    }
    return [...byId.values()];
  }

  /** The newest connection that is authenticated and open. */
  get online(): ManagedNode | undefined {
    return this.connections.findLast((node) => node.nodeId !== null && node.isOpen);
  }

  /** Waits for a connection, beyond the first `after` of all, whose node knows that it is authenticated. */
  async nodeOnline(after = 0, timeoutMs = patienceMs): Promise<ManagedNode> {
    return until(
      () => this.connections.slice(after).find((node) => node.isOpen && node.payloads('health').length > 0),
      {
        what: 'a node authenticated',
        timeoutMs,
      },
    );
  }

  /** Waits for an event with this message. */
  async event(message: string | RegExp, timeoutMs = patienceMs): Promise<ReceivedEvent> {
    const matches = (text: string) => (typeof message === 'string' ? text === message : message.test(text));
    return until(() => this.events.find((event) => matches(event.payload.message)), {
      what: `event ${String(message)}; seen: ${this.events.map((event) => event.payload.message).join(' | ')}`,
      timeoutMs,
    });
  }

  onFrame(listener: (node: ManagedNode, frame: Frame) => void): void {
    this.#listeners.add(listener);
  }

  /** Every connection is cut, as when a machine goes away; new ones are taken. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dropAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #received(node: ManagedNode, frame: Frame): void {
    if (node.auth === null && frame.type === 'auth') this.#authenticate(node, frame.payload as AuthPayload);
    for (const listener of this.#listeners) listener(node, frame);
  }

  #authenticate(node: ManagedNode, auth: AuthPayload): void {
    this.auths.push(auth);
    node.auth = auth;
    if (this.authAnswer === 'silence') return;
    if (this.authAnswer === 'drop') {
      node.terminate();
      return;
    }
    if (typeof this.authAnswer === 'object') {
      node.sendText(this.authAnswer.frame);
      return;
    }
    if (auth.registration_token !== undefined) {
      this.#register(node, auth.registration_token);
      return;
    }
    if (!this.#knows(auth.node_id ?? '', auth.node_secret ?? '')) {
      node.sendText(JSON.stringify({ type: 'auth_error', message: 'Invalid node secret' }));
      return;
    }
    node.nodeId = auth.node_id ?? null;
    node.sendText(JSON.stringify({ type: 'auth_ok' }));
  }

  #knows(nodeId: string, secret: string): boolean {
    const known = this.secrets.get(nodeId);
    if (known === undefined && this.#welcoming) this.secrets.set(nodeId, new Set([secret]));
    return this.secrets.get(nodeId)?.has(secret) === true;
  }

  #register(node: ManagedNode, token: string): void {
    if (!this.tokens.delete(token) && !this.#welcoming) {
      node.sendText(JSON.stringify({ type: 'auth_error', message: 'Invalid registration token' }));
      return;
    }
    this.#registered++;
    const payload = { node_id: `n-${this.#registered}`, node_secret: `registered-secret-${this.#registered}` };
    this.secrets.set(payload.node_id, new Set([payload.node_secret]));
    node.nodeId = payload.node_id;
    node.sendText(JSON.stringify({ type: 'register_ack', payload }));
  }
}
