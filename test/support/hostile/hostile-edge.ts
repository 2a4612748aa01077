import { computeBindProof, computeBindToken } from '../../../src/protocol/tunnel/bind-token.ts';
import {
  encodeEdgeMessage,
  parseRelayMessage,
  type EdgeMessage,
  type MessageOf,
  type RelayMessage,
} from '../../../src/protocol/tunnel/control-message.ts';
import { FrameReader } from '../../../src/protocol/tunnel/frame.ts';
import type { Direction, TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import { MAX_CONTROL_FRAME_BYTES } from '../../../src/protocol/tunnel/limits.ts';
import { encodeStreamHeader } from '../../../src/protocol/tunnel/stream-header.ts';
import { tunnelIdToBytes, type TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { patienceMs, until } from '../until.ts';
import type { HostileOptions } from './hostile-config.ts';
import { HostileConnection } from './hostile-connection.ts';

export interface HostileBind {
  readonly tunnelId: TunnelId;
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  /** Absent: the bind carries no token. */
  readonly secret?: string;
  /** True: a proof of the token instead of the token. */
  readonly prove?: boolean;
}

/** An edge that speaks the protocol when it wants to, on a connection that can do everything else. */
export class HostileEdge implements AsyncDisposable {
  readonly connection: HostileConnection;
  readonly messages: RelayMessage[] = [];
  readonly controlStream = 0;
  readonly #reader = new FrameReader(MAX_CONTROL_FRAME_BYTES);

  constructor(connection: HostileConnection) {
    this.connection = connection;
    const control = connection.streams.nextBidi();
    if (control !== this.controlStream) throw new Error('the control stream is the first stream of a connection');
  }

  static async connect(options: HostileOptions): Promise<HostileEdge> {
    return new HostileEdge(await HostileConnection.connect(options));
  }

  /** Connects, says hello and binds; resolves with the relay's answer to the bind. */
  static async bound(options: HostileOptions, bind: HostileBind): Promise<HostileEdge> {
    const edge = await HostileEdge.connect(options);
    edge.hello();
    await edge.bind(bind);
    return edge;
  }

  say(message: EdgeMessage): void {
    this.connection.write(this.controlStream, encodeEdgeMessage(message));
  }

  /** Any bytes on the control stream. */
  sayBytes(bytes: Uint8Array): void {
    this.connection.write(this.controlStream, bytes);
  }

  hello(features: string[] = ['peer_state']): void {
    this.say({ type: 'hello', protocol_version: 2, software_version: 'hostile', features });
  }

  /** Sends the bind and waits for what the relay says of this tunnel. */
  async bind(bind: HostileBind): Promise<RelayMessage> {
    const before = this.messages.length;
    await this.sendBind(bind);
    return until(
      () => {
        this.hear();
        if (this.connection.isClosed) throw new Error(`closed: ${this.connection.closeReason?.reason ?? ''}`);
        return this.messages
          .slice(before)
          .find((message) => 'tunnel_id' in message && message.tunnel_id === bind.tunnelId);
      },
      { what: `an answer to the bind of ${bind.tunnelId}` },
    );
  }

  async sendBind({ tunnelId, direction, protocol, secret, prove = false }: HostileBind): Promise<void> {
    const head = { type: 'tunnel_bind' as const, tunnel_id: tunnelId, direction, protocol };
    if (secret === undefined) {
      this.say(head);
      return;
    }
    const token = computeBindToken(secret, tunnelId, direction);
    if (!prove) {
      this.say({ ...head, bind_token: token });
      return;
    }
    const challenge = await this.challenge();
    this.say({ ...head, bind_proof: computeBindProof(token, challenge, tunnelId, direction) });
  }

  async challenge(): Promise<string> {
    const ack = await this.heard('hello_ack');
    if (ack.bind_challenge === undefined) throw new Error('the relay offers no challenge');
    return ack.bind_challenge;
  }

  /** Waits for the first message of this type since the connection began. */
  async heard<T extends RelayMessage['type']>(type: T, timeoutMs = patienceMs): Promise<MessageOf<RelayMessage, T>> {
    return until(
      () => {
        this.hear();
        return this.messages.find((message): message is MessageOf<RelayMessage, T> => message.type === type);
      },
      { timeoutMs, what: type },
    );
  }

  /** Opens a data stream with its header; the bytes that follow are the caller's. */
  openDataStream(tunnelId: TunnelId): number {
    const id = this.connection.streams.nextBidi();
    this.connection.write(id, encodeStreamHeader(tunnelId));
    return id;
  }

  sendDatagram(tunnelId: TunnelId, payload: Uint8Array): boolean {
    return this.connection.sendDatagram(Buffer.concat([tunnelIdToBytes(tunnelId), payload]));
  }

  /** Payloads of the datagrams that came through this tunnel, and forgets them. */
  takeDatagrams(tunnelId: TunnelId): Buffer[] {
    const prefix = Buffer.from(tunnelIdToBytes(tunnelId));
    return this.connection.datagrams
      .splice(0)
      .filter((datagram) => datagram.subarray(0, 16).equals(prefix))
      .map((datagram) => datagram.subarray(16));
  }

  /** Reads the frames that have arrived on the control stream into `messages`. */
  hear(): void {
    this.#reader.push(this.connection.streams.take(this.controlStream));
    for (let read = this.#reader.next(); read.kind === 'frame'; read = this.#reader.next()) {
      const parsed = parseRelayMessage(read.payload);
      if (parsed.kind !== 'message') throw new Error(`the relay sent a frame of kind ${parsed.kind}`);
      this.messages.push(parsed.message);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}
