import type { SrtAgreement } from '../../../src/media/srt/srt-agreement.ts';
import { SrtConnection } from '../../../src/media/srt/srt-connection.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { LibsrtReceiver, LibsrtSender } from './libsrt-model.ts';
import { srtDefaults } from './srt-world.ts';
import { VirtualPath } from './virtual-path.ts';

/** Whose sender and receiver they are: ours, or the model of libsrt. */
export type RepairPair = 'ours to ours' | 'ours to libsrt' | 'libsrt to ours' | 'libsrt to libsrt';

export interface RepairOrder {
  readonly pair: RepairPair;
  readonly seed: number;
  readonly seconds: number;
  /** In each direction, 0 to 1. */
  readonly loss: number;
  readonly rttMs: number;
  /** The latency, in round trips. */
  readonly roundTrips: number;
}

export interface RepairResult {
  readonly sent: number;
  /** Packets that never came out. */
  readonly missing: number;
  /** Packets that came out twice, or after a later one. */
  readonly repeated: number;
  /** Packets on the way to the receiver, of 100 that were written. */
  readonly load: number;
}

interface End {
  readonly nextUs: number;
  handle(nowUs: number, packet: Buffer): void;
  tick(nowUs: number): void;
}

type Write = (nowUs: number, payload: Buffer) => void;

/** 2.6 Mbit/s of seven TS packets each; the content is only a number, which saves time. */
const periodUs = 4000;
const startUs = 1_000_000;
const jitterUs = 1000;

/** A live stream over a path that loses packets both ways, in virtual time. */
export function repairTrial({ pair, seed, seconds, loss, rttMs, roundTrips }: RepairOrder): RepairResult {
  const random = new SeededRandom(seed);
  const quality = { loss, delayUs: rttMs * 500 - jitterUs / 2, jitterUs };
  const [there, back] = [new VirtualPath(random, quality), new VirtualPath(random, quality)];
  const [sender, receiver] = pair.split(' to ');
  const latencyUs = rttMs * 1000 * roundTrips;
  const result = { sent: 0, missing: 0, repeated: 0, load: 0 };
  let [nowUs, expected, carried] = [startUs, 0, 0];
  const deliver = (payload: Buffer): void => {
    const number = payload.readUInt32BE(0);
    if (number < expected) result.repeated++;
    else {
      result.missing += number - expected;
      expected = number + 1;
    }
  };
  const to = (path: VirtualPath, end: () => End) => (packet: Buffer) => {
    path.send(nowUs, packet, (copy, atUs) => end().handle(atUs, copy));
  };
  const toReceiver = to(there, () => rx);
  const countAndSend = (packet: Buffer): void => {
    carried += packet[0] !== undefined && packet[0] < 0x80 ? 1 : 0;
    toReceiver(packet);
  };
  const [tx, write] = createSender(sender === 'ours', random, countAndSend, latencyUs);
  const rx = createReceiver(receiver === 'ours', random, { send: to(back, () => tx), deliver }, latencyUs, quality);
  const untilUs = startUs + seconds * 1e6;
  let writeAtUs = startUs;
  while (nowUs < untilUs + 2 * latencyUs) {
    nowUs = Math.max(nowUs, Math.ceil(Math.min(writeAtUs, there.nextUs, back.nextUs, tx.nextUs, rx.nextUs)));
    there.deliver(nowUs);
    back.deliver(nowUs);
    tx.tick(nowUs);
    rx.tick(nowUs);
    if (writeAtUs > nowUs) continue;
    writeAtUs = nowUs < untilUs ? writeAtUs + periodUs : Number.POSITIVE_INFINITY;
    if (nowUs < untilUs) write(nowUs, numbered(result.sent++));
  }
  result.missing += result.sent - expected;
  result.load = Math.round((carried * 10_000) / result.sent) / 100;
  return result;
}

function numbered(number: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(number, 0);
  return payload;
}

function agreementOf(latencyUs: number, delayUs: number): SrtAgreement {
  return {
    startUs,
    socketId: 1,
    peerSocketId: 2,
    initialSequence: 0,
    receiveLatencyMs: latencyUs / 1000,
    sendLatencyMs: latencyUs / 1000,
    flightWindow: 25_600,
    peerVersion: 0x01_05_01,
    streamId: null,
    keys: null,
    heardAtUs: startUs + delayUs,
    heardTimestamp: 0,
  };
}

function createSender(
  ours: boolean,
  random: SeededRandom,
  send: (packet: Buffer) => void,
  latencyUs: number,
): readonly [End, Write] {
  if (!ours) {
    const model = new LibsrtSender({ send }, startUs);
    return [model, (nowUs, payload) => model.write(nowUs, payload)];
  }
  const parts = { random, send, deliver: () => undefined, closed: () => undefined };
  const connection = new SrtConnection(parts, agreementOf(latencyUs, 0), srtDefaults);
  return [connection, (nowUs, payload) => connection.write(nowUs, payload, nowUs)];
}

function createReceiver(
  ours: boolean,
  random: SeededRandom,
  { send, deliver }: { readonly send: (packet: Buffer) => void; readonly deliver: (payload: Buffer) => void },
  latencyUs: number,
  { delayUs }: { readonly delayUs: number },
): End {
  if (!ours) return new LibsrtReceiver({ send }, deliver, startUs, startUs + delayUs + latencyUs);
  const parts = { random, send, deliver, closed: () => undefined };
  return new SrtConnection(parts, agreementOf(latencyUs, delayUs), srtDefaults);
}
