import type { Direction, TunnelProtocol } from '../../src/protocol/tunnel/leg.ts';

/** Paths that were opened together carry the same name; a call acts on one such group. */
export interface GroupArgs {
  readonly group: string;
}

export interface BindArgs extends GroupArgs {
  /** `ip:port` of the relay. */
  readonly relay: string;
  readonly tunnels: readonly string[];
  readonly direction: Direction;
  readonly protocol: TunnelProtocol;
  /** Dial again whenever that fails or the connection is lost, with the pauses of a real edge; no failure of one edge then fails the call. */
  readonly keepBound: boolean;
}

export interface AwaitReadyArgs extends GroupArgs {
  /** 1: on any connection; 2: each must have been connected again, and so on. */
  readonly generation: number;
  readonly timeoutMs: number;
}

export interface BareUdpArgs extends GroupArgs {
  /** `ip:port` of the relay. */
  readonly relay: string;
  /** Sent until it comes back, so that the relay knows this end. */
  readonly greeting: string;
}

export interface TurnArgs extends GroupArgs {
  /** `ip:port` of the TURN server. */
  readonly relay: string;
  /** `ip:port` to which it shall relay. */
  readonly peer: string;
}

export interface SendArgs extends GroupArgs {
  /** Number of the flow, above 0. */
  readonly flow: number;
  /** Over all paths together. */
  readonly ratePerSec: number;
  readonly seconds: number;
  /** Of each datagram, tunnel id included. */
  readonly bytes: number;
}

export interface Sent {
  readonly sent: number;
  readonly elapsedMs: number;
}

export interface Tally {
  /** Each datagram once, whole. */
  readonly received: number;
  readonly damaged: number;
  /** Paths on which something came. */
  readonly paths: number;
}

export interface PushArgs extends GroupArgs {
  readonly streams: number;
  readonly seconds: number;
}

export interface Transfer {
  readonly bytes: number;
  /** SHA-256 of each stream in hex, by the number that its first bytes carry. */
  readonly digests: readonly string[];
}

export interface PingPongArgs extends GroupArgs {
  readonly kind: 'datagram' | 'stream';
  readonly seconds: number;
  readonly bytes: number;
}

/** Round trips in microseconds. */
export interface RoundTrips {
  readonly count: number;
  readonly lost: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface HandshakeArgs {
  readonly relay: string;
  readonly count: number;
  readonly concurrency: number;
}

export interface Handshakes {
  readonly done: number;
  /** Why those that are missing failed; empty when none is. */
  readonly failures: readonly string[];
}

/** What an edge process does for the benchmark. Each call rejects when it could not be done. */
export interface EdgeCalls {
  /** Dials once per tunnel, as edges in the field do, and resolves when the relay has answered every bind. */
  bind(args: BindArgs): Promise<void>;
  /** Resolves when every path of the group can carry data. */
  awaitReady(args: AwaitReadyArgs): Promise<void>;
  /** Paths of the group that can carry data now. */
  countReady(args: GroupArgs): Promise<number>;
  /** Waits for one edge to dial this process itself, without a relay. Answers `ip:port`. */
  listenDirect(args: GroupArgs): Promise<string>;
  dialDirect(args: GroupArgs & { readonly address: string }): Promise<void>;
  /** Answers the `ip:port` of its own socket. */
  openBareUdp(args: BareUdpArgs): Promise<string>;
  /** A socket that only waits for what a TURN server relays. Answers its `ip:port`. */
  openTurnPeer(args: GroupArgs): Promise<string>;
  openTurn(args: TurnArgs): Promise<void>;
  /** From now on the datagrams of this flow are counted; `total` is the most that will be sent. */
  expectDatagrams(args: GroupArgs & { readonly flow: number; readonly total: number }): Promise<void>;
  tally(args: GroupArgs): Promise<Tally>;
  /** One datagram on every path. */
  probe(args: GroupArgs & { readonly bytes: number }): Promise<void>;
  sendDatagrams(args: SendArgs): Promise<Sent>;
  /** Resolves once this many streams have ended. */
  sink(args: GroupArgs & { readonly streams: number }): Promise<Transfer>;
  push(args: PushArgs): Promise<Transfer>;
  /** Datagrams and streams go back to where they came from. */
  echo(args: GroupArgs): Promise<void>;
  pingPong(args: PingPongArgs): Promise<RoundTrips>;
  handshakes(args: HandshakeArgs): Promise<Handshakes>;
}

export type EdgeCallName = keyof EdgeCalls;

/** From the benchmark to an edge process. */
export interface EdgeRequest {
  readonly id: number;
  readonly name: EdgeCallName;
  readonly args: unknown;
}

/** Its answer. */
export type EdgeReply =
  | { readonly id: number; readonly kind: 'done'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly reason: string };
