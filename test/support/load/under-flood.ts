import { SystemClock } from '../../../src/lib/clock.ts';
import { formatSocketAddress } from '../../../src/lib/socket-address.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import type { EngineName } from '../../../src/quic/engine-report.ts';
import { flood } from '../hostile/flood.ts';
import { numberedDatagram, readNumbered } from '../network/numbered-datagram.ts';
import { openEngine } from '../programs/open-engine.ts';
import { RelayProcess } from '../programs/relay-process.ts';
import { ScriptedEdge } from '../peers/scripted-edge.ts';
import { until } from '../until.ts';
import { roomyLimits } from './cycles.ts';
import { fleetTunnel } from './fleet.ts';

export interface FloodPlan {
  readonly engine: EngineName;
  readonly tunnels: number;
  /** Over all tunnels. */
  readonly datagramsPerSecond: number;
  readonly garbagePerSecond: number;
  readonly durationMs: number;
}

export interface FloodOutcome {
  /** Share of the datagrams that arrived, unchanged. */
  readonly kept: number;
  readonly sent: number;
  readonly garbagePerSecond: number;
  /** Packets that reached the relay's socket meanwhile, those of tunnels included. */
  readonly packetsSeen: number;
  /** Of the relay in all, per packet that it saw, garbage or not. */
  readonly cpuUsPerPacket: number;
  readonly rssBeforeBytes: number;
  readonly rssAfterBytes: number;
}

interface Pair {
  readonly id: TunnelId;
  readonly ingress: ScriptedEdge;
  readonly egress: ScriptedEdge;
}

/** Tunnels that carry datagrams at a steady rate while garbage rains on the relay. */
export async function underFlood(plan: FloodPlan): Promise<FloodOutcome> {
  await using relay = await RelayProcess.start({ engine: plan.engine, config: roomyLimits });
  await using engine = await openEngine(plan.engine);
  const address = formatSocketAddress(relay.address);
  const pairs: Pair[] = [];
  for (let n = 0; n < plan.tunnels; n++) {
    const id = fleetTunnel(n);
    const ingress = await ScriptedEdge.connect(engine, address);
    ingress.greet(`in-${n}`).bind({ tunnelId: id, direction: 'ingress' });
    const egress = await ScriptedEdge.connect(engine, address);
    egress.greet(`out-${n}`).bind({ tunnelId: id, direction: 'egress' });
    await egress.expect('tunnel_ready');
    pairs.push({ id, ingress, egress });
  }
  await traffic(pairs, { ...plan, durationMs: 500 });
  await settledCount(pairs);
  const before = await relay.snapshot();
  const { garbagePerSecond: packetsPerSecond, durationMs } = plan;
  const [sent, garbage] = await Promise.all([
    traffic(pairs, plan),
    flood({ target: relay.address, packetsPerSecond, durationMs }),
  ]);
  await settledCount(pairs);
  const after = await relay.snapshot();
  const packetsSeen = after.engine.counters.packetsReceived - before.engine.counters.packetsReceived;
  const right = pairs.flatMap(({ ingress }) => ingress.datagrams.map(({ payload }) => readNumbered(payload)));
  return {
    kept: right.filter((read) => read !== null).length / sent,
    sent,
    garbagePerSecond: (garbage.sent * 1000) / garbage.elapsedMs,
    packetsSeen,
    cpuUsPerPacket: ((after.cpuMs - before.cpuMs) * 1000) / packetsSeen,
    rssBeforeBytes: before.rssBytes,
    rssAfterBytes: after.rssBytes,
  };
}

/** Sends at the plan's rate from all egress edges in turn; answers how many. What came before is forgotten. */
async function traffic(pairs: readonly Pair[], plan: FloodPlan): Promise<number> {
  const clock = new SystemClock();
  for (const { ingress } of pairs) ingress.datagrams.length = 0;
  const startedMs = clock.monotonicMs();
  let sent = 0;
  await until(
    () => {
      const elapsedMs = clock.monotonicMs() - startedMs;
      const due = Math.min(elapsedMs, plan.durationMs) * (plan.datagramsPerSecond / 1000);
      for (; sent < due; sent++) {
        const pair = pairs[sent % pairs.length];
        pair?.egress.sendDatagram(pair.id, numberedDatagram(sent, 1000));
      }
      return elapsedMs >= plan.durationMs;
    },
    { timeoutMs: plan.durationMs * 2 + 5000, pollMs: 1 },
  );
  return sent;
}

/** Waits until no more datagrams arrive. */
async function settledCount(pairs: readonly Pair[]): Promise<void> {
  let last = -1;
  await until(
    () => {
      const now = pairs.reduce((sum, { ingress }) => sum + ingress.datagrams.length, 0);
      const still = now === last;
      last = now;
      return still;
    },
    { pollMs: 200 },
  );
}
