import { bottleneck, cpuMsOf } from './cpu-meter.ts';
import type { Measurement } from './figures/figure.ts';
import type { Stage } from './stage.ts';

/** An SRT packet, sealed, with its tunnel id (docs/protocol/tunnel.md §1). */
export const datagramBytes = 1376;

export interface FlowOptions {
  readonly group: string;
  /** Over all tunnels together. */
  readonly ratePerSec: number;
  readonly seconds: number;
}

/** What became of a flow; all counts are the receiver's. */
export interface FlowOutcome {
  readonly ratePerSec: number;
  /** Of the rate that was asked for, what the source managed to send, 0 to 1. */
  readonly offered: number;
  /** Of what was sent, 0 to 1. */
  readonly loss: number;
  readonly received: number;
  readonly relayCpuUsPerDatagram: number;
  readonly bottleneck: string;
}

/** What a flow must be to say something about the relay; both 0 to 1. */
export interface Demands {
  /** Of the rate asked for: a source that falls shorter has measured itself. */
  readonly leastOffered: number;
  readonly mostLoss: number;
}

const settlePollMs = 100;
const settleDeadlineMs = 3000;

/** Sends datagrams at a rate and waits for the last of them. Rejects when bytes were damaged on the way. */
export async function runFlow(stage: Stage, { group, ratePerSec, seconds }: FlowOptions): Promise<FlowOutcome> {
  const flow = stage.nextFlow();
  const total = Math.ceil(ratePerSec * seconds) + 1;
  await stage.destination.call('expectDatagrams', { group, flow, total });
  const meter = stage.meter();
  const { sent } = await stage.source.call('sendDatagrams', { group, flow, ratePerSec, seconds, bytes: datagramBytes });
  const use = meter.read();
  const received = await settledCount(stage, group, sent);
  const relayCpuMs = cpuMsOf(meter.read(), 'relay');
  return {
    ratePerSec,
    offered: sent / (ratePerSec * seconds),
    loss: sent === 0 ? 1 : 1 - received / sent,
    received,
    relayCpuUsPerDatagram: (relayCpuMs * 1000) / received,
    bottleneck: bottleneck(use),
  };
}

/** Why a flow says nothing about the relay at this rate; null when it does. */
export function flowFailure(outcome: FlowOutcome, { leastOffered, mostLoss }: Demands): string | null {
  const { offered, loss, ratePerSec, bottleneck } = outcome;
  if (offered < leastOffered) {
    return `the source sent ${percent(offered)} of ${ratePerSec}/s; bottleneck: ${bottleneck}`;
  }
  if (loss > mostLoss) return `${percent(loss)} of ${ratePerSec}/s were lost; bottleneck: ${bottleneck}`;
  return null;
}

/** Enough for the cost of those that arrived. */
const demandsForCost: Demands = { leastOffered: 0.8, mostLoss: 0.05 };
const worthSaying = 0.97;

/** A flow as a line of the table. */
export function costMeasurement(row: string, outcome: FlowOutcome): Measurement {
  const reason = flowFailure(outcome, demandsForCost);
  if (reason !== null) return { kind: 'failed', row, reason };
  const { relayCpuUsPerDatagram: value, loss, offered } = outcome;
  const short = offered < worthSaying ? { '% of the rate sent': offered * 100 } : {};
  return { kind: 'value', row, value, beside: { '% lost': loss * 100, ...short } };
}

/** Waits until no more datagrams come. */
async function settledCount(stage: Stage, group: string, sent: number): Promise<number> {
  const deadlineMs = performance.now() + settleDeadlineMs;
  let before = -1;
  for (;;) {
    const { received, damaged } = await stage.destination.call('tally', { group });
    if (damaged > 0) throw new Error(`${damaged} datagrams were damaged or came twice`);
    if (received === sent || received === before || performance.now() > deadlineMs) return received;
    before = received;
    await new Promise((resolve) => setTimeout(resolve, settlePollMs));
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 ? 2 : 0)} %`;
}
