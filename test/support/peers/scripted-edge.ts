import { computeBindProof, computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import {
  encodeEdgeMessage,
  parseRelayMessage,
  type EdgeMessage,
  type MessageOf,
  type RelayMessage,
} from '../../../src/protocol/tunnel/control-message.ts';
import { joinDatagram, splitDatagram } from '../../../src/protocol/tunnel/datagram.ts';
import { FrameReader } from '../../../src/protocol/tunnel/frame.ts';
import type { Direction, TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../../src/protocol/tunnel/limits.ts';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdFromBytes, tunnelIdToBytes, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { TransportSettings } from '../../../src/quic/transport-settings.ts';
import type { CloseInfo } from '../../../src/quic/connection-report.ts';
import type {
  ConnectionHandler,
  DialOptions,
  QuicConnection,
  QuicEngine,
  QuicStream,
} from '../../../src/quic/types.ts';
import { relayTransport } from '../samples/relay-transport.ts';
import { StreamTap } from './stream-tap.ts';
import { until } from '../until.ts';

/** What edges in the field offer (docs/protocol/tunnel.md §1). */
const edgeTransport: TransportSettings = {
  ...relayTransport,
  handshakeTimeoutMs: 6000,
  maxUdpPayload: 1472,
  datagramQueueBytes: 1_048_576,
  datagramQueueMs: 1000,
  socketBufferBytes: 2_097_152,
};

export interface BindOptions {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol?: TunnelProtocol;
  /** The tunnel's bind secret, from which the token is made. */
  readonly secret?: string;
  readonly token?: string;
  /** Send the proof instead of the token; needs the challenge, so `hello` must have been answered. */
  readonly prove?: boolean;
  /** Take the leg only when no live edge holds it. */
  readonly ifFree?: boolean;
}

export interface ReceivedDatagram {
  readonly tunnelId: TunnelId | null;
  readonly payload: Buffer;
}

export function edgeDialOptions(address: string, transport: Partial<TransportSettings> = {}): DialOptions {
  const remote = parseSocketAddress(address);
  if (remote === null) throw new Error(`not an address: ${address}`);
  const verify = { kind: 'none' } as const;
  return { remote, serverName: 'relay', verify, transport: { ...edgeTransport, ...transport } };
}

/** An edge that does what a test tells it and nothing by itself. Keeps everything that it receives. */
export class ScriptedEdge implements ConnectionHandler {
  readonly messages: RelayMessage[] = [];
  /** Messages that came on one-way streams. */
  readonly uniMessages: RelayMessage[] = [];
  readonly datagrams: ReceivedDatagram[] = [];
  /** Bidirectional streams that the relay opened, header still in front. */
  readonly incoming: StreamTap[] = [];
  closed: CloseInfo | null = null;
  #connection: QuicConnection | null = null;
  #control: StreamTap | null = null;
  readonly #frames = new FrameReader(MAX_CONTROL_FRAME_BYTES);

  static async connect(engine: QuicEngine, address: string): Promise<ScriptedEdge> {
    const edge = new ScriptedEdge();
    edge.attach(await engine.dial(edgeDialOptions(address), edge));
    return edge;
  }

  get connection(): QuicConnection {
    if (this.#connection === null) throw new Error('the edge is not connected');
    return this.#connection;
  }

  get control(): StreamTap {
    if (this.#control === null) throw new Error('the edge has not opened its control stream');
    return this.#control;
  }

  attach(connection: QuicConnection): void {
    this.#connection = connection;
  }

  /** Opens the control stream and pipelines hello and identify, as every edge does. */
  greet(edgeId = 'edge', features: string[] = []): this {
    this.openControl();
    this.send({ type: 'hello', protocol_version: 2, software_version: 'scripted', features });
    return this.send({ type: 'identify', edge_id: edgeId });
  }

  openControl(): this {
    const stream = this.connection.openBidi();
    if (stream === null) throw new Error('no stream for the control stream');
    this.#control = new StreamTap(stream, () => {
      this.#readControl();
    });
    return this;
  }

  send(message: EdgeMessage): this {
    return this.sendRaw(encodeEdgeMessage(message));
  }

  sendRaw(bytes: Uint8Array): this {
    this.control.send(bytes);
    return this;
  }

  bind(options: BindOptions): this {
    const { tunnelId, direction, protocol = 'udp', secret, prove = false, ifFree = false } = options;
    const token = options.token ?? (secret === undefined ? undefined : computeBindToken(secret, tunnelId, direction));
    const credentials = prove
      ? { bind_proof: computeBindProof(token ?? '', this.challenge, tunnelId, direction) }
      : { ...(token !== undefined && { bind_token: token }) };
    return this.send({
      type: 'tunnel_bind',
      tunnel_id: tunnelId,
      direction,
      protocol,
      ...credentials,
      ...(ifFree && { if_free: true }),
    });
  }

  unbind(tunnelId: TunnelId): this {
    return this.send({ type: 'tunnel_unbind', tunnel_id: tunnelId });
  }

  get challenge(): string {
    const ack = this.messages.find((message) => message.type === 'hello_ack');
    if (ack?.bind_challenge === undefined) throw new Error('no challenge was received');
    return ack.bind_challenge;
  }

  sendDatagram(tunnelId: TunnelId, payload: Uint8Array | string): ReturnType<QuicConnection['sendDatagram']> {
    return this.connection.sendDatagram(joinDatagram(tunnelIdToBytes(tunnelId), Buffer.from(payload)));
  }

  /** A data stream with its header sent; with `header` null, a stream on which nothing has been sent. */
  openData(header: TunnelId | Uint8Array | null): StreamTap {
    const stream = this.connection.openBidi();
    if (stream === null) throw new Error('no stream for data');
    const tap = new StreamTap(stream);
    if (header !== null) tap.send(typeof header === 'string' ? encodeStreamHeader(header) : header);
    return tap;
  }

  /** Messages of a type so far, in order. */
  ofType<Type extends RelayMessage['type']>(type: Type): MessageOf<RelayMessage, Type>[] {
    return this.messages.filter((message): message is MessageOf<RelayMessage, Type> => message.type === type);
  }

  /** Waits in real time until `count` messages of a type have come, and returns the last of them. */
  async expect<Type extends RelayMessage['type']>(type: Type, count = 1): Promise<MessageOf<RelayMessage, Type>> {
    await until(() => this.ofType(type).length >= count, {
      what: `${count} ${type}; so far ${JSON.stringify(this.messages)}, closed: ${JSON.stringify(this.closed)}`,
    });
    const message = this.ofType(type)[count - 1];
    if (message === undefined) throw new Error(`no ${type}`);
    return message;
  }

  async expectClosed(): Promise<CloseInfo> {
    return until(() => this.closed, { what: 'the connection is closed' });
  }

  async expectStream(count = 1): Promise<StreamTap> {
    await until(() => this.incoming.length >= count, { what: `${count} incoming streams` });
    const tap = this.incoming[count - 1];
    if (tap === undefined) throw new Error('no incoming stream');
    return tap;
  }

  close(): void {
    this.connection.close(0, '');
  }

  onStream(stream: QuicStream): void {
    if (stream.bidirectional) {
      this.incoming.push(new StreamTap(stream));
      return;
    }
    const frames = new FrameReader(MAX_CONTROL_FRAME_BYTES);
    const tap = new StreamTap(stream, () => {
      frames.push(tap.drain());
      this.#readFrames(frames, this.uniMessages);
    });
  }

  onDatagram(datagram: Uint8Array): void {
    const parts = splitDatagram(datagram);
    const payload = Buffer.from(parts?.payload ?? datagram);
    this.datagrams.push({ tunnelId: parts === null ? null : tunnelIdFromBytes(parts.prefix), payload });
  }

  onAddressChange(): void {}

  onClosed(info: CloseInfo): void {
    this.closed = info;
  }

  #readControl(): void {
    this.#frames.push(this.control.drain());
    this.#readFrames(this.#frames, this.messages);
  }

  #readFrames(frames: FrameReader, into: RelayMessage[]): void {
    for (let frame = frames.next(); frame.kind === 'frame'; frame = frames.next()) {
      const parsed = parseRelayMessage(frame.payload);
      if (parsed.kind !== 'message') throw new Error(`the relay sent what is no message: ${JSON.stringify(parsed)}`);
      into.push(parsed.message);
    }
  }
}
