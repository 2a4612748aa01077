import { AppError } from '../../lib/app-error.ts';
import type { ConnectionStats } from '../connection-report.ts';
import type { DatagramQueue } from './datagram-queue.ts';
import type { QuicheHandle } from './binding.ts';

/** 9 µs: only for reports. quiche 0.18 gives neither the bytes in flight nor the least round trip. */
export function connectionStats(
  handle: QuicheHandle,
  queue: DatagramQueue,
  path: { readonly payload: number; readonly maxDatagram: number },
): ConnectionStats {
  const stats = handle.pathStats()[0];
  if (stats === undefined) throw new AppError('bug', 'quiche knows no path');
  return {
    rttMs: stats.rtt,
    minRttMs: null,
    packetsSent: stats.sent,
    packetsReceived: stats.recv,
    packetsLost: stats.lost,
    bytesSent: stats.sentBytes,
    bytesReceived: stats.recvBytes,
    congestionWindow: stats.cwnd,
    bytesInFlight: null,
    queuedDatagrams: queue.length,
    queuedDatagramBytes: queue.bytes,
    pathMtu: path.payload,
    maxDatagramSize: path.maxDatagram,
  };
}
