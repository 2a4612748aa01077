import type { SocketAddress } from '../../src/quic/types.ts';

/** Local programs at the far end. */
export interface FarEnd {
  readonly tcp: SocketAddress;
  readonly udp: SocketAddress;
}

/** Three programs that run: an edge, a relay and an edge. */
export interface RunningChain extends AsyncDisposable {
  /** By what they are, for the CPU meter. */
  readonly pids: Readonly<Record<'near' | 'relay' | 'far', number>>;
  /** Where local programs send at the near end. */
  readonly entry: FarEnd;
}

/** A column: real programs from end to end, encrypted. */
export interface Chain {
  readonly name: string;
  readonly description: string;
  /** `folder` exists and is its own. */
  start(folder: string, farEnd: FarEnd): Promise<RunningChain>;
}
