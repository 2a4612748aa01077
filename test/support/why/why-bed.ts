import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram, type LogLine } from '../../../src/cli/demo/child-program.ts';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { createTunnelKit, createTunnelSecrets, type TunnelSecrets } from '../../../src/cli/tunnel-kit.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { formatSocketAddress, parseSocketAddress } from '../../../src/lib/socket-address.ts';
import type { Direction, TunnelProtocol } from '../../../src/protocol/tunnel/leg.ts';
import { FaultyNetwork, type PathDirection } from '../network/faulty-network.ts';
import type { Faults } from '../network/faulty-path.ts';
import type { OtherMachine } from '../network/other-machine.ts';
import { runAdit, type CommandResult } from '../programs/adit-command.ts';
import type { ConfigKeys } from '../programs/running-programs.ts';
import { until } from '../until.ts';
import { EchoDevice } from './echo-device.ts';

interface ProgramOptions {
  /** What differs in its config. */
  readonly config?: ConfigKeys;
  /** Where it runs, if not on this machine. */
  readonly machine?: OtherMachine;
  /** What people call it here; the one that is asked. */
  readonly place?: string;
}

interface EdgeOptions extends ProgramOptions {
  /** What differs in its tunnel. */
  readonly tunnel?: ConfigKeys;
}

interface TunnelOptions {
  readonly relay?: ConfigKeys;
  /** Null: that edge is not started. */
  readonly egress?: EdgeOptions | null;
  readonly ingress?: EdgeOptions | null;
  /** Of a network between one edge and the relay. */
  readonly faults?: Partial<Faults>;
  /** Of that network, the direction in which nothing passes from the start. */
  readonly blocked?: PathDirection;
  /** Which edge; the ingress edge unless it says otherwise. */
  readonly faulty?: Direction;
}

/** How people reach a program. */
interface Asked {
  /** Flags of `adit why`. */
  readonly flags: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly wrapper?: readonly string[];
}

interface RunningRelay {
  readonly address: string;
  /** `ip:port` of its REST API. */
  readonly api: string;
  readonly pin: string;
  readonly program: ChildProgram;
}

const loopback = '127.0.0.1';
const clock = new SystemClock();
const edgeIds: Readonly<Record<Direction, string>> = { egress: 'camera', ingress: 'studio' };

/** A relay and edges as processes of their own, with one tunnel, `camera-1`; people ask each of them `adit why`. */
export class WhyBed implements AsyncDisposable {
  readonly secrets = createTunnelSecrets(new SystemRandom());
  readonly folder: string;
  readonly protocol: TunnelProtocol;
  /** What the ingress edge feeds: it sends each datagram back. */
  readonly device: EchoDevice;
  /** `ip:port` where the egress edge listens. */
  readonly listen: string;
  readonly relays: RunningRelay[] = [];
  /** Of everyone who asks. */
  env: NodeJS.ProcessEnv = {};
  readonly #stack = new AsyncDisposableStack();
  readonly #asked = new Map<string, Asked>();
  #network: FaultyNetwork | null = null;
  #faulty: Direction = 'ingress';
  #isStopped = false;

  private constructor(folder: string, protocol: TunnelProtocol, device: EchoDevice, port: number) {
    this.folder = folder;
    this.protocol = protocol;
    this.device = device;
    this.listen = `${loopback}:${port}`;
    this.#stack.defer(() => rm(folder, { recursive: true }));
    this.#stack.use(device);
  }

  static async open(protocol: TunnelProtocol = 'udp'): Promise<WhyBed> {
    const folder = await mkdtemp(join(tmpdir(), 'adit-why-'));
    return new WhyBed(folder, protocol, await EchoDevice.open(), await freePort());
  }

  /** Between an edge and the relay. */
  get network(): FaultyNetwork {
    if (this.#network === null) throw new Error('there is no network in between');
    return this.#network;
  }

  /** What ends with the bed. */
  use<T extends AsyncDisposable | Disposable>(thing: T): T {
    return this.#stack.use(thing);
  }

  defer(end: () => void | Promise<void>): void {
    this.#stack.defer(end);
  }

  /** A relay and two edges, unless the options leave one out. */
  async tunnel(options: TunnelOptions = {}): Promise<void> {
    const { address } = await this.relay({ config: options.relay ?? {} });
    const target = parseSocketAddress(address);
    if (options.faults !== undefined && target !== null) {
      this.#network = this.use(await FaultyNetwork.start({ target, faults: options.faults }));
      this.#faulty = options.faulty ?? 'ingress';
      if (options.blocked !== undefined) this.network.partition(options.blocked);
    }
    await Promise.all((['egress', 'ingress'] as const).map((direction) => this.#oneOf(direction, options)));
  }

  async relay({ config = {}, machine, place = 'relay' }: ProgramOptions = {}): Promise<RunningRelay> {
    const authorised = [{ id: this.secrets.id, name: 'camera-1', bind_secret: this.secrets.bindSecret }];
    const addresses = { quic_addrs: [`${machine?.address ?? loopback}:0`], api_addrs: [`${loopback}:0`] };
    const keys = { ...addresses, tunnels: authorised, ...config };
    const { program, started } = await this.#start('relay', place, keys, machine);
    const [address = ''] = started['quic_addrs'] as string[];
    const [api = ''] = started['api_addrs'] as string[];
    const relay = { address, api, pin: String(started['certificate_sha256']), program };
    this.relays.push(relay);
    return relay;
  }

  /** An edge for that side of the tunnel, at the relays that were started. */
  async edge(direction: Direction, options: EdgeOptions = {}): Promise<ChildProgram> {
    const { tunnel: changes = {}, config = {}, machine, place = direction } = options;
    const tunnels = this.entries(direction, this.secrets).map((tunnel) => ({ ...tunnel, ...changes }));
    const common = { edge_id: edgeIds[direction], api_addr: `${loopback}:0`, tunnels };
    const { program } = await this.#start('edge', place, { ...common, ...config }, machine);
    return program;
  }

  /** A tunnel as an edge's config has it, at the relays that were started. One that is not the bed's takes any port. */
  entries(direction: Direction, secrets: TunnelSecrets): readonly object[] {
    const relays = this.relays.map(({ address }) => address);
    if (direction === this.#faulty && this.#network !== null) relays[0] = formatSocketAddress(this.#network.address);
    const listen = secrets === this.secrets ? this.listen : `${loopback}:0`;
    const plan = { name: 'camera-1', protocol: this.protocol, listen, forward: this.device.addr };
    const pins = this.relays.length === 0 ? {} : { relay_fingerprint: this.relays.map(({ pin }) => pin) };
    return createTunnelKit({ ...plan, relays }, secrets)[`${direction}Edge`].tunnels.map((tunnel) => {
      return { ...tunnel, ...pins };
    });
  }

  /** Another program that is asked. */
  answersAt(place: string, asked: Asked): void {
    this.#asked.set(place, asked);
  }

  /** `adit why` as an operator types it beside that program; an empty subject asks about everything. */
  why(place: string, subject: string = this.secrets.id): Promise<CommandResult> {
    const asked = this.#asked.get(place);
    if (asked === undefined) throw new Error(`nobody runs at ${place}`);
    const { flags, env = this.env, wrapper = [] } = asked;
    return runAdit(['why', ...(subject === '' ? [] : [subject]), '--seconds', '1', ...flags], env, wrapper);
  }

  /** Asks there until the answer has these words. */
  async says(place: string, subject: string, words: string): Promise<void> {
    const asked = async (): Promise<boolean> => (await this.why(place, subject)).out.includes(words);
    await until(asked, { what: `“${words}” at the ${place}`, timeoutMs: 120_000, pollMs: 100 });
  }

  /** Waits until both legs are at the relay. */
  isUp(): Promise<void> {
    return this.says('relay', this.secrets.id, 'Both legs are there');
  }

  /** A local program sends datagrams of this size into the tunnel from now on. */
  async sends(bytes: number, perSecond: number): Promise<void> {
    this.use(await EchoDevice.open(false)).sendTo(this.listen, bytes, perSecond);
  }

  stopRelay(): void {
    this.relays[0]?.program.kill('SIGSTOP');
    this.#isStopped = true;
  }

  continueRelay(): void {
    this.relays[0]?.program.kill('SIGCONT');
    this.#isStopped = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isStopped) this.continueRelay();
    await this.#stack.disposeAsync();
  }

  async #oneOf(direction: Direction, options: TunnelOptions): Promise<void> {
    const edge = options[direction];
    if (edge !== null) await this.edge(direction, edge);
  }

  /** Resolves once it has started. */
  async #start(
    kind: 'relay' | 'edge',
    place: string,
    config: object,
    machine: OtherMachine | undefined,
  ): Promise<{ readonly program: ChildProgram; readonly started: LogLine }> {
    const folder = join(this.folder, place);
    await mkdir(folder);
    const path = join(folder, `${kind}.json`);
    await writeFile(path, JSON.stringify({ state_dir: join(folder, 'state'), ...config }), { mode: 0o600 });
    const wrapper = machine?.wrapper ?? [];
    const program = this.use(new ChildProgram(place, [kind, '-c', path], clock, wrapper));
    const started = await program.line(`${kind} started`);
    const [api = ''] = started['api_addrs'] as string[];
    this.#asked.set(place, { flags: ['--url', `http://${api}`], wrapper });
    return { program, started };
  }
}
