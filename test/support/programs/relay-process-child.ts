import process from 'node:process';
import type { RelayOrder, RelayQuestion, RelaySnapshot } from './relay-process.ts';
import { startTestRelay } from './test-relay.ts';

/** The child of `RelayProcess`: a relay alone in its process, so that its memory and its death are its own. */
const order = JSON.parse(process.argv[2] ?? '{}') as RelayOrder;
let unhandled = 0;
process.on('unhandledRejection', () => {
  unhandled += 1;
});

const bed = await startTestRelay({
  engine: order.engine,
  config: order.config,
  resetKey: Buffer.from(order.resetKeyHex, 'hex'),
});

/** Counted instead of kept: the test relay's list would grow for ever, and be taken for a leak. */
const events: Record<string, number> = {};
bed.relay.events.subscribe(({ event }) => {
  events[event.kind] = (events[event.kind] ?? 0) + 1;
  bed.events.length = 0;
});

function snapshot(): RelaySnapshot {
  const { report } = bed.relay;
  const { rss, heapUsed, external } = process.memoryUsage();
  return {
    address: bed.address,
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
    unhandledRejections: unhandled,
    engine: bed.engine.report(),
    stats: { tunnels: report.tunnels(), edges: report.edges(), ...report.totals() },
    tunnels: report.tunnelDetails(),
    events,
  };
}

process.on('message', (question: RelayQuestion) => {
  if (question.ask === 'snapshot') {
    process.send?.({ id: question.id, snapshot: snapshot() });
    return;
  }
  bed[Symbol.asyncDispose]().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});

process.on('disconnect', () => process.exit(2));
process.send?.({ id: 0, snapshot: snapshot() });
