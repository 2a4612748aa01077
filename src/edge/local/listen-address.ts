import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

const everywhere: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);

/** Interfaces change seldom, and the list of them costs system calls. */
const periodMs = 5000;

/**
 * Whether this machine still has the address that a tunnel listens on. A socket reports no error when its address is
 * removed, and receives nothing from then on.
 */
export class ListenAddress {
  readonly #host: string;
  #isHere = true;
  #checkedAtMs = -Infinity;

  constructor(host: string) {
    this.#host = host;
  }

  /** Looks every 5 s. Returns `gone` each time that the address is not there, and `back` once after that. */
  sample(nowMs: number): 'gone' | 'back' | null {
    if (nowMs - this.#checkedAtMs < periodMs) return null;
    this.#checkedAtMs = nowMs;
    const wasHere = this.#isHere;
    this.#isHere = isOnThisMachine(this.#host);
    if (!this.#isHere) return 'gone';
    return wasHere ? null : 'back';
  }
}

function isOnThisMachine(host: string): boolean {
  if (everywhere.has(host) || loopback.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')) return true;
  const [address] = host.split('%');
  return Object.values(networkInterfaces()).some((list) => list?.some((entry) => entry.address === address));
}
