import { TUNNEL_ID_BYTES } from '../../src/protocol/tunnel/limits.ts';
import type { QuicStream } from '../../src/quic/types.ts';

/** One way to the other end: a tunnel through a relay, a connection without a relay, or bare UDP. */
export interface Path {
  /** 16 bytes in front of every datagram. */
  readonly prefix: Uint8Array;
  readonly isReady: boolean;
  /** How often it was connected, this time included. */
  readonly generation: number;
  /** The bytes are copied. What does not leave is lost, as on a network. */
  send(datagram: Uint8Array): void;
  /** With its header already written. Throws where there are no streams. */
  openStream(): QuicStream;
}

/** What is done with what arrives. */
export interface Receiver {
  /** `datagram` is valid only during the call; so is nothing else. */
  onDatagram(datagram: Uint8Array, path: Path): void;
  /** A stream that the other end opened, header still in front. */
  onStream(stream: QuicStream): void;
}

/** Refuses streams and ignores datagrams: what a group does until it is told otherwise. */
const deaf: Receiver = {
  onDatagram: () => undefined,
  onStream: (stream) => {
    stream.stop(0);
    stream.reset(0);
  },
};

/** Paths that are measured together. */
export class PathGroup {
  readonly paths: Path[] = [];
  receiver: Receiver = deaf;

  /** How many can carry data now, on a connection that is at least their `generation`th. */
  countReady(generation = 1): number {
    return this.paths.filter((path) => path.isReady && path.generation >= generation).length;
  }

  firstPath(): Path {
    const [path] = this.paths;
    if (path === undefined) throw new Error('the group has no path');
    return path;
  }
}

/** For paths that are no tunnel. */
export const noTunnel = new Uint8Array(TUNNEL_ID_BYTES);
