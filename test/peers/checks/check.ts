import { SystemClock } from '../../../src/lib/clock.ts';
import type { FlowBed } from '../../support/programs/flow-bed.ts';
import type { LocalUdpSocket } from '../../support/peers/local-udp.ts';
import { until } from '../../support/until.ts';

export interface Outcome {
  /** Its figures, for people. */
  readonly shows: string;
  readonly held: boolean;
}

/** What media flows must show with a program of others. */
export interface Check {
  readonly row: string;
  readonly peer: string;
  readonly must: string;
  readonly run: () => Promise<Outcome>;
}

const clock = new SystemClock();

export const udpIn = { type: 'udp', bind_addr: '127.0.0.1:0' };

export function listener(port: number, keys: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'listener', local_addr: `127.0.0.1:${port}`, ...keys };
}

export function caller(port: number, keys: object = {}): Record<string, unknown> {
  return { type: 'srt', mode: 'caller', remote_addr: `127.0.0.1:${port}`, ...keys };
}

export function out(keys: object): Record<string, unknown> {
  return { id: 'out', name: 'Out', ...keys };
}

export function toSink(sink: LocalUdpSocket): Record<string, unknown> {
  return out({ type: 'udp', dest_addr: sink.addr });
}

/** How many events of the flow have such a message. */
export function count(bed: FlowBed, flowId: string, message: RegExp): number {
  return bed.messages(flowId).filter((each) => message.test(each)).length;
}

/** Milliseconds until the flow has so many of such events at the manager. */
export async function eventAfterMs(bed: FlowBed, flowId: string, message: RegExp, times = 1): Promise<number> {
  const startMs = clock.monotonicMs();
  await until(() => count(bed, flowId, message) >= times, {
    what: `${String(message)}; seen: ${bed.messages(flowId).join(' | ')}`,
  });
  return clock.monotonicMs() - startMs;
}

export function nowMs(): number {
  return clock.monotonicMs();
}

export function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
