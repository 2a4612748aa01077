import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Faults } from './faulty-path.ts';
import { ip, unroutedNetwork } from './ip-command.ts';

const child = fileURLToPath(new URL('tun-path-child.ts', import.meta.url));
/** Enough for a moment in which the process between the devices gets no CPU. */
const queuePackets = '5000';

/** `up` is the way from the machine to here. */
export interface TunFaults {
  readonly up: Partial<Faults>;
  readonly down: Partial<Faults>;
  /** Where the path loses and reorders. */
  readonly seed: number;
}

/** Names of the two devices, and what happens between them. */
export interface TunPathOrder extends TunFaults {
  readonly near: string;
  readonly far: string;
}

/**
 * A machine (a network namespace) at the other end of a bad path, which carries whole IP packets, so also those of the
 * kernel's TCP. Needs Linux, root, `ip` (iproute2) and /dev/net/tun.
 */
export class TunMachine implements AsyncDisposable {
  /** The address of this machine on the path. */
  readonly here: string;
  /** The address of the other one. */
  readonly address: string;
  readonly #name: string;
  readonly #network = unroutedNetwork();
  readonly #near: string;
  readonly #far: string;
  readonly #remove = (): void => ip('netns', 'del', this.#name);
  #path: ChildProcess | null = null;

  private constructor(id: number) {
    this.#name = `adit-test-${id}`;
    this.#near = `adit${id}n`;
    this.#far = `adit${id}f`;
    this.here = `${this.#network}.1`;
    this.address = `${this.#network}.2`;
  }

  static async start(faults: TunFaults): Promise<TunMachine> {
    const machine = new TunMachine(randomInt(100_000, 1_000_000));
    ip('netns', 'add', machine.#name);
    // It outlives this process otherwise.
    process.once('exit', machine.#remove);
    try {
      await machine.#connect(faults);
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What starts a program there. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /**
   * TCP from there to here is controlled by `cubic`, `bbr` or another one that the kernel has. By its route: a namespace
   * may not make any of them its default.
   */
  setCongestionControl(name: string): void {
    const route = [`${this.#network}.0/24`, 'dev', this.#far, 'src', this.address, 'congctl', name];
    ip('-n', this.#name, 'route', 'replace', ...route);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#remove);
    this.#remove();
    if (this.#path === null || this.#path.exitCode !== null || this.#path.signalCode !== null) return;
    const exit = once(this.#path, 'exit');
    this.#path.kill('SIGKILL');
    await exit;
  }

  async #connect(faults: TunFaults): Promise<void> {
    const [near, far] = [this.#near, this.#far];
    const order: TunPathOrder = { near, far, ...faults };
    const args = ['--disable-warning=ExperimentalWarning', child, JSON.stringify(order)];
    this.#path = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = once(this.#path, 'exit').then(() => Promise.reject(new Error('no path between two TUN devices')));
    await Promise.race([once(this.#path, 'spawn').then(() => this.#isReady()), ended]);
    ended.catch(() => undefined);
    ip('link', 'set', far, 'netns', this.#name);
    ip('addr', 'add', `${this.here}/24`, 'dev', near);
    ip('link', 'set', near, 'txqueuelen', queuePackets, 'up');
    ip('-n', this.#name, 'link', 'set', 'lo', 'up');
    ip('-n', this.#name, 'addr', 'add', `${this.address}/24`, 'dev', far);
    ip('-n', this.#name, 'link', 'set', far, 'txqueuelen', queuePackets, 'up');
  }

  async #isReady(): Promise<void> {
    const output = this.#path?.stdout;
    if (output === null || output === undefined) throw new Error('the path has no output');
    await once(output, 'data');
  }
}
