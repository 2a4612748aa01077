import { describe, expect, it } from 'vitest';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };

function udpOut(id: string, sink: LocalUdpSocket): Record<string, unknown> {
  return { id, name: id, type: 'udp', dest_addr: sink.addr };
}

function srtListener(changes: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:0', latency_ms: 60, ...changes };
}

function srtCaller(port: number, changes: object = {}): Record<string, unknown> {
  const remote = `127.0.0.1:${port}`;
  return { id: 'out', name: 'out', type: 'srt', mode: 'caller', remote_addr: remote, latency_ms: 60, ...changes };
}

function portOf(address: string | undefined): number {
  return Number(address?.split(':').at(-1));
}

describe('a flow over real sockets', () => {
  it('takes UDP, sends it over encrypted SRT to another flow, and every packet comes out unchanged', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const passphrase = 'a secret of both';
    const srtPort = await bed.create({ id: 'rx', input: srtListener({ passphrase }), outputs: [udpOut('tv', sink)] });
    const udpPort = await bed.create({ id: 'tx', input: udpIn, outputs: [srtCaller(srtPort, { passphrase })] });
    const connected = await bed.event('rx', 'SRT input connected (mode=listener)');
    expect(connected).toMatchObject({ input_type: 'srt' });
    expect(connected['remote_addr']).toMatch(/^127[.]0[.]0[.]1:/);
    await bed.event('tx', "SRT output 'out' connected");

    using source = new TsSource({ port: udpPort });
    source.follow(sink);
    await until(() => sink.received.length >= 400);
    source.pause();
    await until(() => numbersIn(sink.received).length === source.packets);
    const numbers = numbersIn(sink.received);
    expect(numbers[0]).toBe(0);
    expect(gapsIn(numbers)).toEqual([]);

    const rx = await until(async () => {
      const flow = await bed.flow('rx');
      return flow?.input?.packets_received === source.chunks ? flow : null;
    });
    expect(rx).toMatchObject({
      state: 'Running',
      input: { state: 'connected', bytes_received: source.packets * 188, packets_lost: 0 },
      outputs: [{ output_id: 'tv', packets_dropped: 0 }],
      tr101290: { continuity_errors: 0, sync_byte_errors: 0 },
    });
    await bed.command({ type: 'stop_flow', flow_id: 'tx' });
    expect(await bed.event('rx', 'SRT input disconnected, reconnecting')).toMatchObject({ reason: 'shutdown' });
    expect(bed.messages('tx')).toEqual(["Flow 'tx' started", "SRT output 'out' connected", "Flow 'tx' stopped"]);
  });

  it('passes a stream on from SRT to SRT, where packets may lie in their sockets for a moment', async () => {
    await using ends = await FlowBed.open();
    await using hub = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const outPort = await ends.create({ id: 'rx', input: srtListener(), outputs: [udpOut('tv', sink)] });
    const hubPort = await hub.create({ id: 'hub', input: srtListener(), outputs: [srtCaller(outPort)] });
    const udpPort = await ends.create({ id: 'tx', input: udpIn, outputs: [srtCaller(hubPort)] });
    await hub.event('hub', 'SRT input connected (mode=listener)');
    await hub.event('hub', "SRT output 'out' connected");

    using source = new TsSource({ port: udpPort });
    source.follow(sink);
    await until(() => sink.received.length >= 400);
    source.pause();
    await until(() => numbersIn(sink.received).length === source.packets);
    expect(numbersIn(sink.received)[0]).toBe(0);
    expect(gapsIn(numbersIn(sink.received))).toEqual([]);
    const { input, outputs } = await until(async () => {
      const flow = await hub.running('hub');
      return flow.outputs[0]?.packets_sent === source.chunks ? flow : null;
    });
    expect(input).toMatchObject({ packets_received: source.chunks, packets_lost: 0 });
    expect(outputs).toMatchObject([{ packets_dropped: 0 }]);
  });

  it('takes RTP with the listed sources and types only, and numbers what it sends anew', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const input = {
      type: 'rtp',
      bind_addr: '127.0.0.1:0',
      allowed_sources: ['127.0.0.1'],
      allowed_payload_types: [33],
    };
    const port = await bed.create({
      id: 'main',
      input,
      outputs: [{ ...udpOut('out', sink), type: 'rtp' }],
    });
    using source = new TsSource({ port, rtp: true });
    source.follow(sink);
    await until(() => sink.received.length >= 100);
    source.pause();
    const sequences = sink.received.map((packet) => packet.readUInt16BE(2));
    for (const [index, sequence] of sequences.entries()) expect(sequence).toBe(((sequences[0] ?? 0) + index) & 0xffff);
    expect(gapsIn(numbersIn(sink.received.map((packet) => packet.subarray(12))))).toEqual([]);

    sink.send(Buffer.from(sink.received[0] ?? '').fill(0x80 | 96, 1, 2), port);
    sink.send(Buffer.from('no RTP at all'), port);
    await until(async () => (await bed.flow('main'))?.input?.packets_filtered === 2);
  });

  it('gives several SRT viewers of one output the same stream', async () => {
    await using bed = await FlowBed.open();
    await using first = await LocalUdpSocket.open();
    await using second = await LocalUdpSocket.open();
    const listener = { id: 'out', name: 'Out', ...srtListener() };
    const port = await bed.create({ id: 'tx', input: udpIn, outputs: [listener] });
    const viewed = portOf((await bed.running('tx')).outputs[0]?.local_addr);
    const viewer = { type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${viewed}`, latency_ms: 60 };
    await bed.create({ id: 'a', input: viewer, outputs: [udpOut('a', first)] });
    await bed.create({ id: 'b', input: viewer, outputs: [udpOut('b', second)] });
    await bed.event('a', 'SRT input connected (mode=caller)');
    await bed.event('b', 'SRT input connected (mode=caller)');
    await until(() => bed.messages('tx').filter((message) => message === "SRT output 'out' connected").length === 2);
    using source = new TsSource({ port });
    source.follow(first, second);
    for (const sink of [first, second]) {
      await until(() => sink.received.length >= 50);
      expect(gapsIn(numbersIn(sink.received))).toEqual([]);
    }
    source.pause();
    await until(async () => (await bed.flow('tx'))?.outputs[0]?.viewers === 2);
    await bed.command({ type: 'delete_flow', flow_id: 'b' });
    await bed.event('tx', "SRT output 'out' disconnected");
    await until(async () => (await bed.flow('tx'))?.outputs[0]?.viewers === 1);
  });
});

describe('a manager changes a running flow', () => {
  it('adds and removes an output without disturbing the other one', async () => {
    await using bed = await FlowBed.open();
    await using kept = await LocalUdpSocket.open();
    await using added = await LocalUdpSocket.open();
    const port = await bed.create({ id: 'main', input: udpIn, outputs: [udpOut('kept', kept)] });
    using source = new TsSource({ port });
    source.follow(kept);
    await until(() => kept.received.length >= 20);
    const output = udpOut('added', added);
    expect(await bed.command({ type: 'add_output', flow_id: 'main', output })).toMatchObject({ success: true });
    expect(await bed.stored()).toMatchObject([{ outputs: [{ id: 'kept' }, { id: 'added' }] }]);
    await until(() => added.received.length >= 20);
    await bed.command({ type: 'remove_output', flow_id: 'main', output_id: 'added' });
    const came = added.received.length;
    const before = kept.received.length;
    await until(() => kept.received.length >= before + 50);
    expect(added.received.length).toBe(came);
    source.pause();
    await until(() => numbersIn(kept.received).length === source.packets);
    expect(gapsIn(numbersIn(kept.received))).toEqual([]);
    expect(gapsIn(numbersIn(added.received))).toEqual([]);
    expect(bed.messages('main')).toEqual([
      "Flow 'main' started",
      "Output 'added' added to flow 'main'",
      "Output 'added' removed from flow 'main'",
    ]);
    expect(await bed.stored()).toMatchObject([{ outputs: [{ id: 'kept' }] }]);
  });

  it('refuses an output that cannot start, and the flow goes on', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const port = await bed.create({ id: 'main', input: udpIn, outputs: [udpOut('kept', sink)] });
    const taken = { id: 'bad', name: 'Bad', ...srtListener({ local_addr: sink.addr }) };
    const ack = await bed.command({ type: 'add_output', flow_id: 'main', output: taken });
    expect(ack).toMatchObject({ success: false, error_code: 'port_conflict' });
    expect(ack.error).toContain(`cannot listen on UDP ${sink.addr}`);
    const message = bed.messages('main').at(-1) ?? '';
    expect(message).toContain(`Output 'bad' failed to start on flow 'main': cannot listen on UDP ${sink.addr}`);
    using source = new TsSource({ port });
    await until(() => sink.received.length >= 20);
    source.pause();
    expect(await bed.stored()).toMatchObject([{ outputs: [{ id: 'kept' }] }]);
  });

  it('with update_flow changes only outputs where only they differ, and starts anew where the input does', async () => {
    await using bed = await FlowBed.open();
    await using one = await LocalUdpSocket.open();
    await using two = await LocalUdpSocket.open();
    const port = await bed.create({ id: 'main', input: udpIn, outputs: [udpOut('one', one)] });
    const flow = { id: 'main', name: 'main', input: udpIn, outputs: [udpOut('two', two)] };
    expect(await bed.command({ type: 'update_flow', flow_id: 'main', flow })).toMatchObject({ success: true });
    expect(await bed.inputPort('main')).toBe(port);
    const bound = { ...flow, input: srtListener() };
    expect(await bed.command({ type: 'update_flow', flow_id: 'main', flow: bound })).toMatchObject({ success: true });
    expect((await bed.running('main')).input?.input_type).toBe('srt');
    // Once more: nothing to do, and nothing happens.
    expect(await bed.command({ type: 'update_flow', flow_id: 'main', flow: bound })).toMatchObject({ success: true });
    expect(bed.messages('main')).toEqual([
      "Flow 'main' started",
      "Output 'one' removed from flow 'main'",
      "Output 'two' added to flow 'main'",
      "Flow 'main' stopped",
      "Flow 'main' started",
    ]);
  });

  it('keeps a command: on disk before the ack, and running again after a restart', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    await bed.create({ id: 'main', input: udpIn, outputs: [udpOut('out', sink)] });
    expect(await bed.stored()).toMatchObject([{ id: 'main', input: udpIn }]);
    expect(await bed.command({ type: 'stop_flow', flow_id: 'main' })).toMatchObject({ success: true });
    expect(await bed.stored()).toMatchObject([{ id: 'main', enabled: false }]);
    expect(await bed.command({ type: 'start_flow', flow_id: 'main' })).toMatchObject({ success: true });
    expect(await bed.command({ type: 'restart_flow', flow_id: 'main' })).toMatchObject({ success: true });
    const flows = await bed.stored();

    await using again = await FlowBed.open({ flows });
    const port = await again.inputPort('main');
    using source = new TsSource({ port });
    await until(() => sink.received.length >= 20);
    source.pause();
    expect(await again.command({ type: 'delete_flow', flow_id: 'main' })).toMatchObject({ success: true });
    expect(await again.stored()).toEqual([]);
    // Repeated, as a manager does that has not seen the ack.
    expect(await again.command({ type: 'delete_flow', flow_id: 'main' })).toMatchObject({ success: true });
    expect(await again.command({ type: 'start_flow', flow_id: 'main' })).toMatchObject({ error_code: 'not_found' });
  });

  it('does not keep a flow that cannot start, and the ack and the event say why in the same words', async () => {
    await using bed = await FlowBed.open();
    await using taken = await LocalUdpSocket.open();
    const input = { type: 'udp', bind_addr: taken.addr };
    const ack = await bed.command({ type: 'create_flow', flow: { id: 'main', name: 'Main', input } });
    expect(ack).toMatchObject({ success: false, error_code: 'port_conflict' });
    await bed.event('main', ack.error ?? '');
    expect(await bed.stored()).toEqual([]);
    expect(await bed.flow('main')).toBeUndefined();
  });

  it('with update_config makes the flows those of the config', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    await bed.create({ id: 'goes', input: udpIn });
    const port = await bed.create({ id: 'stays', input: udpIn, outputs: [udpOut('out', sink)] });
    const stays = { id: 'stays', name: 'stays', input: udpIn, outputs: [udpOut('out', sink)] };
    const comes = { id: 'comes', name: 'Comes', input: srtListener() };
    const ack = await bed.command({ type: 'update_config', config: { flows: [stays, comes] } });
    expect(ack).toMatchObject({ success: true });
    expect(await bed.inputPort('stays')).toBe(port);
    expect(bed.messages('goes')).toEqual(["Flow 'goes' started", "Flow 'goes' stopped"]);
    expect(bed.messages('stays')).toEqual(["Flow 'stays' started"]);
    expect(bed.messages('comes')).toEqual(["Flow 'comes' started"]);
    const bad = await bed.command({ type: 'update_config', config: { flows: [{ ...comes, input: { type: 'sdi' } }] } });
    expect(bad).toMatchObject({ success: false, error_code: 'validation_error' });
    expect((await bed.stored()).map(({ id }) => id)).toEqual(['stays', 'comes']);
  });
});
