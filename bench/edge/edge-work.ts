import type { Clock } from '../../src/lib/clock.ts';
import type { Random } from '../../src/lib/random.ts';
import type { QuicEngine } from '../../src/quic/types.ts';
import { openBareUdp } from './bare-udp.ts';
import { BenchEdge } from './bench-edge.ts';
import { push, Sink } from './bulk.ts';
import { sendDatagrams, sendProbes } from './datagram-flow.ts';
import { DatagramTally } from './datagram-tally.ts';
import { dialDirect, listenDirect } from './direct-path.ts';
import type * as calls from './edge-calls.ts';
import { knownTunnelId } from './edge-transport.ts';
import { eachAtOnce, handshakes } from './handshakes.ts';
import { PathGroup } from './path-group.ts';
import { echo, pingPong } from './ping-pong.ts';
import { openTurn, openTurnPeer } from './turn-path.ts';

export interface EdgeWorkDependencies {
  readonly engine: QuicEngine;
  readonly clock: Clock;
  readonly random: Random;
}

/** Handshakes under way at once: enough to keep a relay busy, few enough that none waits for long. */
const bindsAtOnce = 16;
const readyPollMs = 5;

/** What an edge process holds, and what it does when the benchmark asks. */
export class EdgeWork implements calls.EdgeCalls {
  readonly #dependencies: EdgeWorkDependencies;
  readonly #folder: string;
  readonly #groups = new Map<string, PathGroup>();
  readonly #tallies = new Map<string, DatagramTally>();

  /** `folder` is this process's own, for what it has to keep. */
  constructor(dependencies: EdgeWorkDependencies, folder: string) {
    this.#dependencies = dependencies;
    this.#folder = folder;
  }

  async bind({ group: name, relay, tunnels, direction, protocol, keepBound }: calls.BindArgs): Promise<void> {
    const group = this.#group(name);
    const edges = tunnels.map((tunnel) => {
      const settings = { relay, tunnelId: knownTunnelId(tunnel), direction, protocol, keepBound };
      return new BenchEdge({ ...this.#dependencies, group }, settings);
    });
    group.paths.push(...edges);
    await eachAtOnce(edges, bindsAtOnce, (edge) => edge.start());
  }

  async awaitReady({ group: name, generation, timeoutMs }: calls.AwaitReadyArgs): Promise<void> {
    const group = this.#group(name);
    const deadlineMs = performance.now() + timeoutMs;
    while (group.countReady(generation) < group.paths.length) {
      if (performance.now() > deadlineMs) {
        const ready = group.countReady(generation);
        throw new Error(`${ready} of ${group.paths.length} tunnels were ready after ${timeoutMs} ms`);
      }
      await new Promise((resolve) => setTimeout(resolve, readyPollMs));
    }
  }

  countReady({ group }: calls.GroupArgs): Promise<number> {
    return Promise.resolve(this.#group(group).countReady());
  }

  listenDirect({ group }: calls.GroupArgs): Promise<string> {
    return listenDirect(this.#dependencies, this.#group(group), this.#folder);
  }

  dialDirect({ group, address }: calls.GroupArgs & { address: string }): Promise<void> {
    return dialDirect(this.#dependencies, this.#group(group), address);
  }

  openBareUdp({ group, relay, greeting }: calls.BareUdpArgs): Promise<string> {
    return openBareUdp(this.#group(group), relay, greeting);
  }

  openTurnPeer({ group }: calls.GroupArgs): Promise<string> {
    return openTurnPeer(this.#group(group));
  }

  openTurn({ group, relay, peer }: calls.TurnArgs): Promise<void> {
    return openTurn(this.#group(group), relay, peer);
  }

  expectDatagrams({ group, flow, total }: calls.GroupArgs & { flow: number; total: number }): Promise<void> {
    const tally = new DatagramTally(flow, total);
    this.#tallies.set(group, tally);
    this.#group(group).receiver = tally;
    return Promise.resolve();
  }

  tally({ group }: calls.GroupArgs): Promise<calls.Tally> {
    const tally = this.#tallies.get(group);
    if (tally === undefined) return Promise.reject(new Error(`nothing is expected in ${group}`));
    return Promise.resolve(tally.read());
  }

  probe({ group, bytes }: calls.GroupArgs & { bytes: number }): Promise<void> {
    sendProbes(this.#group(group).paths, bytes);
    return Promise.resolve();
  }

  sendDatagrams({ group, ...settings }: calls.SendArgs): Promise<calls.Sent> {
    return sendDatagrams(this.#group(group).paths, settings);
  }

  sink({ group, streams }: calls.GroupArgs & { streams: number }): Promise<calls.Transfer> {
    const sink = new Sink(streams);
    this.#group(group).receiver = sink;
    return sink.ended;
  }

  push({ group, ...settings }: calls.PushArgs): Promise<calls.Transfer> {
    return push(this.#group(group).firstPath(), settings);
  }

  echo({ group }: calls.GroupArgs): Promise<void> {
    this.#group(group).receiver = echo;
    return Promise.resolve();
  }

  pingPong(args: calls.PingPongArgs): Promise<calls.RoundTrips> {
    return pingPong(this.#group(args.group), args);
  }

  handshakes(args: calls.HandshakeArgs): Promise<calls.Handshakes> {
    return handshakes(this.#dependencies, args);
  }

  #group(name: string): PathGroup {
    const known = this.#groups.get(name);
    if (known !== undefined) return known;
    const group = new PathGroup();
    this.#groups.set(name, group);
    return group;
  }
}
