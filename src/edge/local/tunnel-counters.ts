import type { EdgeTunnelStats } from '../../protocol/node/edge-telemetry.ts';
import { SEAL_OVERHEAD_BYTES } from '../../protocol/tunnel/limits.ts';
import type { DropCounts } from '../../protocol/node/relay-telemetry.ts';
import { localCountNames, type LocalCounts } from '../../quic/local-sockets.ts';
import type { Ledger } from '../../quic/types.ts';
import { localCause } from './local-cause.ts';
import type { Troubles } from './troubles.ts';

/** Why the edge did not give a datagram of a local program to QUIC; the engine's own reasons come beside these. */
export type OutgoingDropReason =
  /** No relay had the peer. */
  | 'no_relay'
  /** Waited too long in the local socket, because this process did not run. */
  | 'expired';

/** Why the edge did not give a datagram of a relay to a local program. */
export type IncomingDropReason =
  /** Came before any local program had sent, so there is no address to give it to. */
  | 'no_local_peer'
  /** The local socket had stopped working and was being opened anew. */
  | 'local_socket'
  /** Another tunnel's, or for a tunnel that carries no datagrams. */
  | 'wrong_tunnel'
  /** Changed on the way, or sealed with another key. */
  | 'not_authentic'
  /** Waited too long in this process, because it did not run. */
  | 'expired';

/** Why a TCP connection of a local program, or for one, was not carried. */
export type ConnectionRefusal =
  /** No relay had the peer. */
  | 'no_relay'
  /** `max_connections_per_tunnel` is reached. */
  | 'too_many'
  /** The relay granted no stream within a second. */
  | 'no_stream'
  /** The system did not hand it over: no file descriptors are left. */
  | 'not_accepted';

/** One way through the edge. Once nothing is queued, `datagrams_in = datagrams_out + Σ drops` (conformance S5). */
export interface DirectionCounts {
  readonly datagrams_in: number;
  readonly datagrams_out: number;
  readonly drops: DropCounts;
}

const rateWindowMs = 1000;
const nothing = Object.fromEntries(localCountNames.map((name) => [name, 0])) as LocalCounts;

/** Counts of one tunnel over its whole life; they never fall. Bytes are of local payload. */
export class TunnelCounters {
  /** Where the engine counts the datagrams that this edge sends. */
  readonly ledger: Ledger;
  readonly #troubles: Troubles;
  readonly #engineCounts: () => LocalCounts;
  readonly #outgoing = { offered: 0, drops: new Map<OutgoingDropReason, number>() };
  readonly #incoming = { arrived: 0, drops: new Map<IncomingDropReason, number>() };
  readonly #refused = new Map<ConnectionRefusal, number>();
  #packetsReceived = 0;
  #streamBytesSent = 0;
  #bytesReceived = 0;
  #sendErrors = 0;
  #decryptErrors = 0;
  #senderReturns = 0;
  #engineSeen = nothing;
  #connectionsTotal = 0;
  #connectionsActive = 0;
  #rates = { sampledAtMs: 0, bytesSent: 0, bytesReceived: 0, outBps: 0, inBps: 0 };

  /** `engineCounts`: what the engine moved by itself; it comes on top of what is counted here. */
  constructor(ledger: Ledger, troubles: Troubles, engineCounts: () => LocalCounts = () => nothing) {
    this.ledger = ledger;
    this.#troubles = troubles;
    this.#engineCounts = engineCounts;
  }

  /** A local program sent a datagram. What becomes of it is counted here or in the ledger. */
  datagramOffered(): void {
    this.#outgoing.offered++;
  }

  notSent(reason: OutgoingDropReason): void {
    const { drops } = this.#outgoing;
    drops.set(reason, (drops.get(reason) ?? 0) + 1);
  }

  /** A relay sent a datagram. */
  datagramArrived(): void {
    this.#incoming.arrived++;
  }

  /** It was given to the local socket. */
  datagramReceived(bytes: number): void {
    this.#packetsReceived++;
    this.#bytesReceived += bytes;
    this.#troubles.worked('key');
    this.#localTakes();
  }

  notDelivered(reason: IncomingDropReason): void {
    const { drops } = this.#incoming;
    drops.set(reason, (drops.get(reason) ?? 0) + 1);
    if (reason === 'not_authentic') this.decryptError();
  }

  streamBytesSent(bytes: number): void {
    this.#streamBytesSent += bytes;
  }

  streamBytesReceived(bytes: number): void {
    this.#bytesReceived += bytes;
    this.#troubles.worked('key');
  }

  /** A local socket did not take or give a datagram, or a local connection could not be made. */
  sendError(error: Error): void {
    this.#sendErrors++;
    this.localFails(error);
  }

  /** The same where the engine has counted it. */
  localFails(error: unknown): void {
    const { kind, cause } = localCause(error);
    this.#troubles.happened(kind, cause);
  }

  /** Datagrams go to the local socket, and no error has come about any. */
  #localTakes(): void {
    this.#troubles.worked('local');
    this.#troubles.worked('machine');
  }

  /** A local socket was opened anew: this machine has an address and a route again. With an error: it could not be. */
  localRenewed(error: unknown): void {
    if (error === null) this.#troubles.worked('machine', false);
    else this.localFails(error);
  }

  /** A datagram came from a program that had sent before the last sender did. */
  senderReturned(): void {
    this.#senderReturns++;
  }

  get senderReturns(): number {
    return this.#senderReturns + this.#engineCounts().senderReturns;
  }

  /** A datagram or stream that the tunnel key does not open. */
  decryptError(): void {
    this.#decryptErrors++;
    this.#noteKey();
  }

  #noteKey(): void {
    this.#troubles.happened('key', 'changed on the way, or sealed with another key');
  }

  /** A local program has accepted a connection. */
  localWorks(): void {
    this.#troubles.worked('local', false);
    this.#troubles.worked('machine', false);
  }

  connectionOpened(): void {
    this.#connectionsTotal++;
    this.#connectionsActive++;
  }

  connectionClosed(): void {
    this.#connectionsActive--;
  }

  connectionRefused(reason: ConnectionRefusal): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  refusedConnections(): DropCounts {
    return Object.fromEntries(this.#refused);
  }

  get connectionsActive(): number {
    return this.#connectionsActive;
  }

  get decryptErrors(): number {
    const { brokenStreams, notAuthentic } = this.#engineCounts();
    return this.#decryptErrors + brokenStreams + notAuthentic;
  }

  /** From local programs to the relay. */
  outgoing(): DirectionCounts {
    const { datagramsOut, drops: engineDrops } = this.ledger.totals();
    const { offered, noRelay, expiredOut } = this.#engineCounts();
    const ofLocal: Readonly<Record<OutgoingDropReason, number>> = { no_relay: noRelay, expired: expiredOut };
    return {
      datagrams_in: this.#outgoing.offered + offered,
      datagrams_out: datagramsOut,
      drops: sumOf(this.#outgoing.drops, ofLocal, engineDrops),
    };
  }

  /** From the relay to local programs. */
  incoming(): DirectionCounts {
    const { arrived, delivered, expiredIn, notAuthentic, noSocket, noLocalPeer } = this.#engineCounts();
    const ofLocal: Readonly<Partial<Record<IncomingDropReason, number>>> = {
      no_local_peer: noLocalPeer,
      local_socket: noSocket,
      not_authentic: notAuthentic,
      expired: expiredIn,
    };
    return {
      datagrams_in: this.#incoming.arrived + arrived,
      datagrams_out: this.#packetsReceived + delivered,
      drops: sumOf(this.#incoming.drops, ofLocal),
    };
  }

  /** Both directions together, for readers that know no directions; `stats` has what could not be opened. */
  drops(): DropCounts {
    const drops = new Map(Object.entries(this.outgoing().drops));
    for (const [reason, count] of Object.entries(this.incoming().drops)) {
      if (reason !== 'not_authentic') drops.set(reason, (drops.get(reason) ?? 0) + count);
    }
    return Object.fromEntries(drops);
  }

  /** What the engine could open, and what not; to be called a few times a second. */
  sampleEngine(): void {
    const seen = this.#engineSeen;
    const now = this.#engineCounts();
    if (now.streamBytesReceived > seen.streamBytesReceived || now.delivered > seen.delivered) {
      this.#troubles.worked('key');
    }
    if (now.delivered > seen.delivered) this.#localTakes();
    if (now.brokenStreams > seen.brokenStreams || now.notAuthentic > seen.notAuthentic) this.#noteKey();
    this.#engineSeen = now;
  }

  /** Works the bit rates out anew once a second has passed; to be called at least that often. */
  sampleRates(nowMs: number): void {
    const elapsedMs = nowMs - this.#rates.sampledAtMs;
    if (elapsedMs < rateWindowMs) return;
    const { bytesSent, bytesReceived } = this.#bytes();
    this.#rates = {
      sampledAtMs: nowMs,
      bytesSent,
      bytesReceived,
      outBps: Math.round(((bytesSent - this.#rates.bytesSent) * 8000) / elapsedMs),
      inBps: Math.round(((bytesReceived - this.#rates.bytesReceived) * 8000) / elapsedMs),
    };
  }

  stats(): EdgeTunnelStats {
    const { delivered, sendErrors } = this.#engineCounts();
    const { bytesSent, bytesReceived } = this.#bytes();
    return {
      packets_sent: this.ledger.totals().datagramsOut,
      packets_received: this.#packetsReceived + delivered,
      bytes_sent: bytesSent,
      bytes_received: bytesReceived,
      bitrate_in_bps: this.#rates.inBps,
      bitrate_out_bps: this.#rates.outBps,
      send_errors: this.#sendErrors + sendErrors,
      decrypt_errors: this.decryptErrors,
      connections_total: this.#connectionsTotal,
      connections_active: this.#connectionsActive,
    };
  }

  #bytes(): { readonly bytesSent: number; readonly bytesReceived: number } {
    const { datagramsOut, datagramBytesOut } = this.ledger.totals();
    const engine = this.#engineCounts();
    const sealed = datagramBytesOut - datagramsOut * SEAL_OVERHEAD_BYTES;
    return {
      bytesSent: this.#streamBytesSent + engine.streamBytesSent + sealed,
      bytesReceived: this.#bytesReceived + engine.streamBytesReceived + engine.deliveredBytes,
    };
  }
}

/** Counts by reason, without those that are 0. */
function sumOf(
  counts: ReadonlyMap<string, number>,
  ...others: readonly Readonly<Record<string, number>>[]
): DropCounts {
  const sum = new Map(counts);
  for (const [reason, count] of others.flatMap((other) => Object.entries(other))) {
    if (count > 0) sum.set(reason, (sum.get(reason) ?? 0) + count);
  }
  return Object.fromEntries(sum);
}
