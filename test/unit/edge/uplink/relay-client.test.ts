import { describe, expect, it } from 'vitest';
import type { RelayMessage } from '../../../../src/protocol/tunnel/control-message.ts';
import { bindVector } from '../../../support/samples/vectors.ts';
import {
  openRelayClientWorld,
  ready,
  RelayClientWorld,
  tunnelId,
} from '../../../support/programs/relay-client-world.ts';

const refusal: RelayMessage = { type: 'tunnel_down', tunnel_id: tunnelId, reason: 'bind authentication failed' };

describe('a relay client', () => {
  it('is connecting, then ready, then stopped', async () => {
    const world = new RelayClientWorld();
    expect(world.client.state).toBe('stopped');
    await world.listen();
    world.client.start();
    expect(world.client.state).toBe('connecting');
    await world.pass();
    expect(world.relayEnd.heard).toEqual(['hello', 'identify', 'tunnel_bind']);
    world.relayEnd.say(ready);
    await world.pass();
    expect(world.client.state).toBe('ready');
    const stopped = world.client.stop();
    await world.pass();
    await stopped;
    expect(world.client.state).toBe('stopped');
    expect(world.relayEnd.closed).toMatchObject({ kind: 'peer-application', reason: 'edge shutting down' });
    expect(world.changes).toEqual([{ kind: 'connected', peer: 'present' }]);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('waits 2 s for a challenge before it shows its token', async () => {
    const world = await openRelayClientWorld({ bindSecret: bindVector.secret });
    await world.pass(1900);
    expect(world.relayEnd.heard).toEqual(['hello', 'identify']);
    await world.pass(200);
    expect(world.relayEnd.heard).toEqual(['hello', 'identify', 'tunnel_bind']);
  });

  it('pings as soon as it is ready and then every 15 s', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    await world.pass();
    const pings = (): number => world.relayEnd.heard.filter((type) => type === 'ping').length;
    expect(pings()).toBe(1);
    await world.pass(14_900);
    expect(pings()).toBe(1);
    await world.pass(200);
    expect(pings()).toBe(2);
  });

  it('tries an absent relay again after 1 s, 2 s, 4 s … 60 s, each a little more or less, and reports it once', async () => {
    const world = new RelayClientWorld();
    world.client.start();
    const waitsMs: number[] = [];
    for (let i = 0; i < 9; i++) {
      await world.pass();
      const waitMs = world.clock.nextTimerMs ?? NaN;
      waitsMs.push(waitMs);
      world.clock.advance(waitMs);
    }
    for (const [i, expected] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
      expect(waitsMs[i]).toBeGreaterThanOrEqual(expected * 750);
      expect(waitsMs[i]).toBeLessThanOrEqual(Math.min(60_000, expected * 1250));
    }
    expect(world.changes).toEqual([{ kind: 'failed', error: 'connection refused' }]);
    const stopped = world.client.stop();
    await world.pass();
    await stopped;
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('is down after a refusal, reports it once, and starts over when the relay takes the bind', async () => {
    const world = await openRelayClientWorld();
    for (let i = 0; i < 3; i++) {
      world.relayEnd.say(refusal);
      await world.pass();
      expect(world.client.state).toBe('down');
      expect(world.relayEnd.closed).not.toBeNull();
      await world.pass(5100);
    }
    expect(world.relayEnds.length).toBe(4);
    world.relayEnd.say(ready);
    await world.pass();
    expect(world.changes).toEqual([
      { kind: 'refused', reason: 'bind authentication failed' },
      { kind: 'connected', peer: 'present' },
    ]);
    world.relayEnd.connection.close(0, 'gone');
    await world.pass(1300);
    world.relayEnd.say(refusal);
    await world.pass();
    expect(world.changes.slice(2)).toEqual([
      { kind: 'disconnected', reason: 'gone' },
      { kind: 'refused', reason: 'bind authentication failed' },
    ]);
  });

  it('binds anew after about a second when the relay ends a tunnel that was bound', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    world.relayEnd.say({ type: 'tunnel_down', tunnel_id: tunnelId, reason: 'tunnel closed by manager' });
    await world.pass(700);
    expect(world.relayEnds.length).toBe(1);
    await world.pass(600);
    expect(world.relayEnds.length).toBe(2);
    expect(world.changes.at(-1)).toEqual({ kind: 'disconnected', reason: 'tunnel closed by manager' });
  });

  it('reports a loss once when its leg was taken and the connection ends later', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    world.relayEnd.say({ type: 'tunnel_down', tunnel_id: tunnelId, reason: 'replaced by a new connection' });
    await world.pass(60_000);
    expect(world.client.state).toBe('down');
    expect(world.relayEnds.length).toBe(1);
    world.relayEnd.connection.close(0, 'relay shutting down');
    await world.pass(1300);
    expect(world.relayEnds.length).toBe(2);
    expect(world.changes.slice(1)).toEqual([{ kind: 'disconnected', reason: 'replaced by a new connection' }]);
  });

  it('suspects no relay of not answering datagrams that were too large to be sent', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    await world.pass(1000);
    for (let i = 0; i < 20; i++) {
      expect(world.client.connection?.sendDatagram(Buffer.alloc(60_000), null)).toBe('too_large');
      await world.pass(50);
      world.client.sample(world.clock.monotonicMs(), 10_000);
      expect(world.client.suspect).toBe(false);
    }
  });

  it('goes on reporting that the way to the relay is blocked once that has ended the connection', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    await world.pass();
    world.relayEnd.say({ type: 'pong' });
    await world.pass();
    world.isSilent = true;
    // It pings, and gets other packets for an answer.
    for (let i = 0; i < 40 && world.client.connection !== null; i++) {
      world.relayEnd.say({ type: 'tunnel_trouble', tunnel_id: tunnelId, troubles: [] });
      await world.pass(500);
      world.client.sample(world.clock.monotonicMs(), 5000);
    }
    await world.pass(1500);
    expect(world.client.report()).toMatchObject({
      state: 'connecting',
      one_way: true,
      last_problem: 'the relay does not get what is sent to it',
    });
    await world.pass(6500);
    expect(world.client.report()).toMatchObject({ one_way: true, last_problem: 'no connection within 6 s' });
    world.isSilent = false;
    await world.pass(10_000);
    world.relayEnd.say(ready);
    await world.pass();
    expect(world.client.report()).toMatchObject({ state: 'ready', one_way: false });
  });

  it('reports the next loss when the leg that was taken has come back meanwhile', async () => {
    const world = await openRelayClientWorld();
    world.relayEnd.say(ready);
    world.relayEnd.say({ type: 'tunnel_down', tunnel_id: tunnelId, reason: 'replaced by a new connection' });
    world.relayEnd.say(ready);
    await world.pass();
    world.relayEnd.connection.close(0, 'relay shutting down');
    await world.pass(1300);
    expect(world.changes.slice(1)).toEqual([
      { kind: 'disconnected', reason: 'replaced by a new connection' },
      { kind: 'connected', peer: 'present' },
      { kind: 'disconnected', reason: 'relay shutting down' },
    ]);
  });
});
