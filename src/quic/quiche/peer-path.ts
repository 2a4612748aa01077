import type { SocketAddress } from '../types.ts';

/** Bytes that may be sent to an unproved address per byte that came from it (RFC 9000 §8). */
const amplification = 3;

/**
 * A packet that was under way on the old path may arrive after the first one of the new path; it must not switch back.
 */
const lateMs = 500;

/**
 * Where the peer is. The first authentic and new packet from elsewhere changes the address (NAT rebinding). Until a
 * second one comes from there, at most three times its bytes are sent. So a packet that an attacker copied on the way
 * does not aim us at a victim.
 */
export class PeerPath {
  ip: string;
  port: number;
  /** Bytes that may still be sent; infinite once the address is proved. */
  #allowance = Number.POSITIVE_INFINITY;
  #old: { readonly ip: string; readonly port: number } | null = null;
  #movedAtMs = Number.NEGATIVE_INFINITY;

  constructor(ip: string, port: number) {
    this.ip = ip;
    this.port = port;
  }

  get proved(): boolean {
    return this.#allowance === Number.POSITIVE_INFINITY;
  }

  get address(): SocketAddress {
    return { ip: withoutZone(this.ip), port: this.port };
  }

  isHere(ip: string, port: number): boolean {
    return port === this.port && ip === this.ip;
  }

  maySend(bytes: number): boolean {
    return bytes <= this.#allowance;
  }

  onSent(bytes: number): void {
    this.#allowance -= bytes;
  }

  /**
   * An authentic packet of `bytes` came from this address, which is elsewhere or not proved yet. True: the address is
   * new and proved now.
   */
  onAuthentic(ip: string, port: number, bytes: number, nowMs: number): boolean {
    if (this.isHere(ip, port)) {
      const wasProved = this.proved;
      this.#allowance = Number.POSITIVE_INFINITY;
      return !wasProved;
    }
    const goesBack = this.#old?.port === port && this.#old.ip === ip;
    if (goesBack && this.proved && nowMs - this.#movedAtMs < lateMs) return false;
    // Back to an address that was proved before, from one that never was: nothing has changed.
    const undone = goesBack && !this.proved;
    this.#old = undone ? null : { ip: this.ip, port: this.port };
    this.#allowance = undone ? Number.POSITIVE_INFINITY : bytes * amplification;
    this.#movedAtMs = nowMs;
    this.ip = ip;
    this.port = port;
    return false;
  }
}

/** Addresses are shown without the zone of a link-local one, but packets need it. */
export function withoutZone(ip: string): string {
  const zone = ip.indexOf('%');
  return zone < 0 ? ip : ip.slice(0, zone);
}
