import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/quic/engine-report.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import type { Faults } from '../support/network/faulty-path.ts';
import { pause } from '../support/pause.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { MediaWorld } from '../support/programs/media-world.ts';
import { until } from '../support/until.ts';

const clock = new SystemClock();
/** 4 Mbit/s of SRT: 1 316 bytes of transport stream and a header of 16. */
const perSecond = 380;
const bytes = 1332;
const count = 3000;
/**
 * What a tunnel may lose beside the path. The machine is short of time now and then; and the portable engine cannot do
 * better on a busy one (docs/quiche.md §7).
 */
const ownLoss: Readonly<Record<EngineName, number>> = { native: 0.08, quiche: 0.6 };

interface Outcome {
  /** Which share arrived at the far end, and came back. */
  readonly up: number;
  readonly down: number;
  /** For whoever reads a failure. */
  readonly account: string;
}

/** Sends the same live stream both ways over the egress edge's path. */
async function streamBothWays(engineName: EngineName, faults: Partial<Faults>): Promise<Outcome> {
  await using world = await MediaWorld.open(engineName, faults);
  const { sink, source } = world;
  // The way back begins when the first datagram has come.
  await until(() => {
    world.send(Buffer.alloc(bytes));
    return sink.lastSender !== null;
  });
  await pause(1000);
  const [before, after] = [sink.received.length, source.received.length];
  const startMs = clock.monotonicMs();
  let lastMs = startMs;
  let longestPauseMs = 0;
  for (let sent = 0; sent < count;) {
    const nowMs = clock.monotonicMs();
    longestPauseMs = Math.max(longestPauseMs, nowMs - lastMs);
    lastMs = nowMs;
    const due = Math.min(count, Math.floor(((nowMs - startMs) / 1000) * perSecond));
    for (; sent < due; sent++) {
      world.send(Buffer.alloc(bytes));
      sink.reply(Buffer.alloc(bytes));
    }
    await pause(5);
  }
  await pause(500);
  return {
    up: (sink.received.length - before) / count,
    down: (source.received.length - after) / count,
    account: `the sender paused for up to ${Math.round(longestPauseMs)} ms; ${accountOf(world)}`,
  };
}

/** Where datagrams were dropped, and what the path did to the packets. */
function accountOf({ network, egress, ingress, relay }: MediaWorld): string {
  const edges = [egress, ingress].map(({ edge }) =>
    edge.tunnelReports().map(({ outgoing, incoming, path_mtu: pathMtu }) => ({ outgoing, incoming, pathMtu })),
  );
  const relayed = relay.relay.report.tunnelDetails().map((tunnel) => [tunnel.ingress.sent, tunnel.egress.sent]);
  return JSON.stringify({ edges, relayed, path: { up: network.up, down: network.down } });
}

const cells: readonly { readonly path: string; readonly faults: Partial<Faults> }[] = [
  { path: '1 % random loss, RTT 40 ms', faults: { lossRate: 0.01, delayMs: 20 } },
  { path: '0.3 % random loss, RTT 80 ms', faults: { lossRate: 0.003, delayMs: 40 } },
  { path: '2 % reordered, RTT 40 ms', faults: { reorderRate: 0.02, reorderMs: 20, delayMs: 20 } },
];
const nativeCells: typeof cells = [
  { path: '5 % random loss, RTT 40 ms', faults: { lossRate: 0.05, delayMs: 20 } },
  { path: '30 ms of jitter, RTT 40 ms', faults: { jitterMs: 30, jitterReorders: true, delayMs: 20 } },
];

describe.each(await builtEngines())('a live stream through a relay over %s', (engineName) => {
  it.each(engineName === 'native' ? [...cells, ...nativeCells] : cells)(
    'M1 loses what the path loses, and no more of it, both ways: $path',
    async ({ faults }) => {
      const { up, down, account } = await streamBothWays(engineName, faults);
      const least = 1 - (faults.lossRate ?? 0) - ownLoss[engineName];
      expect(up, account).toBeGreaterThan(least);
      expect(down, account).toBeGreaterThan(least);
    },
  );
});
