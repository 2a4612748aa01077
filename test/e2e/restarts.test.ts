import { describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { exchangeTcp } from '../../src/cli/demo/tcp-exchange.ts';
import { ProgramWorld } from '../support/programs/program-world.ts';
import { until } from '../support/until.ts';

/** A connection that was killed without a word ends after this. Whoever is back sooner did not wait for it. */
const idleMs = 25_000;

async function carries(world: ProgramWorld): Promise<boolean> {
  const { local, destination } = world.plan.tcp;
  const settings = { local, destination, bytes: 1_000_000 };
  return (await exchangeTcp(settings, new SystemRandom(), { receivedBytes: 0 })).intact;
}

describe('programs that are killed', () => {
  it('an edge: its tunnels are active soon after its restart, without the other edge starting again', async () => {
    await using world = await ProgramWorld.start();
    world.program('egress').kill('SIGKILL');
    await world.program('egress').exit();
    const start = new SystemClock().monotonicMs();
    await world.startPart('egress');
    // The relay still counts the dead leg as bound: traffic shows when the new one has taken its place.
    await until(() => carries(world).catch(() => false), { what: 'traffic' });
    expect(new SystemClock().monotonicMs() - start).toBeLessThan(idleMs);
    expect(await world.statuses()).toEqual(['active', 'active']);
  });

  it('an edge that stays away: the relay notices and keeps the other leg', async () => {
    await using world = await ProgramWorld.start();
    world.program('egress').kill('SIGKILL');
    await until(async () => (await world.statuses()).join() === 'waiting_egress,waiting_egress', {
      what: 'the loss noticed',
    });
    await world.startPart('egress');
    await world.active();
    expect(await carries(world)).toBe(true);
  });

  it('the relay: its stateless resets reach the edges, and all is active again soon after its restart', async () => {
    await using world = await ProgramWorld.start();
    world.program('relay').kill('SIGKILL');
    await world.program('relay').exit();
    await world.startPart('relay');
    expect(await world.active(idleMs)).toBeGreaterThan(0);
    expect(await carries(world)).toBe(true);
  });
});
