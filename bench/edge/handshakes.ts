import { randomUUID } from 'node:crypto';
import { errorMessage } from '../../src/lib/app-error.ts';
import type { Random } from '../../src/lib/random.ts';
import type { QuicEngine } from '../../src/quic/types.ts';
import { BenchEdge } from './bench-edge.ts';
import type { HandshakeArgs, Handshakes } from './edge-calls.ts';
import { knownTunnelId } from './edge-transport.ts';
import { PathGroup } from './path-group.ts';

/** Edges that come, bind a leg, hear that they wait for their peer, and go. */
export async function handshakes(
  dependencies: { readonly engine: QuicEngine; readonly random: Random },
  { relay, count, concurrency }: HandshakeArgs,
): Promise<Handshakes> {
  const group = new PathGroup();
  const failures: string[] = [];
  let done = 0;
  const one = async (): Promise<void> => {
    const tunnelId = knownTunnelId(randomUUID());
    const settings = { relay, tunnelId, direction: 'egress', protocol: 'udp', keepBound: false } as const;
    const edge = new BenchEdge({ ...dependencies, group }, settings);
    try {
      await edge.start();
      done += 1;
    } catch (error) {
      failures.push(errorMessage(error));
    } finally {
      edge.close();
    }
  };
  await eachAtOnce(Array.from({ length: count }), concurrency, one);
  return { done, failures };
}

/** Does `action` for every item, at most `concurrency` at a time. Rejects with the first failure. */
export async function eachAtOnce<Item>(
  items: readonly Item[],
  concurrency: number,
  action: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async (): Promise<void> => {
    for (const item of waiting) await action(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
