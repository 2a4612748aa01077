import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';
import type { SocketAddress } from '../quic/types.ts';
import { VersionProbe } from './version-probe.ts';

/** What became of packets to a UDP port. */
export type UdpReach =
  /** `answered` of `sent` came back; a round trip for each. */
  | { readonly kind: 'answered'; readonly sent: number; readonly answered: number; readonly rttsMs: readonly number[] }
  /** Something answers there that speaks no QUIC. */
  | { readonly kind: 'foreign' }
  /** No packet came back, and the operating system reports nothing. */
  | { readonly kind: 'silent'; readonly sent: number }
  /** The other machine says that nothing listens there (ICMP port unreachable). */
  | { readonly kind: 'closed' }
  /** This machine, or a router, says that there is no way; `code` is the system's, such as ENETUNREACH. */
  | { readonly kind: 'unroutable'; readonly code: string };

export interface ReachSettings {
  readonly packets: number;
  readonly spacingMs: number;
  /** How long after the last packet an answer is waited for. */
  readonly patienceMs: number;
}

export interface ReachDependencies {
  readonly clock: Clock;
  readonly random: Random;
}

/** Sends packets that any QUIC server answers, and counts what comes back. Never rejects. */
export async function reachUdp(
  remote: SocketAddress,
  settings: ReachSettings,
  dependencies: ReachDependencies,
): Promise<UdpReach> {
  const attempt = new Attempt(dependencies);
  try {
    await attempt.run(remote, settings);
  } finally {
    attempt.close();
  }
  return attempt.outcome;
}

class Attempt {
  readonly #clock: Clock;
  readonly #probe: VersionProbe;
  readonly #sentAtMs = new Map<number, number>();
  readonly #rttsMs: number[] = [];
  #socket: Socket | null = null;
  #isForeign = false;
  #errorCode: string | null = null;
  #sent = 0;
  /** Resolves when nothing more can be learned. */
  readonly #over = Promise.withResolvers<undefined>();

  constructor({ clock, random }: ReachDependencies) {
    this.#clock = clock;
    this.#probe = new VersionProbe(random);
  }

  get outcome(): UdpReach {
    const answered = this.#rttsMs.length;
    if (answered > 0) return { kind: 'answered', sent: this.#sent, answered, rttsMs: this.#rttsMs };
    if (this.#isForeign) return { kind: 'foreign' };
    if (this.#errorCode === 'ECONNREFUSED') return { kind: 'closed' };
    if (this.#errorCode !== null) return { kind: 'unroutable', code: this.#errorCode };
    return { kind: 'silent', sent: this.#sent };
  }

  async run(remote: SocketAddress, { packets, spacingMs, patienceMs }: ReachSettings): Promise<void> {
    // Connected, because only then does the system hand on what ICMP says of the port.
    const socket = createSocket({ type: isIPv6(remote.ip) ? 'udp6' : 'udp4' });
    this.#socket = socket;
    socket.on('message', (packet) => this.#onMessage(packet, packets));
    socket.on('error', (error) => this.#onError(error));
    // Node hands on that there is no way there, though its types leave that out.
    socket.connect(remote.port, remote.ip, (error?: unknown) => {
      if (error instanceof Error) this.#onError(error);
      else this.#sendAll(packets, spacingMs, patienceMs);
    });
    await this.#over.promise;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #sendAll(packets: number, spacingMs: number, patienceMs: number): void {
    const socket = this.#socket;
    if (socket === null || this.#errorCode !== null) return;
    const number = this.#sent++;
    this.#sentAtMs.set(number, this.#clock.monotonicMs());
    socket.send(this.#probe.packet(number), (error) => {
      if (error !== null) this.#onError(error);
    });
    if (this.#sent < packets) {
      this.#clock.setTimeout(() => this.#sendAll(packets, spacingMs, patienceMs), spacingMs);
    } else {
      this.#clock.setTimeout(() => this.#over.resolve(undefined), patienceMs);
    }
  }

  #onMessage(packet: Buffer, packets: number): void {
    const number = this.#probe.numberOf(packet);
    if (number === null) {
      this.#isForeign = true;
      return;
    }
    const sentAtMs = this.#sentAtMs.get(number);
    if (sentAtMs === undefined) return;
    // A second copy of an answer counts for nothing.
    this.#sentAtMs.delete(number);
    this.#rttsMs.push(this.#clock.monotonicMs() - sentAtMs);
    if (this.#rttsMs.length === packets) this.#over.resolve(undefined);
  }

  #onError(error: Error): void {
    this.#errorCode = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
    // A relay that was reached is looked at to the end, whatever ICMP says meanwhile.
    if (this.#rttsMs.length === 0) this.#over.resolve(undefined);
  }
}
