import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { AttackedRelay, victimTunnel } from '../support/hostile/attacked-relay.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { until } from '../support/until.ts';

const headerBytes = 76;

/** Everything that a sender and a receiver can do to a stream, in every order of three. */
const acts = ['write', 'finish', 'reset', 'stop'] as const;
const orders = acts.flatMap((a) => acts.flatMap((b) => acts.map((c) => [a, b, c] as const)));

type Act = (typeof acts)[number];

/** Does the acts in their order; answers what a receiver that sees a clean end must have got, null when it must see none. */
function perform(edge: HostileEdge, id: number, order: readonly Act[]): number | null {
  const { connection } = edge;
  const sent = { bytes: 0, end: 'open' as 'open' | 'whole' | 'cut' };
  const does: Readonly<Record<Act, () => void>> = {
    write: () => {
      if (sent.end !== 'open') return;
      connection.write(id, Buffer.alloc(1000));
      sent.bytes += 1000;
    },
    finish: () => {
      if (sent.end !== 'open') return;
      connection.write(id, Buffer.alloc(0), true);
      sent.end = 'whole';
    },
    reset: () => {
      connection.reset(id, 77);
      if (sent.end === 'open') sent.end = 'cut';
    },
    stop: () => connection.stop(id, 78),
  };
  for (const act of [...order, 'reset' as const]) does[act]();
  return sent.end === 'whole' ? sent.bytes : null;
}

describe.each(await builtEngines())('the ends of streams through a relay over %s', (engine) => {
  it('S1 a cut transfer never looks complete, in whatever order FIN, RESET and STOP_SENDING come', async () => {
    await using at = await AttackedRelay.start(engine, 'tcp');
    await using egress = await HostileEdge.bound({ remote: at.remote }, at.victimBind('egress', 'tcp'));
    for (const order of orders) {
      const id = egress.openDataStream(victimTunnel);
      const far = await at.ingress.expectStream(at.ingress.incoming.length + 1);
      const whole = perform(egress, id, order);
      const end = await until(() => far.ended, { what: `an end after ${order.join(', ')}` });
      if (end.kind === 'finished')
        expect({ order, received: far.receivedBytes - headerBytes }).toEqual({ order, received: whole });
      far.send('bye');
      far.finish();
      egress.connection.stop(id, 79);
    }
    await until(() => at.bed.relay.report.totals().active_tcp_streams === 0, { what: 'all streams gone' });
  });
});
