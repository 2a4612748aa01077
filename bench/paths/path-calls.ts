import type { SocketAddress } from '../../src/quic/types.ts';
import type { PathCounts, Faults } from '../../test/support/network/faulty-path.ts';

/** Both directions of a path; what is left out stays as it is. */
export interface PathFaults {
  readonly up?: Partial<Faults>;
  readonly down?: Partial<Faults>;
}

/** What the benchmark asks of the process that forwards packets. */
export type PathOrder =
  /** `impairs`: all clients, or only the one that came first. */
  | {
      readonly kind: 'open';
      readonly target: SocketAddress;
      readonly seed: number;
      readonly faults: PathFaults;
      readonly impairs: 'all' | 'first';
    }
  | { readonly kind: 'set'; readonly path: number; readonly faults: PathFaults }
  | { readonly kind: 'counts'; readonly path: number }
  | { readonly kind: 'close'; readonly path: number };

export interface PathRequest {
  readonly id: number;
  readonly order: PathOrder;
}

/** `open` gives the number and the address of the new path, `counts` what happened on the way up. */
export type PathAnswer =
  | { readonly kind: 'opened'; readonly path: number; readonly address: SocketAddress }
  | { readonly kind: 'counted'; readonly up: PathCounts }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface PathReply {
  readonly id: number;
  readonly answer: PathAnswer;
}
