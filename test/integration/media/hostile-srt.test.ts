import { createSocket, type Socket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import {
  encodeHandshake,
  extensionFlags,
  handshakeType,
  srtMagic,
  type Handshake,
} from '../../../src/media/srt/handshake.ts';
import { SeededRandom } from '../../support/fakes/seeded-random.ts';
import { gapsIn, numbersIn } from '../../support/media/numbered-ts.ts';
import { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { TsSource } from '../../support/peers/ts-source.ts';
import { FlowBed } from '../../support/programs/flow-bed.ts';
import { until } from '../../support/until.ts';

const passphrase = 'a secret of both';
const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };
const listener = { type: 'srt', mode: 'listener', local_addr: '127.0.0.1:0', latency_ms: 60 };

function caller(port: number, changes: object = {}): object {
  const remote = `127.0.0.1:${port}`;
  return { id: 'out', name: 'Out', type: 'srt', mode: 'caller', remote_addr: remote, latency_ms: 60, ...changes };
}

const conclusion: Handshake = {
  version: 5,
  encryption: 0,
  extension: extensionFlags.handshake,
  initialSequence: 1,
  mss: 1500,
  flightWindow: 8192,
  type: handshakeType.conclusion,
  socketId: 77,
  cookie: 1,
  extensions: [],
};

/** Handshakes that lie about what they are, with cookies that nobody has issued. */
const lies: readonly Partial<Handshake>[] = [
  {},
  { version: 4 },
  { version: 0xffff_ffff },
  { mss: 0, flightWindow: 0 },
  { mss: 0xffff_ffff, flightWindow: 0xffff_ffff },
  { extension: srtMagic, type: handshakeType.induction, version: 5 },
  { extension: 0xffff, extensions: [{ type: 1, content: Buffer.alloc(1200, 0xff) }] },
  { type: 0x7fff_ffff },
  { extensions: [{ type: 5, content: Buffer.alloc(1024, 0x41) }] },
];

/** Sends from many ports, so that each packet is one of another address. */
class Flood implements Disposable {
  readonly #sockets: Socket[] = [];
  readonly #random = new SeededRandom(7);
  answers = 0;
  sent = 0;

  constructor(ports: number) {
    for (let index = 0; index < ports; index++) {
      const socket = createSocket('udp4');
      socket.on('message', () => this.answers++);
      socket.bind(0, '127.0.0.1');
      this.#sockets.push(socket);
    }
  }

  /** One packet of every port. */
  round(port: number): void {
    for (const socket of this.#sockets) {
      const lie = encodeHandshake({ ...conclusion, ...lies[this.sent % lies.length] });
      const cut = this.sent % 7 === 0 ? lie.subarray(0, this.sent % lie.length) : lie;
      const noise = Buffer.from(this.#random.bytes(1 + (this.sent % 1400)));
      socket.send(this.sent % 3 === 0 ? noise : cut, port, '127.0.0.1');
      this.sent++;
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.close();
  }
}

describe('the SRT port of a flow', () => {
  it('lets the right caller in and its stream through while lying handshakes and noise come from many addresses', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
    const port = await bed.create({ id: 'rx', input: { ...listener, passphrase }, outputs: [tv] });
    using flood = new Flood(50);
    const timer = new SystemClock().setInterval(() => flood.round(port), 10);
    try {
      await until(() => flood.sent >= 2000);
      const udpPort = await bed.create({ id: 'tx', input: udpIn, outputs: [caller(port, { passphrase })] });
      await bed.event('rx', 'SRT input connected (mode=listener)');
      await bed.event('tx', "SRT output 'out' connected");
      using source = new TsSource({ port: udpPort });
      source.follow(sink);
      await until(() => sink.received.length >= 300);
      source.pause();
    } finally {
      timer.cancel();
    }
    expect(gapsIn(numbersIn(sink.received))).toEqual([]);
    // Only inductions are answered, each with one packet: a spoofed flood gets no more out than it puts in.
    expect(flood.answers).toBeLessThan(flood.sent / 9);
    expect(bed.messages('rx')).toEqual(["Flow 'rx' started", 'SRT input connected (mode=listener)']);
    expect((await bed.running('rx')).tr101290).toMatchObject({ continuity_errors: 0 });
  });

  it.each([
    ['another passphrase', { passphrase: 'another secret' }, 'the passphrase is wrong'],
    ['no passphrase', {}, 'a passphrase is required by one side only'],
  ])('refuses a caller with %s once in the events of both ends, without showing a secret', async (_name, keys, why) => {
    await using bed = await FlowBed.open();
    const port = await bed.create({ id: 'rx', input: { ...listener, passphrase } });
    await bed.create({ id: 'tx', input: udpIn, outputs: [caller(port, keys)] });
    const refused = await bed.event('rx', `SRT input connection failed: ${why}`);
    expect(refused['remote_addr']).toMatch(/^127[.]0[.]0[.]1:/);
    await bed.event('tx', `SRT output 'out' connection failed: ${why}`);
    // It dials again after half a second, and after one more.
    const clock = new SystemClock();
    const startedMs = clock.monotonicMs();
    await until(() => clock.monotonicMs() - startedMs > 1700);
    expect(bed.messages('rx')).toHaveLength(2);
    expect(bed.messages('tx')).toHaveLength(2);
    const shown = JSON.stringify([bed.manager.events, bed.program.log.lines]);
    expect(shown).not.toContain(passphrase);
    expect(shown).not.toContain('another secret');
  });

  it('takes the stream id that it wants and no other', async () => {
    await using bed = await FlowBed.open();
    const port = await bed.create({ id: 'rx', input: { ...listener, stream_id: 'camera 1' } });
    await bed.create({ id: 'wrong', input: udpIn, outputs: [caller(port, { stream_id: 'camera 2' })] });
    await bed.event('wrong', "SRT output 'out' connection failed: the stream id is refused");
    const { input } = await until(async () => {
      const flow = await bed.running('rx');
      return (flow.input?.refused ?? 0) > 0 ? flow : null;
    });
    expect(input).toMatchObject({ last_problem: "its stream id is not this end's stream_id" });
    await bed.command({ type: 'stop_flow', flow_id: 'wrong' });
    await bed.create({ id: 'right', input: udpIn, outputs: [caller(port, { stream_id: 'camera 1' })] });
    const connected = await bed.event('rx', 'SRT input connected (mode=listener)');
    expect(connected).toMatchObject({ stream_id: 'camera 1' });
    expect(bed.messages('rx')).toEqual(["Flow 'rx' started", 'SRT input connected (mode=listener)']);
    await until(async () => (await bed.running('rx')).input?.last_problem === undefined);
  });

  it('keeps the caller that delivers, and gives its place to a newcomer once it is silent', async () => {
    await using bed = await FlowBed.open();
    await using sink = await LocalUdpSocket.open();
    const tv = { id: 'tv', name: 'TV', type: 'udp', dest_addr: sink.addr };
    const port = await bed.create({ id: 'rx', input: listener, outputs: [tv] });
    await bed.create({ id: 'first', input: udpIn, outputs: [caller(port)] });
    await bed.event('first', "SRT output 'out' connected");
    await bed.create({ id: 'second', input: udpIn, outputs: [caller(port)] });
    await bed.event('second', "SRT output 'out' connection failed: the peer refused the connection");
    expect(bed.messages('rx')).toEqual(["Flow 'rx' started", 'SRT input connected (mode=listener)']);
    await bed.command({ type: 'stop_flow', flow_id: 'first' });
    const connected = await bed.event('second', "SRT output 'out' connected");
    expect(connected['attempts']).toBeGreaterThanOrEqual(1);
  });
});
