import type { EdgeTunnelStats } from '../../protocol/node/edge-telemetry.ts';
import type { DropCounts } from '../../protocol/node/relay-telemetry.ts';

/** Why the edge did not pass a datagram on. */
export type EdgeDropReason =
  /** No relay had the peer. */
  | 'no_relay'
  /** Does not fit a packet on the way to the relay. */
  | 'too_large'
  /** Pushed out of the queue towards the relay by a newer one. */
  | 'queue_full'
  /** Came before anything local had sent, so there is nobody to give it to. */
  | 'no_local_peer'
  /** Another tunnel's, or for a tunnel that carries no datagrams. */
  | 'wrong_tunnel';

const rateWindowMs = 1000;

/** Counts of one tunnel over its whole life; they never fall. Bytes are of local payload. */
export class TunnelCounters {
  readonly #drops = new Map<EdgeDropReason, number>();
  #packetsSent = 0;
  #packetsReceived = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #sendErrors = 0;
  #decryptErrors = 0;
  #connectionsTotal = 0;
  #connectionsActive = 0;
  #rates = { sampledAtMs: 0, bytesSent: 0, bytesReceived: 0, outBps: 0, inBps: 0 };

  datagramSent(bytes: number): void {
    this.#packetsSent++;
    this.#bytesSent += bytes;
  }

  datagramReceived(bytes: number): void {
    this.#packetsReceived++;
    this.#bytesReceived += bytes;
  }

  streamBytesSent(bytes: number): void {
    this.#bytesSent += bytes;
  }

  streamBytesReceived(bytes: number): void {
    this.#bytesReceived += bytes;
  }

  /** A local socket did not take or give a datagram, or a local connection could not be made. */
  sendError(): void {
    this.#sendErrors++;
  }

  decryptError(): void {
    this.#decryptErrors++;
  }

  dropped(reason: EdgeDropReason): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }

  connectionOpened(): void {
    this.#connectionsTotal++;
    this.#connectionsActive++;
  }

  connectionClosed(): void {
    this.#connectionsActive--;
  }

  get connectionsActive(): number {
    return this.#connectionsActive;
  }

  get decryptErrors(): number {
    return this.#decryptErrors;
  }

  drops(): DropCounts {
    return Object.fromEntries(this.#drops);
  }

  /** Works the bit rates out anew once a second has passed; to be called at least that often. */
  sampleRates(nowMs: number): void {
    const elapsedMs = nowMs - this.#rates.sampledAtMs;
    if (elapsedMs < rateWindowMs) return;
    this.#rates = {
      sampledAtMs: nowMs,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      outBps: Math.round(((this.#bytesSent - this.#rates.bytesSent) * 8000) / elapsedMs),
      inBps: Math.round(((this.#bytesReceived - this.#rates.bytesReceived) * 8000) / elapsedMs),
    };
  }

  stats(): EdgeTunnelStats {
    return {
      packets_sent: this.#packetsSent,
      packets_received: this.#packetsReceived,
      bytes_sent: this.#bytesSent,
      bytes_received: this.#bytesReceived,
      bitrate_in_bps: this.#rates.inBps,
      bitrate_out_bps: this.#rates.outBps,
      send_errors: this.#sendErrors,
      decrypt_errors: this.#decryptErrors,
      connections_total: this.#connectionsTotal,
      connections_active: this.#connectionsActive,
    };
  }
}
