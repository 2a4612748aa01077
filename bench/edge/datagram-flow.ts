import type { Sent } from './edge-calls.ts';
import { probeFlow, writeNumber } from './datagram-tally.ts';
import type { Path } from './path-group.ts';

export interface FlowSettings {
  /** Distinguishes it from other flows on the same paths. */
  readonly flow: number;
  /** Over all paths together. */
  readonly ratePerSec: number;
  readonly seconds: number;
  readonly bytes: number;
}

/**
 * A sender that was kept waiting sends at most this much of its debt at once: a longer burst would measure the queues
 * behind it. What is left out is not sent at all and shows as a rate that was not reached.
 */
const longestBurstMs = 20;

/** Sends numbered datagrams over the paths in turn, as evenly as timers allow (a batch each millisecond). */
export function sendDatagrams(
  paths: readonly Path[],
  { flow, ratePerSec, seconds, bytes }: FlowSettings,
): Promise<Sent> {
  if (paths.length === 0) return Promise.reject(new Error('there is no path to send on'));
  const datagrams = paths.map((path) => datagramOf(path, bytes));
  const start = performance.now();
  const burst = Math.ceil((longestBurstMs * ratePerSec) / 1000);
  let sent = 0;
  let skipped = 0;
  const sendDue = (elapsedMs: number): void => {
    const due = Math.floor((elapsedMs * ratePerSec) / 1000) - skipped;
    skipped += Math.max(0, due - sent - burst);
    for (const end = Math.min(due, sent + burst); sent < end; sent++) {
      const turn = sent % paths.length;
      const [path, datagram] = [paths[turn], datagrams[turn]];
      if (path === undefined || datagram === undefined) continue;
      writeNumber(datagram, flow, sent);
      path.send(datagram);
    }
  };
  return new Promise((resolve) => {
    const turn = (): void => {
      const elapsedMs = performance.now() - start;
      sendDue(Math.min(elapsedMs, seconds * 1000));
      if (elapsedMs < seconds * 1000) setTimeout(turn, 1);
      else resolve({ sent, elapsedMs });
    };
    turn();
  });
}

/** One uncounted datagram on each path. */
export function sendProbes(paths: readonly Path[], bytes: number): void {
  for (const path of paths) {
    const datagram = datagramOf(path, bytes);
    writeNumber(datagram, probeFlow, 0);
    path.send(datagram);
  }
}

function datagramOf(path: Path, bytes: number): Buffer {
  const datagram = Buffer.alloc(bytes, 'adit');
  datagram.set(path.prefix);
  return datagram;
}
