import type { FlowStatsReport } from '../../../src/edge/admin/flow-schemas.ts';
import type { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { NumberCheck } from '../../support/media/number-check.ts';
import { KernelDrops } from '../../support/network/kernel-drops.ts';
import { pause } from '../../support/pause.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import type { PeerProgram } from '../../support/peers/peer-program.ts';
import { srtReceiver, srtSender } from '../../support/peers/srt-live-transmit.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { anyEnd, type MediaLane } from './media-lane.ts';

const passphrase = 'a secret of both';
const query = `passphrase=${passphrase}`;
/** As a source sends them. */
const packetsPerDatagram = 7;

/** What goes in goes out, or is counted as dropped; never more comes out than came in. */
function sumFaults({ flow_id: id, input, outputs }: FlowStatsReport): string[] {
  const received = input?.packets_received ?? 0;
  return outputs.flatMap(({ output_id, packets_sent: sent, packets_dropped: dropped }) =>
    sent > received || sent + dropped < received
      ? [`${id}: ${output_id} has sent ${sent} and dropped ${dropped} of ${received}`]
      : [],
  );
}

/** A program at an end of a flow, which can be replaced. */
class Post implements AsyncDisposable {
  readonly #create: () => PeerProgram;
  program: PeerProgram;
  starts = 1;

  constructor(create: () => PeerProgram) {
    this.#create = create;
    this.program = create();
  }

  async restart(random: SeededRandom): Promise<void> {
    this.program.kill(anyEnd(random));
    await this.program[Symbol.asyncDispose]();
    // A place is free 1.5 s after its holder fell silent; srt-live-transmit ends where it is refused.
    await pause(2500 + random.float() * 3000);
    this.program = this.#create();
    this.starts++;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]();
  }
}

/** A receiver at an output, and what it has got. */
class Viewer extends Post {
  readonly check = new NumberCheck();

  override async restart(random: SeededRandom): Promise<void> {
    await super.restart(random);
    this.check.restart();
  }

  look(): void {
    this.check.push(this.program.takeOutput());
  }
}

/** UDP → srt-live-transmit → flow (AES) → srt-live-transmit. */
export async function createThroughLane(): Promise<MediaLane> {
  const [udp, into, out] = [await freeUdpPort(), await freeUdpPort(), await freeUdpPort()];
  return new ViewedLane('through', udp, {
    ports: [udp, into, out],
    posts: () => [new Post(() => srtSender(udp, into, query))],
    viewers: () => [new Viewer(() => srtReceiver(out, 'listener', query))],
    places: 1,
    flow: {
      input: { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${into}`, passphrase },
      outputs: [srtOutput({ mode: 'caller', remote_addr: `127.0.0.1:${out}`, connect_timeout_secs: 1 })],
    },
  });
}

/** UDP → flow → two viewers that dial. */
export async function createViewersLane(): Promise<MediaLane> {
  const [udp, out] = [await freeUdpPort(), await freeUdpPort()];
  return new ViewedLane('viewers', udp, {
    ports: [udp, out],
    posts: () => [],
    places: 4,
    viewers: () => [
      new Viewer(() => srtReceiver(out, 'caller', query)),
      new Viewer(() => srtReceiver(out, 'caller', query)),
    ],
    flow: {
      input: { type: 'udp', bind_addr: `127.0.0.1:${udp}` },
      outputs: [srtOutput({ mode: 'listener', local_addr: `127.0.0.1:${out}` })],
    },
  });
}

function srtOutput(keys: object): Record<string, unknown> {
  const refresh = { km_refresh_rate: 20_000, km_pre_announce: 2000 };
  return { id: 'out', name: 'Out', type: 'srt', passphrase, peer_idle_timeout_secs: 4, ...refresh, ...keys };
}

interface LaneParts {
  /** Local UDP ports that the stream goes through. */
  readonly ports: readonly number[];
  readonly posts: () => Post[];
  readonly viewers: () => Viewer[];
  readonly places: number;
  readonly flow: Readonly<Record<string, unknown>>;
}

class ViewedLane implements MediaLane {
  readonly id: string;
  readonly flow: Readonly<Record<string, unknown>>;
  readonly places: number;
  readonly #udpPort: number;
  readonly #parts: LaneParts;
  readonly #kernel: KernelDrops;
  #posts: Post[] = [];
  #viewers: Viewer[] = [];
  #source: TsSource | null = null;

  constructor(id: string, udpPort: number, parts: LaneParts) {
    this.id = id;
    this.#udpPort = udpPort;
    this.#parts = parts;
    this.#kernel = new KernelDrops(parts.ports);
    this.flow = parts.flow;
    this.places = parts.places;
  }

  get starts(): number {
    return [...this.#posts, ...this.#viewers].reduce((sum, { starts }) => sum + starts, 0);
  }

  start(): Promise<void> {
    this.#posts = this.#parts.posts();
    this.#viewers = this.#parts.viewers();
    this.#source = new TsSource({ port: this.#udpPort });
    return Promise.resolve();
  }

  async restart(random: SeededRandom): Promise<void> {
    const all = [...this.#posts, ...this.#viewers];
    await all[Math.floor(random.float() * all.length)]?.restart(random);
  }

  check(): void {
    for (const viewer of this.#viewers) viewer.look();
    this.#kernel.look();
  }

  /** Each may leave a gap of its own at every viewer. */
  get #senderRestarts(): number {
    return this.#posts.reduce((sum, { starts }) => sum + starts - 1, 0);
  }

  faults(report: FlowStatsReport): string[] {
    const wrong = this.#viewers.flatMap(({ check: { count } }) => [
      ...(count.packets === 0 ? [`${this.id}: nothing came out`] : []),
      ...(count.repeated > 0 ? [`${this.id}: ${count.repeated} packets came twice or late`] : []),
      ...(count.gaps > this.#senderRestarts + this.#kernel.total
        ? [`${this.id}: ${count.gaps} gaps, and the sender was started again ${this.#senderRestarts} times`]
        : []),
    ]);
    return [...sumFaults(report), ...wrong];
  }

  describe(): string {
    const seen = this.#viewers.map(({ check: { count } }) => `${count.packets} packets (${count.gaps} gaps)`);
    const causes = `${this.#senderRestarts} restarts of the sender, ${this.#kernel.total} dropped by the kernel`;
    return `${this.#source?.packets ?? 0} sent, ${seen.join(' and ')} came out; ${causes}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source?.[Symbol.dispose]();
    for (const post of [...this.#posts, ...this.#viewers]) await post[Symbol.asyncDispose]();
  }
}

/** One stream of RTP over two SRT legs, of which one at a time ends and comes back: nothing may be missing. */
export async function createLegsLane(): Promise<MediaLane> {
  const sink = await LocalUdpSocket.open();
  return new LegsLane(sink, [await freeUdpPort(), await freeUdpPort()], [await freeUdpPort(), await freeUdpPort()]);
}

class LegsLane implements MediaLane {
  readonly id = 'legs';
  readonly places = 1;
  readonly flow: Readonly<Record<string, unknown>>;
  readonly #sink: LocalUdpSocket;
  readonly #udpPorts: readonly number[];
  readonly #srtPorts: readonly number[];
  readonly #check = new NumberCheck();
  readonly #kernel: KernelDrops;
  #legs: Post[] = [];
  #source: TsSource | null = null;

  constructor(sink: LocalUdpSocket, udpPorts: readonly number[], srtPorts: readonly number[]) {
    this.#sink = sink;
    this.#udpPorts = udpPorts;
    this.#srtPorts = srtPorts;
    this.#kernel = new KernelDrops([Number(sink.addr.split(':')[1]), ...udpPorts, ...srtPorts]);
    const [first, second] = srtPorts.map((port) => ({ mode: 'listener', local_addr: `127.0.0.1:${port}` }));
    this.flow = {
      input: { type: 'srt', ...first, redundancy: second, merge_window_ms: 1000 },
      outputs: [{ id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr }],
    };
  }

  get starts(): number {
    return this.#legs.reduce((sum, { starts }) => sum + starts, 0);
  }

  async start(): Promise<void> {
    this.#legs = this.#srtPorts.map((port, leg) => new Post(() => srtSender(this.#udpPorts[leg] ?? 0, port)));
    // Both legs are up before the first packet.
    await pause(3000);
    this.#source = new TsSource(...this.#udpPorts.map((port) => ({ port, rtp: true })));
  }

  async restart(random: SeededRandom): Promise<void> {
    await this.#legs[random.float() < 0.5 ? 0 : 1]?.restart(random);
    // The leg must deliver again before the other one may fail.
    await pause(10_000);
  }

  check(): void {
    this.#sink.receivedAtMs.splice(0);
    for (const datagram of this.#sink.received.splice(0)) this.#check.push(datagram);
    this.#kernel.look();
  }

  faults({ input }: FlowStatsReport): string[] {
    const { gaps, missing, repeated } = this.#check.count;
    const lost = input?.packets_lost ?? 0;
    const dropped = this.#kernel.total;
    return [
      ...(lost > dropped ? [`legs: ${lost} packets were lost on both legs`] : []),
      ...(missing > dropped * packetsPerDatagram
        ? [`legs: ${missing} packets in ${gaps} gaps did not reach the sink`]
        : []),
      ...(repeated > 0 ? [`legs: ${repeated} packets came twice or late`] : []),
    ];
  }

  describe(): string {
    const { packets, missing } = this.#check.count;
    const dropped = `${this.#kernel.total} dropped by the kernel`;
    return `${this.#source?.packets ?? 0} sent, ${packets} came out, ${missing} are missing; ${dropped}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#source?.[Symbol.dispose]();
    for (const leg of this.#legs) await leg[Symbol.asyncDispose]();
    await this.#sink[Symbol.asyncDispose]();
  }
}
