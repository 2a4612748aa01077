import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { ProgramBeats } from '../../../src/beat-sender/program-beats.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { SystemRandom } from '../../../src/lib/random.ts';
import { silentLogger } from '../../support/fakes/silent-logger.ts';
import { ManagerBed } from '../../support/manager/manager-bed.ts';
import { TestWatch } from '../../support/observer/test-watch.ts';

const facts = { status: 'Degraded', managerConnected: true, draining: false } as const;

function startBeats(target: { readonly socket: string | null; readonly udp: string | null }): ProgramBeats {
  const all = { ...facts, certificateEndsSoon: false, diskFull: false };
  return new ProgramBeats(
    'edge',
    { ...target, interval_ms: 50 },
    { clock: new SystemClock(), random: new SystemRandom(), logger: silentLogger, facts: () => all },
  );
}

describe('a program that beats', () => {
  it('reaches an observer over its socket, with status and payload', async () => {
    await using test = await TestWatch.start();
    const beats = startBeats({ socket: test.path, udp: null });
    await beats.start();
    const [first, second] = await test.count('Beat', 2);
    beats.stop();
    expect(first).toMatchObject({ pid: process.pid, status: 'Degraded', nonce: 1n, origin: 'KernelAttested' });
    expect(second?.nonce).toBe(2n);
    expect((first?.payload ?? 0) & 0xffff).toBe(0x0201);
  });

  it('finds the observer again after its socket was replaced', async () => {
    const before = await TestWatch.start();
    const beats = startBeats({ socket: before.path, udp: null });
    await beats.start();
    await before.count('Beat', 1);
    await before.watch.stop();
    await using after = await TestWatch.start({ socket: { path: before.path, mode: 0o600, receiveBufferBytes: 0 } });
    await after.count('Beat', 1);
    beats.stop();
    await before[Symbol.asyncDispose]();
  });

  it('reaches an observer over UDP', async () => {
    await using test = await TestWatch.start({ udp: { host: '127.0.0.1', port: 0, keys: null, attested: true } });
    const beats = startBeats({ socket: null, udp: `127.0.0.1:${test.watch.udpPort ?? 0}` });
    await beats.start();
    expect((await test.count('Beat', 1))[0]).toMatchObject({ origin: 'OperatorAttestedTransport' });
    beats.stop();
  });

  it('is a manager, too, by the observer of its config', async () => {
    await using test = await TestWatch.start();
    await using _manager = await ManagerBed.start({ config: { observer: { socket: test.path, interval_ms: 50 } } });
    const [first] = await test.count('Beat', 1);
    expect(first).toMatchObject({ pid: process.pid, status: 'Ok', origin: 'KernelAttested' });
    expect((first?.payload ?? 0) & 0xffff).toBe(0x0300);
  });

  it('falls silent when it stops', async () => {
    await using test = await TestWatch.start({ thresholdMs: 300 });
    const beats = startBeats({ socket: test.path, udp: null });
    await beats.start();
    await test.count('Beat', 1);
    beats.stop();
    await test.count('Stall', 1);
  });
});
