import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TunnelProtocol } from '../src/protocol/tunnel/leg.ts';
import type { EngineName } from '../src/quic/engine-report.ts';
import { CpuMeter } from './cpu-meter.ts';
import { EdgeProcess } from './edge-process.ts';
import type { RelayUnderTest, RunningRelay } from './relays/relay-under-test.ts';

/** What all stages of a run share. */
export interface World {
  /** Temporary; gone after the run. */
  readonly folder: string;
  /** What the edges run on, whatever the relay's engine is. */
  readonly edgeEngine: EngineName;
  /** Highest rate of datagrams that a relay carried without loss in this round, by its name. */
  readonly maxDatagramRates: Map<string, number>;
}

export interface TunnelsOptions {
  readonly group: string;
  readonly count: number;
  readonly protocol: TunnelProtocol;
  readonly keepBound?: boolean;
}

const readyDeadlineMs = 60_000;
const probeEveryMs = 50;
/** Further time for each path, so that probing many tunnels is no load of its own. */
const probeSpacingMs = 1;
const probeDeadlineMs = 20_000;

/** A relay of its own between two processes that play edges: the source (egress) and the destination (ingress). */
export class Stage implements AsyncDisposable {
  readonly relay: RunningRelay;
  readonly source: EdgeProcess;
  readonly destination: EdgeProcess;
  readonly #underTest: RelayUnderTest;
  readonly #open: AsyncDisposableStack;
  #flows = 0;

  private constructor(underTest: RelayUnderTest, actors: Actors, open: AsyncDisposableStack) {
    this.#underTest = underTest;
    this.relay = actors.relay;
    this.source = actors.source;
    this.destination = actors.destination;
    this.#open = open;
  }

  static async open(world: World, underTest: RelayUnderTest): Promise<Stage> {
    await using opening = new AsyncDisposableStack();
    const folder = join(world.folder, `${underTest.name}-${randomUUID()}`);
    mkdirSync(folder);
    const relay = opening.use(await underTest.start(folder));
    const source = opening.use(await EdgeProcess.start(join(folder, 'source'), world.edgeEngine));
    const destination = opening.use(await EdgeProcess.start(join(folder, 'destination'), world.edgeEngine));
    return new Stage(underTest, { relay, source, destination }, opening.move());
  }

  /** Two further edge processes at the same relay. */
  async moreEdges(world: World): Promise<Stage> {
    await using opening = new AsyncDisposableStack();
    const folder = join(world.folder, `more-${randomUUID()}`);
    const source = opening.use(await EdgeProcess.start(join(folder, 'source'), world.edgeEngine));
    const destination = opening.use(await EdgeProcess.start(join(folder, 'destination'), world.edgeEngine));
    return new Stage(this.#underTest, { relay: this.relay, source, destination }, opening.move());
  }

  /** Measures from here on. */
  meter(): CpuMeter {
    return new CpuMeter({ relay: this.relay.pid, source: this.source.pid, destination: this.destination.pid });
  }

  nextFlow(): number {
    this.#flows += 1;
    return this.#flows;
  }

  /** Adds tunnels with both legs bound. */
  async openTunnels({ group, count, protocol, keepBound = false }: TunnelsOptions): Promise<void> {
    const tunnels = Array.from({ length: count }, () => randomUUID());
    const args = { group, relay: this.relay.address, tunnels, protocol, keepBound };
    await Promise.all([
      this.source.call('bind', { ...args, direction: 'egress' }),
      this.destination.call('bind', { ...args, direction: 'ingress' }),
    ]);
    await this.awaitReady(group, 1);
  }

  /** `generation` 2: both edges of each tunnel have lost their connection, and have another. */
  async awaitReady(group: string, generation: number): Promise<void> {
    const args = { group, generation, timeoutMs: readyDeadlineMs };
    await Promise.all([this.source.call('awaitReady', args), this.destination.call('awaitReady', args)]);
  }

  /** One way for datagrams from source to destination, whatever kind of relay this is. */
  async openDatagramPath(group: string): Promise<void> {
    const relay = this.relay.address;
    switch (this.#underTest.path) {
      case 'tunnel':
        await this.openTunnels({ group, count: 1, protocol: 'udp' });
        return;
      case 'bare-udp':
        await this.destination.call('openBareUdp', { group, relay, greeting: 'destination' });
        await this.source.call('openBareUdp', { group, relay, greeting: 'source' });
        return;
      case 'turn': {
        const peer = await this.destination.call('openTurnPeer', { group });
        await this.source.call('openTurn', { group, relay, peer });
      }
    }
  }

  /** Waits until datagrams of this size arrive on all paths: path MTU discovery has to climb first, on four legs. */
  async awaitSize(group: string, bytes: number, paths: number): Promise<void> {
    await this.destination.call('expectDatagrams', { group, flow: this.nextFlow(), total: 0 });
    const deadlineMs = performance.now() + probeDeadlineMs;
    for (;;) {
      await this.source.call('probe', { group, bytes });
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs + probeSpacingMs * paths));
      const tally = await this.destination.call('tally', { group });
      if (tally.paths >= paths) return;
      if (performance.now() > deadlineMs) {
        throw new Error(`datagrams of ${bytes} bytes arrived on ${tally.paths} of ${paths} tunnels only`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

interface Actors {
  readonly relay: RunningRelay;
  readonly source: EdgeProcess;
  readonly destination: EdgeProcess;
}
