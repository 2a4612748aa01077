import { writeSync } from 'node:fs';
import process from 'node:process';
import type { Timer } from '../../../src/lib/clock.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { DelayLine } from './delay-line.ts';
import { faultless, FaultyPath } from './faulty-path.ts';
import { Poll, TunDevice } from './tun-device.ts';
import type { TunPathOrder } from './tun-machine.ts';

/**
 * Moves IP packets between two TUN devices, over a path that loses, delays and reorders them: `tun-path-child.ts ORDER`.
 * Started by tun-machine.ts, ends with its standard input. It waits in `poll` alone: no event loop turns meanwhile.
 */
const order = JSON.parse(process.argv[2] ?? '') as TunPathOrder;
const [near, far] = [new TunDevice(order.near), new TunDevice(order.far)];
const [standardInput, standardOutput] = [0, 1];
/** Of one direction in a turn. */
const mostPackets = 256;
const idleMs = 1000;

/** A clock of one timer, which the loop below calls. */
const loop = { dueMs: Infinity, callback: (): void => undefined };
const clock = {
  monotonicMs: (): number => performance.now(),
  setTimeout: (callback: () => void, delayMs: number): Timer => {
    loop.dueMs = performance.now() + delayMs;
    loop.callback = callback;
    const cancel = (): void => void (loop.dueMs = Infinity);
    return { cancel, [Symbol.dispose]: cancel };
  },
};
const underWay = new DelayLine(clock);
const up = new FaultyPath(new SeededRandom(order.seed), { ...faultless, ...order.up });
const down = new FaultyPath(new SeededRandom(order.seed + 0x5eed), { ...faultless, ...order.down });

function carry(from: TunDevice, path: FaultyPath, to: TunDevice): void {
  for (let count = 0; count < mostPackets; count++) {
    const packet = from.read();
    if (packet === null) return;
    for (const atMs of path.arrivals(performance.now(), packet.length)) underWay.add(atMs, () => to.write(packet));
  }
}

function callWhenDue(): void {
  if (performance.now() < loop.dueMs) return;
  loop.dueMs = Infinity;
  loop.callback();
}

const poll = new Poll([standardInput, near.fd, far.fd]);
writeSync(standardOutput, 'ready\n');
while (!poll.found(0)) {
  poll.wait(Math.max(0, Math.min(idleMs, Math.floor(loop.dueMs - performance.now()))));
  carry(far, up, near);
  carry(near, down, far);
  callWhenDue();
}
process.exit();
