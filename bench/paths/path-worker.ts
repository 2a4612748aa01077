import process from 'node:process';
import { errorMessage } from '../../src/lib/app-error.ts';
import { FaultyNetwork } from '../../test/support/network/faulty-network.ts';
import type { PathAnswer, PathFaults, PathOrder, PathRequest } from './path-calls.ts';

/** The process that loses, delays and reorders packets, so that no program under test pays for it. Started by path-process.ts. */
const paths = new Map<number, FaultyNetwork>();
let nextPath = 1;

function apply(network: FaultyNetwork, { up = {}, down = {} }: PathFaults): void {
  network.set(up, 'up');
  network.set(down, 'down');
}

function pathOf(number: number): FaultyNetwork {
  const network = paths.get(number);
  if (network === undefined) throw new Error(`there is no path ${number}`);
  return network;
}

async function carryOut(order: PathOrder): Promise<PathAnswer> {
  switch (order.kind) {
    case 'open': {
      const { target, seed, faults, impairs } = order;
      const isSpared = (client: number): boolean => impairs === 'first' && client > 0;
      const network = await FaultyNetwork.start({ target, seed, isSpared });
      apply(network, faults);
      const path = nextPath++;
      paths.set(path, network);
      return { kind: 'opened', path, address: network.address };
    }
    case 'set':
      apply(pathOf(order.path), order.faults);
      return { kind: 'done' };
    case 'counts':
      return { kind: 'counted', up: pathOf(order.path).up };
    case 'close':
      await pathOf(order.path).stop();
      paths.delete(order.path);
      return { kind: 'done' };
  }
}

process.on('message', ({ id, order }: PathRequest) => {
  void carryOut(order)
    .catch((error: unknown): PathAnswer => ({ kind: 'failed', reason: errorMessage(error) }))
    .then((answer) => process.send?.({ id, answer }));
});
// The benchmark is gone, and nothing else would end this process.
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
