import type { CertificateCheck } from './certificate-check.ts';

/** One WebSocket to a manager, from the moment it is dialled. After `closed` every call does nothing. */
export interface ManagerSocket {
  /** Bytes that were sent and that the operating system has not taken yet. */
  readonly bufferedBytes: number;
  send(frame: string): void;
  /** The manager's pong brings `payload` back, after everything that was sent before. At most 125 bytes. */
  ping(payload: string): void;
  /** Reads nothing more until `resume`, so that the manager is held up instead of our memory filled. */
  pause(): void;
  resume(): void;
  /** Says goodbye and ends soon after, whether the manager answers or not. `reason` at most 123 bytes. */
  close(code: number, reason: string): void;
  /** Ends at once. */
  terminate(): void;
}

export interface ManagerSocketListener {
  opened(): void;
  /** A text frame within the frame cap. */
  received(frame: string): void;
  ponged(payload: string): void;
  /** Something arrived, whatever it was. */
  alive(): void;
  /** Comes exactly once, last. `error` is null when the manager closed as the protocol says. */
  closed(error: string | null): void;
}

/**
 * Opens sockets to managers; nothing is called before `dial` has returned, which throws for an address that cannot be
 * dialled.
 */
export interface ManagerDialler {
  dial(url: string, check: Exclude<CertificateCheck, { kind: 'refused' }>, to: ManagerSocketListener): ManagerSocket;
}
