import { describe, expect, it } from 'vitest';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { FaultyNetwork } from '../../support/network/faulty-network.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { freeUdpPort } from '../../support/peers/free-udp-port.ts';
import { until } from '../../support/until.ts';

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };

/** A latency in which a busy machine, too, repairs what a path loses. */
const busyMs = 300;

function udpOut(sink: LocalUdpSocket): Record<string, unknown> {
  return { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
}

function leg(port: number, latencyMs = 60): Record<string, unknown> {
  return { mode: 'listener', local_addr: `127.0.0.1:${port}`, latency_ms: latencyMs, peer_idle_timeout_secs: 2 };
}

function caller(port: number, latencyMs = 60): Record<string, unknown> {
  return { mode: 'caller', remote_addr: `127.0.0.1:${port}`, latency_ms: latencyMs, peer_idle_timeout_secs: 2 };
}

describe('two SRT legs with RTP', () => {
  it('are merged without a gap while one loses packets and the other is cut and comes back', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const [first, second] = [await freeUdpPort(), await freeUdpPort()];
    const input = { type: 'srt', ...leg(first, busyMs), redundancy: leg(second, busyMs), merge_window_ms: 500 };
    await bed.create({ id: 'rx', input, outputs: [udpOut(sink)] });
    const target = (port: number) => ({ ip: '127.0.0.1', port });
    await using lossy = await FaultyNetwork.start({ target: target(first), faults: { lossRate: 0.05 } });
    await using cut = await FaultyNetwork.start({ target: target(second) });
    const output = { id: 'out', name: 'Out', type: 'srt', ...caller(lossy.address.port, busyMs) };
    const port = await bed.create({
      id: 'tx',
      input: udpIn,
      outputs: [{ ...output, redundancy: caller(cut.address.port, busyMs) }],
    });
    await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 1)');
    await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 2)');
    await until(() => bed.messages('tx').filter((text) => text === "SRT output 'out' connected").length === 2);
    using source = new TsSource({ port });
    source.follow(sink);
    await until(() => sink.received.length >= 200);
    cut.set({ partitioned: true });
    expect(await bed.event('rx', 'Redundant leg 2 lost')).toMatchObject({ leg: 2 });
    const before = sink.received.length;
    await until(() => sink.received.length >= before + 100);
    await until(() => bed.messages('tx').includes("SRT output 'out' disconnected"));
    cut.set({ partitioned: false });
    const backs = (): number =>
      bed.messages('rx').filter((message) => message === 'SRT input connected (mode=listener, redundant leg 2)').length;
    await until(() => backs() >= 2);
    source.pause();
    // Six packets go in one RTP packet of SRT, so the last few may wait for more.
    await until(() => numbersIn(sink.received).length >= source.packets - 6);
    const numbers = numbersIn(sink.received);
    expect(numbers[0]).toBe(0);
    expect(gapsIn(numbers)).toEqual([]);
    const rx = await bed.flow('rx');
    expect(rx?.input).toMatchObject({ packets_lost: 0 });
    expect(rx?.input?.duplicates).toBeGreaterThan(100);
    const messages = bed.messages('rx');
    expect(messages.filter((message) => message === 'Redundant leg 2 lost')).toHaveLength(1);
    expect(messages).not.toContain('SRT input disconnected, reconnecting');
  });

  it('say once that both are lost, and not again before one has delivered', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const [first, second] = [await freeUdpPort(), await freeUdpPort()];
    const input = { type: 'srt', ...leg(first), redundancy: leg(second) };
    await bed.create({ id: 'rx', input, outputs: [udpOut(sink)] });
    const output = { id: 'out', name: 'Out', type: 'srt', ...caller(first), redundancy: caller(second) };
    const port = await bed.create({ id: 'tx', input: udpIn, outputs: [output] });
    await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 2)');
    using source = new TsSource({ port });
    await until(() => sink.received.length >= 50);
    await bed.command({ type: 'stop_flow', flow_id: 'tx' });
    source.pause();
    await bed.event('rx', 'Both redundant legs lost');
    await bed.command({ type: 'start_flow', flow_id: 'tx' });
    using again = new TsSource({ port: await bed.inputPort('tx') });
    const before = sink.received.length;
    await until(() => sink.received.length >= before + 50);
    await bed.command({ type: 'stop_flow', flow_id: 'tx' });
    const lost = (): number => bed.messages('rx').filter((text) => text === 'Both redundant legs lost').length;
    await until(() => lost() === 2);
    again.pause();
  });
});

describe('two SRT legs with raw TS', () => {
  it('take over where the packets are equal, so that nothing is lost when the running leg ends', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const [first, second] = [await freeUdpPort(), await freeUdpPort()];
    const input = { type: 'srt', ...leg(first), redundancy: leg(second) };
    await bed.create({ id: 'rx', input, outputs: [udpOut(sink)] });
    // Two flows of the same source: what two encoders' legs without RTP look like.
    const out = (port: number) => [{ id: 'out', name: 'Out', type: 'srt', ...caller(port) }];
    const one = await bed.create({ id: 'tx1', input: udpIn, outputs: out(first) });
    const two = await bed.create({ id: 'tx2', input: udpIn, outputs: out(second) });
    await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 1)');
    await bed.event('rx', 'SRT input connected (mode=listener, redundant leg 2)');
    // The leg that delivers first runs: leg 1 has a start.
    let secondDelivers = false;
    using source = new TsSource({ port: one }, { port: two, loses: () => !secondDelivers });
    source.follow(sink);
    await until(() => sink.received.length >= 100);
    secondDelivers = true;
    await until(async () => (await bed.flow('rx'))?.input?.legs?.every((each) => each.silent_secs !== null));
    const both = sink.received.length;
    await until(() => sink.received.length >= both + 100);
    await bed.command({ type: 'stop_flow', flow_id: 'tx1' });
    await bed.event('rx', 'Redundant leg 1 lost');
    const before = sink.received.length;
    await until(() => sink.received.length >= before + 100);
    source.pause();
    expect(gapsIn(numbersIn(sink.received))).toEqual([]);
    // A machine that stands still for 200 ms makes it change legs by itself, too.
    const input1 = await until(async () => {
      const stats = (await bed.flow('rx'))?.input;
      return (stats?.redundancy_switches ?? 0) >= 1 ? stats : null;
    });
    expect(input1.packets_lost).toBe(0);
  });
});

describe('two legs of RTP over UDP', () => {
  it('are merged, each covers what the other loses, and silence of one and of both is said', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const [first, second] = [await freeUdpPort(), await freeUdpPort()];
    const input = {
      type: 'rtp',
      bind_addr: `127.0.0.1:${first}`,
      redundancy: { bind_addr: `127.0.0.1:${second}` },
    };
    await bed.create({ id: 'rx', input, outputs: [udpOut(sink)] });
    let secondRuns = true;
    using source = new TsSource(
      { port: first, rtp: true, loses: (chunk) => chunk % 10 === 0 && secondRuns },
      { port: second, rtp: true, loses: (chunk) => chunk % 10 === 5 || !secondRuns },
    );
    source.follow(sink);
    await until(() => sink.received.length >= 100);
    secondRuns = false;
    expect(await bed.event('rx', 'Redundant leg 2 lost')).toMatchObject({ input_type: 'rtp', leg: 2 });
    source.pause();
    await bed.event('rx', 'Both redundant legs lost');
    await until(() => numbersIn(sink.received).length === source.packets);
    expect(gapsIn(numbersIn(sink.received))).toEqual([]);
    const stats = await until(async () => {
      const now = (await bed.flow('rx'))?.input;
      return (now?.recovered_by_other_leg ?? 0) > 0 ? now : null;
    });
    expect(stats).toMatchObject({ packets_lost: 0 });
  });
});
