import { describe, expect, it } from 'vitest';
import { Liveness, type LivenessVerdict } from '../../../src/edge/liveness.ts';

const periodMs = 100;

/** Samples a connection every 100 ms; `traffic` says what happened in the time before each sample. */
function observe(
  liveness: Liveness,
  fromMs: number,
  untilMs: number,
  traffic: { sent?: boolean; heard?: boolean; rttMs?: number | null },
  totals = { sent: 0, received: 0 },
): (LivenessVerdict & { atMs: number })[] {
  const verdicts = [];
  for (let atMs = fromMs; atMs <= untilMs; atMs += periodMs) {
    if (traffic.sent === true) totals.sent++;
    if (traffic.heard === true) totals.received++;
    verdicts.push({ atMs, ...liveness.observe(atMs, { ...totals, rttMs: traffic.rttMs ?? 1 }) });
  }
  return verdicts;
}

const firstSuspect = (verdicts: (LivenessVerdict & { atMs: number })[]): number | undefined =>
  verdicts.find(({ suspect }) => suspect)?.atMs;

describe('a relay under traffic', () => {
  it('is trusted while it answers', () => {
    const verdicts = observe(new Liveness(0, periodMs), 100, 60_000, { sent: true, heard: true });
    expect(verdicts.every(({ suspect, probe }) => !suspect && !probe)).toBe(true);
  });

  it('is suspected 300 ms after the first sample that brought no answer', () => {
    const totals = { sent: 0, received: 0 };
    const liveness = new Liveness(0, periodMs);
    observe(liveness, 100, 1000, { sent: true, heard: true }, totals);
    expect(firstSuspect(observe(liveness, 1100, 5000, { sent: true }, totals))).toBe(1400);
  });

  it('gets more time on a long path', () => {
    const liveness = new Liveness(0, periodMs);
    expect(firstSuspect(observe(liveness, 100, 5000, { sent: true, rttMs: 250 }))).toBe(1000);
  });

  it('is probed once a second while it is silent, and trusted again when it has answered for two seconds', () => {
    const totals = { sent: 0, received: 0 };
    const liveness = new Liveness(0, periodMs);
    const silent = observe(liveness, 100, 5000, { sent: true }, totals);
    expect(silent.filter(({ probe }) => probe).length).toBe(5);
    const answering = observe(liveness, 5100, 9000, { sent: true, heard: true }, totals);
    expect(answering.find(({ suspect }) => !suspect)?.atMs).toBe(7000);
  });

  it('is not suspected because our own process stood still', () => {
    const totals = { sent: 0, received: 0 };
    const liveness = new Liveness(0, periodMs);
    observe(liveness, 100, 1000, { sent: true, heard: true }, totals);
    observe(liveness, 1100, 1100, { sent: true }, totals);
    expect(firstSuspect(observe(liveness, 3000, 3200, { sent: true }, totals))).toBeUndefined();
    expect(firstSuspect(observe(liveness, 3300, 4000, { sent: true }, totals))).toBe(3300);
  });
});

describe('a relay without traffic', () => {
  it('is not suspected for its silence', () => {
    expect(firstSuspect(observe(new Liveness(0, periodMs), 100, 60_000, {}))).toBeUndefined();
  });

  it('is probed after 3 s, then every second until it answers', () => {
    const totals = { sent: 0, received: 0 };
    const liveness = new Liveness(0, periodMs);
    const probes = observe(liveness, 100, 5500, {}, totals).filter(({ probe }) => probe);
    expect(probes.map(({ atMs }) => atMs)).toEqual([3000, 4000, 5000]);
    observe(liveness, 5600, 5600, { heard: true }, totals);
    expect(observe(liveness, 5700, 8500, {}, totals).some(({ probe }) => probe)).toBe(false);
  });
});
