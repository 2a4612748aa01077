import { FaultyNetwork } from '../network/faulty-network.ts';
import { pause } from '../pause.ts';
import { freeUdpPort } from '../peers/free-udp-port.ts';
import { LocalUdpSocket } from '../peers/local-udp.ts';
import { srtSender } from '../peers/srt-live-transmit.ts';
import { TsSource } from '../peers/ts-source.ts';
import { FlowBed } from '../programs/flow-bed.ts';
import { MachineWatch, type TrialMachine } from './machine-watch.ts';
import { NumberCheck, type NumberCount } from './number-check.ts';

export interface LegsTrialOrder {
  readonly seconds: number;
  /** Both legs carry RTP, or bare TS. */
  readonly rtp: boolean;
  /** Leg 2 is cut so often, for `cutSecs`. */
  readonly everySecs: number;
  readonly cutSecs: number;
}

export interface LegsTrialResult extends NumberCount, TrialMachine {
  readonly sent: number;
  readonly cuts: number;
  /** Events of leg 2. */
  readonly lost: number;
  readonly connected: number;
}

/** libsrt sends one stream over two legs: leg 1 loses 2 % of its packets, leg 2 is cut and comes back. */
export async function legsTrial({ seconds, rtp, everySecs, cutSecs }: LegsTrialOrder): Promise<LegsTrialResult> {
  await using bed = await FlowBed.open();
  await using sink = await LocalUdpSocket.open();
  const ports = [await freeUdpPort(), await freeUdpPort()] as const;
  const [first, second] = ports.map((port) => ({ mode: 'listener', local_addr: `127.0.0.1:${port}` }));
  // A busy machine does not end leg 1; leg 2 ends soon after it was cut.
  const legs = { ...first, peer_idle_timeout_secs: 30, redundancy: { ...second, peer_idle_timeout_secs: 2 } };
  const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
  await bed.create({ id: 'rx', input: { type: 'srt', ...legs, merge_window_ms: 1000 }, outputs: [tv] });
  await using lossy = await FaultyNetwork.start({
    target: { ip: '127.0.0.1', port: ports[0] },
    faults: { lossRate: 0.02, delayMs: 5 },
  });
  await using cut = await FaultyNetwork.start({ target: { ip: '127.0.0.1', port: ports[1] } });
  const udp = [await freeUdpPort(), await freeUdpPort()] as const;
  const patient = 'latency=1000&peeridletimeo=30000';
  await using _first = srtSender(udp[0], lossy.address.port, patient);
  let sender = srtSender(udp[1], cut.address.port, 'latency=1000');
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
  try {
    for (let turn = 0; turn < cuts; turn++) {
      await follow(everySecs - cutSecs);
      cut.partition();
      await follow(cutSecs);
      cut.heal();
      // srt-live-transmit ends when its peer is gone; whoever runs it starts it again.
      await sender[Symbol.asyncDispose]();
      sender = srtSender(udp[1], cut.address.port, 'latency=1000');
    }
    source.pause();
    await follow(2);
  } finally {
    await sender[Symbol.asyncDispose]();
  }
  const count = (message: string): number => bed.messages('rx').filter((each) => each === message).length;
  return {
    ...check.count,
    ...machine.result,
    sent: source.packets,
    cuts,
    lost: count('Redundant leg 2 lost'),
    connected: count('SRT input connected (mode=listener, redundant leg 2)'),
  };
}
