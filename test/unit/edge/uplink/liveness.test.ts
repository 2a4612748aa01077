import { describe, expect, it } from 'vitest';
import { Liveness, type LivenessVerdict } from '../../../../src/edge/uplink/liveness.ts';

const periodMs = 50;

interface Traffic {
  readonly sent?: boolean;
  readonly heard?: boolean;
  /** The relay answers pings. */
  readonly answered?: boolean;
  readonly rttMs?: number | null;
}

/** A connection that is sampled every 50 ms, when a sample is due. */
class Sampled {
  readonly #liveness = new Liveness(0, periodMs);
  #nowMs = 0;
  #sent = 0;
  #received = 0;
  #pings = 0;
  #pongs = 0;
  samples = 0;

  /** Lets time pass; `traffic` is what happens in each 50 ms. */
  pass(
    durationMs: number,
    { sent = false, heard = false, answered = false, rttMs = 1 }: Traffic,
  ): (LivenessVerdict & { atMs: number })[] {
    const verdicts = [];
    for (const untilMs = this.#nowMs + durationMs; this.#nowMs < untilMs;) {
      this.#nowMs += periodMs;
      this.#sent += sent ? 1 : 0;
      this.#received += heard ? 1 : 0;
      if (!this.#liveness.isDue(this.#nowMs, this.#sent)) continue;
      this.samples++;
      // The first ping follows the bind at once.
      if (answered) this.#pongs = this.#pings = Math.max(1, this.#pings);
      const { pings, pongs } = { pings: this.#pings, pongs: this.#pongs };
      const sample = { sent: this.#sent, received: this.#received, pings, pongs, rttMs };
      const verdict = this.#liveness.observe(this.#nowMs, sample);
      if (verdict.probe) this.#pings++;
      verdicts.push({ atMs: this.#nowMs, ...verdict });
    }
    return verdicts;
  }

  /** Time passes, and our process does not run. */
  stall(durationMs: number): void {
    this.#nowMs += durationMs;
  }
}

const firstSuspect = (verdicts: (LivenessVerdict & { atMs: number })[]): number | undefined =>
  verdicts.find(({ suspect }) => suspect)?.atMs;

describe('a relay under traffic', () => {
  it('is trusted while it answers', () => {
    const verdicts = new Sampled().pass(60_000, { sent: true, heard: true });
    expect(verdicts.every(({ suspect, probe }) => !suspect && !probe)).toBe(true);
  });

  it('is suspected 200 ms after the first sample that brought no answer', () => {
    const connection = new Sampled();
    connection.pass(1000, { sent: true, heard: true });
    expect(firstSuspect(connection.pass(5000, { sent: true }))).toBe(1250);
  });

  it('gets more time on a long path', () => {
    expect(firstSuspect(new Sampled().pass(5000, { sent: true, rttMs: 250 }))).toBe(900);
  });

  it('gets the shortest time where the round trip is not known', () => {
    expect(firstSuspect(new Sampled().pass(5000, { sent: true, rttMs: null }))).toBe(250);
  });

  it('is probed once a second while it is silent, and trusted again when it has answered for two seconds', () => {
    const connection = new Sampled();
    const silent = connection.pass(5000, { sent: true });
    expect(silent.filter(({ probe }) => probe).map(({ atMs }) => atMs)).toEqual([1000, 2000, 3000, 4000, 5000]);
    const answering = connection.pass(4000, { sent: true, heard: true });
    expect(answering.find(({ suspect }) => !suspect)?.atMs).toBe(7000);
  });

  it('is not suspected because our own process stood still', () => {
    const connection = new Sampled();
    connection.pass(1000, { sent: true, heard: true });
    connection.pass(periodMs, { sent: true });
    connection.stall(2000);
    expect(firstSuspect(connection.pass(200, { sent: true }))).toBeUndefined();
    expect(firstSuspect(connection.pass(1000, { sent: true }))).toBe(3300);
  });
});

describe('a relay without traffic', () => {
  it('is not suspected for its silence, and seldom looked at', () => {
    const connection = new Sampled();
    expect(firstSuspect(connection.pass(60_000, {}))).toBeUndefined();
    expect(connection.samples).toBe(240);
  });

  it('is probed after 2 s, then every second until it answers', () => {
    const connection = new Sampled();
    const probes = connection.pass(5000, {}).filter(({ probe }) => probe);
    expect(probes.map(({ atMs }) => atMs)).toEqual([2000, 3000, 4000, 5000]);
    connection.pass(500, { heard: true });
    expect(connection.pass(1500, {}).some(({ probe }) => probe)).toBe(false);
  });
});

describe('a relay that answers pings', () => {
  const answering = { heard: true, answered: true };

  it('is asked every two seconds whatever arrives, and trusted while it answers', () => {
    const connection = new Sampled();
    const verdicts = connection.pass(20_000, { sent: true, ...answering });
    expect(verdicts.filter(({ probe }) => probe).length).toBeGreaterThanOrEqual(8);
    expect(verdicts.filter(({ probe }) => probe).length).toBeLessThanOrEqual(20);
    expect(verdicts.every(({ suspect, oneWay }) => !suspect && !oneWay)).toBe(true);
  });

  it.each([
    ['no traffic from here', false],
    ['traffic both ways', true],
  ])('is suspected within four seconds when only what is sent is blocked, with %s', (_name, sent) => {
    const connection = new Sampled();
    connection.pass(10_000, { sent, ...answering });
    const blocked = connection.pass(10_000, { sent, heard: true });
    const suspected = blocked.find(({ suspect }) => suspect);
    expect(suspected?.oneWay).toBe(true);
    expect(suspected?.atMs).toBeLessThanOrEqual(14_000);
    expect(blocked.find(({ silentMs }) => silentMs >= 5000)?.atMs).toBeLessThanOrEqual(18_000);
    const healed = connection.pass(5000, { sent, ...answering });
    expect(healed.at(-1)).toMatchObject({ suspect: false, oneWay: false, silentMs: 0 });
  });

  it('gets more time for its answer on a long path', () => {
    const connection = new Sampled();
    connection.pass(10_000, { ...answering, rttMs: 400 });
    const blocked = connection.pass(10_000, { heard: true, rttMs: 400 });
    const [ping] = blocked.filter(({ probe }) => probe);
    expect(firstSuspect(blocked)).toBeGreaterThanOrEqual((ping?.atMs ?? 0) + 2500);
  });

  it('is not suspected because our own process stood still', () => {
    const connection = new Sampled();
    connection.pass(10_000, { sent: true, ...answering });
    connection.pass(2100, { heard: true });
    connection.stall(5000);
    expect(firstSuspect(connection.pass(200, { heard: true }))).toBeUndefined();
  });
});
