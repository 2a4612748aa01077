import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync } from 'node:fs';
import process from 'node:process';
import { ip, unroutedNetwork } from './ip-command.ts';

const firstHost = 2;
const lastHost = 250;
/** Where iproute2 keeps the names of namespaces. */
const namesFolder = '/run/netns';
/** `adit-test-RUN-ID`: the process of the test run, and a number of the machine. */
const namePattern = /^adit-test-(\d+)-\d+$/;

/**
 * A machine beside this one: a network namespace on a cable (a veth pair) of its own, whose address can change.
 * Needs Linux, root and `ip` (iproute2).
 */
export class OtherMachine implements Disposable {
  readonly #name: string;
  readonly #cable: string;
  readonly #network: string;
  #host = firstHost;

  private constructor(id: number) {
    this.#name = `adit-test-${process.env['ADIT_TEST_RUN'] ?? process.pid}-${id}`;
    this.#cable = `adit${id}`;
    this.#network = unroutedNetwork();
  }

  static start(): OtherMachine {
    const machine = new OtherMachine(randomInt(100_000, 1_000_000));
    const far = `${machine.#cable}f`;
    ip('netns', 'add', machine.#name);
    try {
      ip('link', 'add', machine.#cable, 'type', 'veth', 'peer', 'name', far, 'netns', machine.#name);
      ip('addr', 'add', `${machine.here}/24`, 'dev', machine.#cable);
      ip('link', 'set', machine.#cable, 'up');
      // As systemd has it; otherwise an address takes those away that came after it.
      const [command = '', ...rest] = machine.wrapper;
      const promote = 'echo 1 > /proc/sys/net/ipv4/conf/all/promote_secondaries';
      execFileSync(command, [...rest, 'sh', '-c', promote], { stdio: ['ignore', 'ignore', 'pipe'] });
      machine.#inside('link', 'set', 'lo', 'up');
      machine.#inside('addr', 'add', `${machine.address}/24`, 'dev', far);
      machine.#inside('link', 'set', far, 'up');
      return machine;
    } catch (error) {
      machine[Symbol.dispose]();
      throw error;
    }
  }

  /** The address of this machine on the cable. */
  get here(): string {
    return `${this.#network}.1`;
  }

  /** The address of the other one. */
  get address(): string {
    return `${this.#network}.${this.#host}`;
  }

  /** What starts a program there. */
  get wrapper(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Another address takes the place of the one that it has, as a new lease does. */
  renumber(): void {
    const old = this.address;
    this.#host = this.#host === lastHost ? firstHost : this.#host + 1;
    this.#inside('addr', 'add', `${this.address}/24`, 'dev', `${this.#cable}f`);
    this.#inside('addr', 'del', `${old}/24`, 'dev', `${this.#cable}f`);
  }

  setMtu(bytes: number): void {
    ip('link', 'set', this.#cable, 'mtu', String(bytes));
    this.#inside('link', 'set', `${this.#cable}f`, 'mtu', String(bytes));
  }

  /** Its firewall drops what a rule of nft matches, such as `udp dport 443`, on its way in or out. Needs nftables. */
  drop(hook: 'input' | 'output', match: string): void {
    const chain = `chain ${hook} { type filter hook ${hook} priority 0; ${match} drop; };`;
    const [command = '', ...rest] = this.wrapper;
    execFileSync(command, [...rest, 'nft', `table inet adit { ${chain} }`], { stdio: ['ignore', 'ignore', 'pipe'] });
  }

  /** Both ends of the cable go with it. Idempotent: a test that has run into its limit may come to its end later. */
  [Symbol.dispose](): void {
    if (machineNames().some(({ name }) => name === this.#name)) removeMachine(this.#name);
  }

  #inside(...args: readonly string[]): void {
    ip('-n', this.#name, ...args);
  }
}

/** Of all runs, those that are over included. */
export function machineNames(): readonly { readonly name: string; readonly run: number }[] {
  return namesOfSpaces().flatMap((name) => {
    const run = namePattern.exec(name)?.[1];
    return run === undefined ? [] : [{ name, run: Number(run) }];
  });
}

export function removeMachine(name: string): void {
  ip('netns', 'del', name);
}

function namesOfSpaces(): readonly string[] {
  try {
    return readdirSync(namesFolder);
  } catch {
    // None was ever made here.
    return [];
  }
}

/** Whether this machine lets a test make one; prints why not. */
export function canStartMachines(): boolean {
  try {
    OtherMachine.start()[Symbol.dispose]();
    return true;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stdout.write(`Tests with a second machine are left out; they need Linux, root and iproute2: ${why}\n`);
    return false;
  }
}
