import { describe, expect, it } from 'vitest';
import { DatagramCarrier } from '../../../../src/edge/local/datagram-carrier.ts';
import { PayloadCipher } from '../../../../src/edge/local/payload-cipher.ts';
import { Troubles } from '../../../../src/edge/local/troubles.ts';
import { TunnelCounters } from '../../../../src/edge/local/tunnel-counters.ts';
import { SEAL_OVERHEAD_BYTES } from '../../../../src/protocol/tunnel/limits.ts';
import type { DatagramSendResult } from '../../../../src/quic/types.ts';
import { AnsweringRelay } from '../../../support/peers/answering-relay.ts';
import { ManualClock } from '../../../support/fakes/manual-clock.ts';
import { MemoryLedger } from '../../../support/fakes/memory-ledger.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';
import { silentLogger } from '../../../support/fakes/silent-logger.ts';
import { sealVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const prefix = Buffer.from(vectorTunnel.bytesHex, 'hex');
const cipher = new PayloadCipher(new SeededRandom(), Buffer.from(sealVector.keyHex, 'hex'), prefix);
const payload = Buffer.from(sealVector.plaintext);

function carrier(answer: DatagramSendResult | null): { carrier: DatagramCarrier; counters: TunnelCounters } {
  const counters = new TunnelCounters(new MemoryLedger(), new Troubles(new ManualClock()));
  const relay = answer === null ? null : new AnsweringRelay(answer);
  const dependencies = { activeRelay: () => relay, cipher, counters, logger: silentLogger };
  return { carrier: new DatagramCarrier(dependencies, prefix), counters };
}

describe('a datagram from a local program', () => {
  it.each<[DatagramSendResult | null, sent: number, drops: object]>([
    ['queued', 1, {}],
    ['queue_full', 1, {}],
    ['too_large', 0, { too_large: 1 }],
    ['closed', 0, { closing: 1 }],
    [null, 0, { no_relay: 1 }],
  ])('that the relay takes as %s is counted so', (answer, sent, drops) => {
    const { carrier: udp, counters } = carrier(answer);
    udp.send(payload);
    expect(counters.stats()).toMatchObject({ packets_sent: sent, bytes_sent: sent * payload.length });
    expect(counters.drops()).toEqual(drops);
  });
});

describe('a datagram from a relay', () => {
  it('is opened when it is ours, and counted when it is not', () => {
    const { carrier: udp, counters } = carrier('queued');
    const datagram = Buffer.from(sealVector.datagramHex, 'hex');
    expect(Buffer.from(udp.open(datagram) ?? 'none').toString()).toBe(sealVector.plaintext);
    const others = Buffer.from(datagram);
    others[0] = 0;
    expect(udp.open(others)).toBeNull();
    expect(udp.open(datagram.subarray(0, 15))).toBeNull();
    expect(counters.drops()).toEqual({ wrong_tunnel: 2 });
    expect(udp.open(datagram.subarray(0, 40))).toBeNull();
    expect(counters.decryptErrors).toBe(1);
    expect(counters.incoming()).toEqual({
      ...{ datagrams_in: 4, datagrams_out: 0 },
      drops: { wrong_tunnel: 2, not_authentic: 1 },
    });
  });
});

describe('counts of a tunnel', () => {
  it('tell bit rates over the last second or more', () => {
    const ledger = new MemoryLedger();
    const counters = new TunnelCounters(ledger, new Troubles(new ManualClock()));
    ledger.datagramOut(1000 + SEAL_OVERHEAD_BYTES);
    counters.streamBytesReceived(500);
    counters.sampleRates(1000);
    expect(counters.stats()).toMatchObject({ bitrate_out_bps: 8000, bitrate_in_bps: 4000 });
    counters.sampleRates(1500);
    expect(counters.stats()).toMatchObject({ bitrate_out_bps: 8000 });
    counters.sampleRates(3000);
    expect(counters.stats()).toMatchObject({ bitrate_out_bps: 0, bitrate_in_bps: 0, bytes_sent: 1000 });
  });
});
