import { FaultyNetwork } from '../network/faulty-network.ts';
import { pause } from '../pause.ts';
import { freeUdpPort } from '../peers/free-udp-port.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import type { PeerProgram } from '../peers/peer-program.ts';
import { srtSender } from '../peers/srt-live-transmit.ts';
import { TsSource } from '../peers/ts-source.ts';
import { FlowBed } from '../programs/flow-bed.ts';
import { until } from '../until.ts';
import { MachineWatch, type TrialMachine } from './machine-watch.ts';
import { NumberCheck, type NumberCount } from './number-check.ts';

export interface LegsTrialOrder {
  readonly seconds: number;
  /** Both legs carry RTP, or bare TS. */
  readonly rtp: boolean;
  /** A leg is cut so often, for `cutSecs`. */
  readonly everySecs: number;
  readonly cutSecs: number;
  /** Leg 2 and leg 1 are cut in turns, so that of two raw legs it is always the running one. Else leg 2 alone. */
  readonly inTurns?: boolean;
}

export interface LegsTrialResult extends NumberCount, TrialMachine {
  readonly sent: number;
  readonly cuts: number;
  /** Events of both legs. */
  readonly lost: number;
  readonly connected: number;
  /** The output changed from one leg to the other. */
  readonly switches: number;
}

const legConnected = /redundant leg [12]\)/;

/** libsrt sends one stream over two legs: leg 1 loses 2 % of its packets, one of them is cut and comes back. */
export async function legsTrial(order: LegsTrialOrder): Promise<LegsTrialResult> {
  const { seconds, rtp, everySecs, cutSecs, inTurns = false } = order;
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  const ports = [await freeUdpPort(), await freeUdpPort()] as const;
  const [first, second] = ports.map((port) => ({ mode: 'listener', local_addr: `127.0.0.1:${port}` }));
  // A busy machine does not end a leg that is never cut; the others end soon after they were.
  const firstIdleSecs = inTurns ? 2 : 30;
  const legs = {
    ...first,
    peer_idle_timeout_secs: firstIdleSecs,
    redundancy: { ...second, peer_idle_timeout_secs: 2 },
  };
  const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
  await bed.create({ id: 'rx', input: { type: 'srt', ...legs, merge_window_ms: 1000 }, outputs: [tv] });
  await using lossy = await FaultyNetwork.start({
    target: { ip: '127.0.0.1', port: ports[0] },
    faults: { lossRate: 0.02, delayMs: 5 },
  });
  await using cut = await FaultyNetwork.start({ target: { ip: '127.0.0.1', port: ports[1] } });
  const udp = [await freeUdpPort(), await freeUdpPort()] as const;
  await using senders = new LegSenders(udp, [lossy.address.port, cut.address.port]);
  await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 1)');
  await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 2)');
  using source = new TsSource(...udp.map((port) => ({ port, rtp })));
  const check = new NumberCheck();
  const paths = [lossy.address.port, cut.address.port];
  const machine = new MachineWatch([...ports, ...udp, ...paths, Number(sink.addr.split(':')[1])]);
  const follow = async (forSecs: number): Promise<void> => {
    const endMs = performance.now() + forSecs * 1000;
    while (performance.now() < endMs) {
      machine.look();
      sink.receivedAtMs.splice(0);
      for (const datagram of sink.received.splice(0)) check.push(datagram);
      await pause(100);
    }
  };
  const cuts = Math.floor(seconds / everySecs);
  for (let turn = 0; turn < cuts; turn++) {
    const leg = inTurns && turn % 2 === 1 ? 0 : 1;
    const path = leg === 0 ? lossy : cut;
    await follow(everySecs - cutSecs);
    path.partition();
    await follow(cutSecs);
    path.heal();
    await senders.restart(leg);
  }
  const count = (message: RegExp): number => bed.messages('rx').filter((each) => message.test(each)).length;
  await until(() => count(legConnected) >= cuts + 2, { what: 'every leg is back' });
  const lost = count(/^Redundant leg [12] lost/);
  source.pause();
  await follow(2);
  const switches = (await bed.running('rx')).input?.redundancy_switches ?? 0;
  return {
    ...check.count,
    ...machine.result,
    sent: source.packets,
    cuts,
    lost,
    connected: count(legConnected),
    switches,
  };
}

/** A program for each leg that carries what comes to a local port to the edge. */
class LegSenders implements AsyncDisposable {
  readonly #start: (leg: 0 | 1) => PeerProgram;
  readonly #running: [PeerProgram, PeerProgram];

  constructor(udp: readonly [number, number], srt: readonly [number, number]) {
    // A busy machine does not end leg 1 from this side.
    const queries = ['latency=1000&peeridletimeo=30000', 'latency=1000'] as const;
    this.#start = (leg) => srtSender(udp[leg], srt[leg], queries[leg]);
    this.#running = [this.#start(0), this.#start(1)];
  }

  /** srt-live-transmit ends when its peer is gone; whoever runs it starts it again. */
  async restart(leg: 0 | 1): Promise<void> {
    await this.#running[leg][Symbol.asyncDispose]();
    this.#running[leg] = this.#start(leg);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const sender of this.#running) await sender[Symbol.asyncDispose]();
  }
}
