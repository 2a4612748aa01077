import { costMeasurement, datagramBytes, flowFailure, runFlow, type FlowOutcome } from '../datagram-load.ts';
import { Stage } from '../stage.ts';
import type { Figure, Measurement } from './figure.ts';
import { findMaxRate, type RateTrial } from './max-rate.ts';

export const datagramRates = [10_000, 20_000, 40_000] as const;
const seconds = 2;
const warmUp = { ratePerSec: 5000, seconds: 0.7 };
const demandsForRate = { leastOffered: 0.97, mostLoss: 0.001 };
const search = { firstPerSec: 2500, mostPerSec: 200_000, halvings: 2 };
const secondsPerStep = 1;
const group = 'udp';

const maxRateRow = 'udp_max_pps';

/** CPU per relayed datagram at fixed rates in one tunnel, and the highest rate that arrives whole. */
export const datagrams: Figure = {
  name: 'datagrams',
  rows: [...datagramRates.map((rate) => ({ id: costRow(rate), unit: 'µs' })), { id: maxRateRow, unit: '/s' }],
  appliesTo: () => true,
  async *measure(world, relay) {
    await using stage = await Stage.open(world, relay);
    await stage.openDatagramPath(group);
    await stage.awaitSize(group, datagramBytes, 1);
    await runFlow(stage, { group, ...warmUp });
    const trials: RateTrial[] = [];
    for (const ratePerSec of datagramRates) {
      const outcome = await runFlow(stage, { group, ratePerSec, seconds });
      trials.push(trialOf(outcome));
      yield costMeasurement(costRow(ratePerSec), outcome);
    }
    const attempt = async (ratePerSec: number): Promise<RateTrial> =>
      trialOf(await runFlow(stage, { group, ratePerSec, seconds: secondsPerStep }));
    const max = await findMaxRate(trials, attempt, search);
    if (max.ratePerSec !== null) world.maxDatagramRates.set(relay.name, max.ratePerSec);
    yield maxOf(max.ratePerSec, max.bottleneck);
  },
};

export function costRow(ratePerSec: number): string {
  return `udp_cpu_us ${ratePerSec / 1000}k/s`;
}

function trialOf(outcome: FlowOutcome): RateTrial {
  const { ratePerSec, bottleneck } = outcome;
  return { ratePerSec, passed: flowFailure(outcome, demandsForRate) === null, bottleneck };
}

function maxOf(ratePerSec: number | null, bottleneck: string | null): Measurement {
  const row = maxRateRow;
  if (ratePerSec === null) return { kind: 'failed', row, reason: 'no rate arrived whole' };
  return { kind: 'value', row, value: ratePerSec, ...(bottleneck !== null && { bottleneck }) };
}
