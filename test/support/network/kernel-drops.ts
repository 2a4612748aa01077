import { readFileSync } from 'node:fs';

/**
 * Datagrams that the kernel threw away because a program did not read its socket in time: not the fault of who sends. On
 * a busy machine they explain a gap. Linux only.
 */
export class KernelDrops {
  readonly #ports: ReadonlySet<number>;
  /** By the inode of a socket, which may be gone by now. */
  readonly #drops = new Map<string, number>();

  /** `ports` are local UDP ports of any program. */
  constructor(ports: readonly number[]) {
    this.#ports = new Set(ports);
  }

  get total(): number {
    return [...this.#drops.values()].reduce((sum, drops) => sum + drops, 0);
  }

  /** To be called now and then: a socket that is closed takes its counter with it. */
  look(): void {
    for (const line of readFileSync('/proc/net/udp', 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [local = '', inode = '', drops = '0'] = [fields[1], fields[9], fields[12]];
      if (this.#ports.has(Number.parseInt(local.split(':')[1] ?? '', 16))) this.#drops.set(inode, Number(drops));
    }
  }
}
