import { describe, expect, test } from 'vitest';
import { AlignedMerge } from '../../../../src/media/merge/aligned-merge.ts';
import { RtpMerge } from '../../../../src/media/merge/rtp-merge.ts';
import { decodeRtp, encodeRtp, mpegTsPayloadType } from '../../../../src/media/rtp/rtp-packet.ts';
import { NumberCheck } from '../../../support/media/number-check.ts';
import { numberedTs } from '../../../support/media/numbered-ts.ts';
import { SrtWorld } from '../../../support/media/srt-world.ts';

const periodUs = 20_000;
const chunkPackets = 2;
const secondUs = 1_000_000;

interface Leg {
  readonly world: SrtWorld;
  readonly deliver: (nowUs: number, payload: Buffer) => void;
}

function createLeg(seed: number, deliver: Leg['deliver']): Leg {
  const idle = { peerIdleTimeoutMs: 60_000 };
  const world = new SrtWorld({ seed, caller: idle, listener: idle, path: { delayUs: seed * 5000 } });
  world.onDelivered = (_end, { payload, nowUs }) => deliver(nowUs, payload);
  world.connect();
  return { world, deliver };
}

/** Ten minutes of two SRT legs: the first loses 2 %, the second is cut for 5 s of every 20. */
function tenMinutes(legs: readonly Leg[], payloadOf: (chunk: number) => Buffer, tick: (nowUs: number) => void): number {
  const [first, second] = legs;
  if (first === undefined || second === undefined) throw new Error('two legs');
  first.world.path.quality = { loss: 0.02, delayUs: 5000, jitterUs: 1000 };
  const startUs = Math.max(first.world.nowUs, second.world.nowUs);
  const chunks = (600 * secondUs) / periodUs;
  for (let chunk = 0; chunk < chunks; chunk++) {
    const nowUs = startUs + chunk * periodUs;
    const isCut = (nowUs - startUs) % (20 * secondUs) >= 15 * secondUs;
    second.world.path.quality = { loss: isCut ? 1 : 0, delayUs: 10_000, jitterUs: 0 };
    for (const { world } of legs) {
      world.run(nowUs - world.nowUs);
      world.connection.write(world.callerUs, payloadOf(chunk), world.callerUs);
    }
    tick(nowUs);
  }
  for (const { world } of legs) world.run(secondUs);
  tick(startUs + 601 * secondUs);
  return chunks * chunkPackets;
}

describe('two SRT legs for ten minutes of virtual time, one lossy, the other cut every 20 s', () => {
  test('with RTP make one stream in which nothing is missing', () => {
    const check = new NumberCheck();
    const merge = new RtpMerge<Buffer>(150_000, (_nowUs, bytes) => check.push(bytes));
    const legs = ([1, 2] as const).map((leg) =>
      createLeg(leg, (nowUs, payload) => {
        const packet = decodeRtp(payload);
        if (packet !== null) merge.push(nowUs, leg, packet, packet.payload);
      }),
    );
    const rtp = (chunk: number): Buffer => {
      const head = { payloadType: mpegTsPayloadType, sequence: chunk & 0xffff, timestamp: chunk * 1800, ssrc: 7 };
      return encodeRtp(head, numberedTs(chunk * chunkPackets, chunkPackets));
    };
    const sent = tenMinutes(legs, rtp, (nowUs) => merge.tick(nowUs));
    expect(check.count).toEqual({ packets: sent, gaps: 0, missing: 0, repeated: 0 });
    expect(merge.counters.lost).toBe(0);
  });

  test('with raw TS go on over the first leg, and a switch finds its place', () => {
    const check = new NumberCheck();
    const merge = new AlignedMerge((_nowUs, bytes) => check.push(bytes));
    const legs = ([1, 2] as const).map((leg) => createLeg(leg, (nowUs, payload) => merge.push(nowUs, leg, payload)));
    const sent = tenMinutes(
      legs,
      (chunk) => numberedTs(chunk * chunkPackets, chunkPackets),
      () => undefined,
    );
    expect(check.count).toEqual({ packets: sent, gaps: 0, missing: 0, repeated: 0 });
  });
});
