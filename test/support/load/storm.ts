import { SystemClock } from '../../../src/lib/clock.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { RelayProcess } from '../programs/relay-process.ts';
import { until } from '../until.ts';
import { roomyLimits } from './cycles.ts';
import { Fleet } from './fleet.ts';

export interface StormResult {
  readonly edges: number;
  /** From the start of the new relay to the moment when all tunnels are paired again. */
  readonly pairedAfterMs: number;
  readonly peakRssBytes: number;
}

/** Kills a relay under `pairs` established tunnels, starts it again, and measures until all are paired. */
export async function storm(engine: EngineName, pairs: number, timeoutMs: number): Promise<StormResult> {
  const clock = new SystemClock();
  const first = await RelayProcess.start({ engine, config: roomyLimits });
  await using fleet = await Fleet.start({ engine, relay: first.address, pairs, protocol: 'udp' });
  const edges = 2 * pairs;
  await until(() => fleet.ready === edges, { what: `${edges} edges ready`, timeoutMs, pollMs: 50 });
  await first.kill();
  await using second = await first.restart();
  const startedMs = clock.monotonicMs();
  let peakRssBytes = 0;
  await until(
    async () => {
      const { rssBytes, stats } = await second.snapshot();
      peakRssBytes = Math.max(peakRssBytes, rssBytes);
      return stats.active_tunnels === pairs;
    },
    { what: `${pairs} tunnels paired again`, timeoutMs, pollMs: 50 },
  );
  return { edges, pairedAfterMs: clock.monotonicMs() - startedMs, peakRssBytes };
}
