import { describe, expect, it } from 'vitest';
import { freePort } from '../../../src/cli/demo/free-port.ts';
import { runUdpFlow, type UdpProgress } from '../../../src/cli/demo/udp-flow.ts';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { until } from '../../support/until.ts';

describe('the UDP stream of the demo', () => {
  it('floods nobody after its process stood still, and sends all of its packets', async () => {
    const system = new SystemClock();
    let nowMs = 0;
    let tick = (): void => {};
    const clock: Clock = {
      ...{ now: () => system.now(), monotonicMs: () => nowMs },
      setTimeout: (callback, delayMs) => system.setTimeout(callback, delayMs),
      setInterval: (callback) => {
        tick = callback;
        return { cancel: () => {}, [Symbol.dispose]: () => {} };
      },
    };
    const address = { host: '127.0.0.1', port: await freePort() };
    const progress: UdpProgress = { sent: 0, received: 0 };
    const settings = { local: address, destination: address, packetsPerSec: 1000, seconds: 1 };
    const flow = runUdpFlow(settings, clock, progress);
    const pass = (ms: number): number => {
      const before = progress.sent;
      nowMs += ms;
      tick();
      return progress.sent - before;
    };
    await until(() => pass(5) > 0);
    expect(pass(5)).toBe(5);
    expect(pass(400)).toBeLessThanOrEqual(21);
    expect(pass(5)).toBe(5);
    while (progress.sent < 1000) pass(5);
    expect(await flow).toMatchObject({ sent: 1000, damaged: 0 });
  });
});
