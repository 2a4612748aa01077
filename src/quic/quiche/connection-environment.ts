import { errorMessage } from '../../lib/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { TransportSettings } from '../transport-settings.ts';
import type { CloseInfo } from '../connection-report.ts';
import type { ConnectionHandler } from '../types.ts';
import { closeInfo, type ClosedHandle } from './close-info.ts';
import type { MutableCounters } from './counters.ts';
import type { Timers } from './timers.ts';
import type { Loop } from './loop.ts';
import type { QuicheHandle } from './binding.ts';
import type { PeerPath } from './peer-path.ts';
import type { UdpSocket } from './udp-socket.ts';

/** What a connection needs around it. */
export interface ConnectionEnvironment {
  readonly id: number;
  readonly isServer: boolean;
  readonly handle: QuicheHandle;
  readonly path: PeerPath;
  readonly socket: UdpSocket;
  readonly loop: Loop;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly counters: MutableCounters;
  readonly transport: TransportSettings;
  /** For tables whose keys the peer chooses. */
  readonly seed: number;
  readonly nowMs: number;
  /** The handshake is complete. A string says why the peer is not wanted. */
  onEstablished(): ConnectionHandler | string;
  /** It is over before it was established. */
  onFailed(info: CloseInfo): void;
  /** Nothing of it is left but the packet that says so, to be sent again to a peer that has not got it. */
  onGone(closePacket: Uint8Array | null): void;
}

/** How this end ends a connection: what its handler gets, and what the peer gets. */
export interface Ending {
  readonly info: CloseInfo;
  readonly code: number;
  readonly reason: string;
  readonly isApp: boolean;
}

/** This end gives up for a reason of its own. */
export function giveUp(kind: CloseInfo['kind'], reason: string): Ending {
  return { info: { kind, code: null, reason }, code: 0, reason, isApp: true };
}

/** A native call threw `error`: this end cannot go on. Where quiche gave a code, the peer gets that one. */
export function fault(handle: ClosedHandle, error: unknown): Ending {
  const local = handle.localError();
  const reason = local === null ? errorMessage(error) : `${closeInfo(handle).reason} (${errorMessage(error)})`;
  const info: CloseInfo = { kind: 'error', code: local?.errorCode ?? null, reason };
  return { info, code: local?.errorCode ?? 1, reason: '', isApp: false };
}
