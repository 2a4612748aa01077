import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DecodeError } from '../../../src/protocol/beat/beat-frame.ts';
import { AgentProcess } from '../../support/observer/agent-process.ts';
import { readMetrics } from '../../support/observer/observer-metrics.ts';
import { startObserverProcess, type ObserverProcess } from '../../support/observer/observer-process.ts';
import { brokenBeats } from '../../support/samples/broken-beats.ts';
import { until } from '../../support/until.ts';

const floodChild = join(import.meta.dirname, '../../support/observer/flood-child.ts');
const metricKinds: Readonly<Record<DecodeError['kind'], string>> = {
  BadMagic: 'bad_magic',
  BadVersion: 'bad_version',
  BadCrc: 'bad_crc',
  BadStatus: 'bad_status',
  StallOnWire: 'stall_on_wire',
  BadPid: 'bad_pid',
  BadTimestamp: 'bad_timestamp',
  BadNonce: 'bad_nonce',
};

interface FloodTotals {
  readonly pid: number;
  readonly sent: number;
  readonly refused: number;
}

async function flood(path: string, count: number, manner: 'waiting' | 'pushing'): Promise<FloodTotals> {
  const { stdout } = await promisify(execFile)(process.execPath, [floodChild, path, String(count), manner]);
  return JSON.parse(stdout) as FloodTotals;
}

/** Sends one that the socket must take: its queue, of eleven, may be full for a moment. */
async function send(agent: AgentProcess, bytes: Uint8Array): Promise<void> {
  await until(async () => (await agent.send(bytes)) === 0);
}

describe('datagrams that are no beat, and too many that are one', () => {
  let folder: string;
  let socket: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'adit-observer-'));
    socket = join(folder, 'o.sock');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function start(...flags: readonly string[]): Promise<ObserverProcess> {
    return startObserverProcess([
      ...['--socket', socket, '--threshold-ms', '1000', '--print', 'all', '--api-addr', '127.0.0.1:0'],
      ...flags,
    ]);
  }

  it('datagrams of every wrong size are counted, and the next beat is accepted', async () => {
    await using observer = await start();
    await using agent = await AgentProcess.start(socket);
    const sizes = [1, 4, 31, 33, 60, 64, 1000, 65_000];
    for (const size of [0, ...sizes]) await send(agent, new Uint8Array(size));
    await agent.beat();
    await until(() => observer.events().some(({ type }) => type === 'Beat'));
    const metrics = await readMetrics(observer);
    expect(metrics.get('varta_truncated_datagrams_total')).toBe(sizes.length);
    expect(metrics.get('adit_observer_probes_total')).toBe(1);
    expect(observer.events().filter(({ type }) => type !== 'Stall')).toHaveLength(1);
  });

  it('each decode error is an event with its values, and counted by its kind', async () => {
    await using observer = await start();
    await using agent = await AgentProcess.start(socket);
    for (const [hex] of brokenBeats) await send(agent, Buffer.from(hex, 'hex'));
    const decodes = (): readonly unknown[] => observer.events().filter(({ type }) => type === 'Decode');
    await until(() => decodes().length === brokenBeats.length);
    const asText = (error: DecodeError): object =>
      Object.fromEntries(
        Object.entries(error).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]),
      );
    expect(decodes()).toMatchObject(brokenBeats.map(([, error]) => ({ error: asText(error) })));
    const metrics = await readMetrics(observer);
    for (const [kind, name] of Object.entries(metricKinds)) {
      const count = brokenBeats.filter(([, error]) => error.kind === kind).length;
      expect(metrics.get(`varta_decode_errors_total{kind="${name}"}`), kind).toBe(count);
    }
    await agent.beat();
    await until(() => observer.events().some(({ type }) => type === 'Beat'));
  });

  it('agents that find the table full are counted, and those in it are still watched', async () => {
    await using observer = await start('--tracker-capacity', '2', '--max-beat-rate', '0');
    await using first = await AgentProcess.start(socket);
    await using second = await AgentProcess.start(socket);
    await using late = await AgentProcess.start(socket);
    await first.beat();
    await second.beat();
    await late.beat();
    const stalls = () => observer.events().filter(({ type }) => type === 'Stall') as readonly object[];
    await until(() => stalls().length === 2);
    expect(stalls()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pid: first.pid }),
        expect.objectContaining({ pid: second.pid }),
      ]) as unknown,
    );
    expect((await readMetrics(observer)).get('varta_tracker_capacity_exceeded_total')).toBe(1);
  });

  it('of 100 000 beats without a pause each is accepted or counted, and others are still watched', async () => {
    await using observer = await start('--global-beat-rate', '1', '--global-beat-burst', '1000');
    const floods = [await flood(socket, 100_000, 'pushing'), await flood(socket, 100_000, 'waiting')];
    expect(floods.map(({ sent, refused }) => sent + refused)).toEqual([100_000, 100_000]);
    expect(floods[1]?.refused).toBe(0);
    await using agent = await AgentProcess.start(socket);
    let own = 0;
    // The flood has used up the rate of all agents together, so that only some of these are accepted.
    await until(async () => {
      if ((await agent.beat()) === 0) own += 1;
      return observer.out().includes(`"Beat","pid":${agent.pid}`);
    });
    const sent = floods.reduce((sum, each) => sum + each.sent, own);
    const counted = async (): Promise<Readonly<Record<string, number>>> => {
      const metrics = await readMetrics(observer);
      const beats = [...metrics].filter(([name]) => name.startsWith('varta_beats_total{'));
      return {
        accepted: beats.reduce((sum, [, value]) => sum + value, 0),
        global: metrics.get('varta_rate_limited_total{reason="global"}') ?? 0,
        perPid: metrics.get('varta_rate_limited_total{reason="per_pid"}') ?? 0,
        overflow: metrics.get('adit_observer_ring_overflow_total') ?? 0,
      };
    };
    await until(async () => Object.values(await counted()).reduce((sum, each) => sum + each, 0) === sent);
    const { accepted, global, perPid } = await counted();
    expect(accepted).toBeGreaterThan(0);
    expect(global).toBeGreaterThan(0);
    expect(perPid).toBeGreaterThan(0);
    await until(() => observer.out().includes(`"Stall","pid":${agent.pid}`));
  });
});
