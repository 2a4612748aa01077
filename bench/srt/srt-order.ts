import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { EngineName } from '../../src/quic/engine-report.ts';

/** One run: a bit rate over a path that loses so much. */
export interface SrtCell {
  readonly megabits: number;
  readonly lossPercent: number;
  /** Where its path loses, the same for each way. */
  readonly seed: number;
}

const seedCount = 1_000_000;

const numberList = (least: number, most: number) =>
  z
    .string()
    .transform((list) => list.split(','))
    .pipe(z.array(z.coerce.number<string>().min(least).max(most)).min(1));

const orderSchema = z.object({
  /** Length of each run. */
  minutes: z.coerce.number().positive().max(600).default(10),
  /** Mbit/s of the transport stream. */
  rate: numberList(0.1, 100).prefault('3,8'),
  /** Random loss in percent, in both directions. */
  loss: numberList(0, 50).prefault('1,2,5'),
  engine: z
    .string()
    .transform((names) => names.split(','))
    .pipe(z.array(z.enum(['native', 'quiche'])))
    .prefault('native,quiche'),
  /** Of SRT. */
  latency: z.coerce.number().int().min(20).max(60_000).default(600),
  /** Round trip of the path. */
  rtt: z.coerce.number().min(0).max(2000).default(80),
  /** Added to the delay of each packet, evenly spread from 0; later packets may pass. */
  jitter: z.coerce.number().min(0).max(1000).default(20),
  /** So many cells at the same time. */
  beside: z.coerce.number().int().min(1).max(16).default(1),
  /** Of the first cell's path; the next ones have the numbers after it. Drawn when it is absent. */
  seed: z.coerce.number().int().min(0).max(seedCount).optional(),
});

/** What `npm run long:tunnel` does. */
export interface SrtOrder {
  readonly seconds: number;
  readonly cells: readonly SrtCell[];
  readonly engines: readonly EngineName[];
  readonly latencyMs: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly beside: number;
}

export const usage =
  'Usage: npm run long:tunnel -- [--minutes 10] [--rate 3,8] [--loss 1,2,5] [--engine native,quiche] [--latency 600] ' +
  '[--rtt 80] [--jitter 20] [--beside 1] [--seed N]';

/** Returns what is wrong, and the usage, for arguments that mean nothing. */
export function parseSrtOrder(args: readonly string[]): SrtOrder | string {
  try {
    const options = Object.fromEntries(
      Object.keys(orderSchema.shape).map((name) => [name, { type: 'string' as const }]),
    );
    const parsed = orderSchema.safeParse(parseArgs({ args: [...args], options }).values);
    if (!parsed.success) return `${z.prettifyError(parsed.error)}\n${usage}`;
    const { minutes, rate, loss, engine, latency, rtt, jitter, beside } = parsed.data;
    const { seed = randomInt(seedCount) } = parsed.data;
    const cells = rate.flatMap((megabits) => loss.map((lossPercent) => ({ megabits, lossPercent })));
    return {
      seconds: minutes * 60,
      cells: cells.map((cell, index) => ({ ...cell, seed: seed + index })),
      engines: engine,
      ...{ latencyMs: latency, rttMs: rtt, jitterMs: jitter, beside },
    };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`;
  }
}
