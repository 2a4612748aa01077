import { describe, expect, it } from 'vitest';
import type { RelayMessage } from '../../../../src/protocol/tunnel/control-message.ts';
import {
  openRelayClientWorld,
  ready,
  tunnelId,
  type RelayClientWorld,
} from '../../../support/programs/relay-client-world.ts';

const helloAck: RelayMessage = {
  type: 'hello_ack',
  protocol_version: 2,
  software_version: 'x',
  features: ['peer_state', 'bind_proof', 'if_free'],
};

describe('a relay client whose leg another edge has', () => {
  const down = (reason: string): RelayMessage => ({ type: 'tunnel_down', tunnel_id: tunnelId, reason });

  async function replaced(): Promise<RelayClientWorld> {
    const world = await openRelayClientWorld();
    world.relayEnd.say(helloAck);
    world.relayEnd.say(ready);
    world.relayEnd.say(down('replaced by a new connection'));
    await world.pass();
    expect(world.client.state).toBe('down');
    return world;
  }

  it('asks for it every 5 s without taking it, and has it within 5 s of the time when it is free', async () => {
    const world = await replaced();
    await world.pass(60_000);
    const [first, ...claims] = world.relayEnd.binds;
    expect(first).not.toHaveProperty('if_free');
    expect(claims).toHaveLength(12);
    expect(claims.every((bind) => bind.if_free === true)).toBe(true);
    expect(world.client.report()).toMatchObject({ state: 'down', last_problem: 'replaced by a new connection' });
    world.relayEnd.say(ready);
    await world.pass(20_000);
    expect(world.client.report()).toMatchObject({ state: 'ready', last_problem: null });
    expect(world.relayEnd.binds).toHaveLength(13);
    expect(world.changes.map(({ kind }) => kind)).toEqual(['connected', 'disconnected', 'connected']);
  });

  it('does not take it with a new connection either, however often its connections end', async () => {
    const world = await replaced();
    for (let lives = 1; lives <= 5; lives++) {
      world.relayEnd.connection.close(0, 'gone');
      await world.pass(8000);
      expect(world.relayEnds).toHaveLength(lives + 1);
      world.relayEnd.say(helloAck);
      await world.pass();
      world.relayEnd.say(down('leg held by a live edge'));
      await world.pass();
      expect(world.relayEnd.binds.map((bind) => bind.if_free)).toEqual([true]);
      expect(world.client.report()).toMatchObject({ state: 'down', last_problem: 'leg held by a live edge' });
    }
    expect(world.changes.filter(({ kind }) => kind === 'refused')).toHaveLength(1);
    world.relayEnd.say(ready);
    await world.pass();
    world.relayEnd.connection.close(0, 'gone');
    await world.pass(1300);
    expect(world.relayEnd.binds.map((bind) => bind.if_free)).toEqual([undefined]);
  });

  it('yields as well when the relay has refused a take-over that came too soon', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(helloAck);
    world.relayEnd.say(down('leg is being replaced too often'));
    await world.pass(1300);
    world.relayEnd.say(helloAck);
    await world.pass();
    expect(world.relayEnd.binds.map((bind) => bind.if_free)).toEqual([true]);
  });

  it('leaves it to the other edge where the relay cannot say that it is free, and reports it', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say({ ...helloAck, features: ['peer_state'] });
    world.relayEnd.say(ready);
    world.relayEnd.say(down('replaced by a new connection'));
    await world.pass(600_000);
    expect(world.relayEnd.binds).toHaveLength(1);
    expect(world.client.report().last_problem).toBe(
      'replaced by a new connection; this relay cannot say when the leg is free again',
    );
  });
});
