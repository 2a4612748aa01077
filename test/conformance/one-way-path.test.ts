import { describe, expect, it } from 'vitest';
import { builtEngines } from '../support/programs/engines.ts';
import { MediaWorld } from '../support/programs/media-world.ts';
import { pause } from '../support/pause.ts';
import { until } from '../support/until.ts';

/** Suspected 4 s after the block at the latest, given up 5 s after the ping that was not answered; the rest is margin. */
const givenUpWithinMs = 12_000;

describe.each(await builtEngines())('an edge over %s whose way out is blocked, and no other', (engineName) => {
  it('M4 gives an idle connection up within seconds, though packets of the relay arrive, and reports why', async () => {
    await using world = await MediaWorld.open(engineName);
    const { egress, network } = world;
    await pause(2500);
    network.partition('up');
    const relay = () => egress.edge.tunnelReports()[0]?.relays[0];
    await until(() => relay()?.one_way === true, { timeoutMs: givenUpWithinMs, what: 'the block is noticed' });
    const reason = 'the relay does not get what is sent to it';
    const gone = `Tunnel disconnected from relay: ${reason}`;
    await until(() => egress.messages().includes(gone), { timeoutMs: givenUpWithinMs, what: 'a new connection' });
    expect(relay()?.last_problem).toBe(reason);
    network.heal('up');
    await until(() => egress.tunnel().state === 'ready');
  });

  it('M4 notices it under traffic from the other edge too', async () => {
    await using world = await MediaWorld.open(engineName);
    const { egress, network, sink, source } = world;
    world.send(Buffer.from('first'));
    await until(() => sink.received.length > 0);
    await pause(2500);
    network.partition('up');
    const relay = () => egress.edge.tunnelReports()[0]?.relays[0];
    await until(
      () => {
        sink.reply(Buffer.from('media'));
        return relay()?.one_way === true;
      },
      { timeoutMs: givenUpWithinMs, pollMs: 20 },
    );
    expect(source.received.length).toBeGreaterThan(10);
  });
});
