import type { BeatStatus, DecodeError } from '../../protocol/beat/beat-frame.ts';

/** How far the transport vouches for the sender of a beat. */
export type BeatOrigin =
  /** The kernel attached the sender's pid and user to the datagram. */
  | 'KernelAttested'
  /** UDP that the operator declared trustworthy in the config. */
  | 'OperatorAttestedTransport'
  /** Any process that reaches the port. */
  | 'NetworkUnverified'
  /** A UNIX socket on a system without credentials: only the socket's mode protects it. */
  | 'SocketModeOnly';

export interface IoProblem {
  /** The names of Rust's `std::io::ErrorKind`, for readers that know varta-watch. */
  readonly kind: 'InvalidData' | 'PermissionDenied' | 'Other';
  /** Null where no system call failed. */
  readonly errno: number | null;
  readonly message: string;
}

/**
 * What an observer reports (docs/observer.md §2). Times are nanoseconds since the observer started, taken when the
 * datagram was received; they never go backwards from one event to the next. A PID namespace is given by its inode.
 */
export type ObserverEvent =
  /** The tracker accepted a beat. */
  | {
      readonly type: 'Beat';
      readonly pid: number;
      readonly status: BeatStatus;
      readonly payload: number;
      readonly nonce: bigint;
      readonly origin: BeatOrigin;
      readonly pid_ns_inode: bigint | null;
      readonly observer_ns: bigint;
    }
  /** No beat for the threshold. Once per silence run, which the next accepted beat ends. */
  | {
      readonly type: 'Stall';
      readonly pid: number;
      readonly last_nonce: bigint;
      readonly last_ns: bigint;
      readonly origin: BeatOrigin;
      readonly pid_ns_inode: bigint | null;
      readonly observer_ns: bigint;
    }
  /** 32 bytes that do not decode. */
  | { readonly type: 'Decode'; readonly error: DecodeError; readonly observer_ns: bigint }
  /** The pid in the frame is not the sender's. */
  | { readonly type: 'AuthFailure'; readonly claimed_pid: number; readonly observer_ns: bigint }
  /** The slot of this pid belongs to another origin. The beat is dropped, the slot is unchanged. */
  | {
      readonly type: 'OriginConflict';
      readonly claimed_pid: number;
      readonly observed_origin: BeatOrigin;
      readonly slot_origin: BeatOrigin;
      readonly observer_ns: bigint;
    }
  /** The sender lives in another PID namespace than the observer, or than the slot's first beat. Dropped. */
  | {
      readonly type: 'NamespaceConflict';
      readonly claimed_pid: number;
      readonly observed_ns_inode: bigint | null;
      readonly observer_ns_inode: bigint | null;
      readonly observer_ns: bigint;
    }
  /** Receiving failed, or the datagram came without credentials or from a user that is not allowed. */
  | { readonly type: 'Io'; readonly error: IoProblem; readonly observer_ns: bigint }
  /** The kernel cut the ancillary data (MSG_CTRUNC): the sender attached descriptors. Dropped. */
  | { readonly type: 'CtrlTruncated'; readonly error: IoProblem; readonly observer_ns: bigint };

/** Nanoseconds as the pure core counts them, for an event. */
export function toObserverNs(ns: number): bigint {
  return BigInt(Math.trunc(ns));
}
