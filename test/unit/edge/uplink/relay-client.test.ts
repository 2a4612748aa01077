import { describe, expect, it } from 'vitest';
import type { BindingSettings } from '../../../../src/edge/uplink/binding.ts';
import { RelayClient, type RelayChange } from '../../../../src/edge/uplink/relay-client.ts';
import {
  encodeRelayMessage,
  parseEdgeMessage,
  type RelayMessage,
} from '../../../../src/protocol/tunnel/control-message.ts';
import { FrameReader } from '../../../../src/protocol/tunnel/frame.ts';
import type { CloseInfo, ConnectionHandler, QuicConnection, QuicStream } from '../../../../src/quic/types.ts';
import { knownTunnelId } from '../../../support/samples/known-tunnel-id.ts';
import { ManualClock, settle } from '../../../support/fakes/manual-clock.ts';
import { MemoryNetwork } from '../../../support/fakes/memory-quic.ts';
import { relayTransport } from '../../../support/peers/scripted-relay.ts';
import { SeededRandom } from '../../../support/fakes/seeded-random.ts';
import { silentLogger } from '../../../support/fakes/silent-logger.ts';
import { bindVector, vectorTunnel } from '../../../support/samples/vectors.ts';

const tunnelId = knownTunnelId(vectorTunnel.id);
const ready: RelayMessage = { type: 'tunnel_ready', tunnel_id: tunnelId };
const refusal: RelayMessage = { type: 'tunnel_down', tunnel_id: tunnelId, reason: 'bind authentication failed' };
const binding: BindingSettings = {
  tunnelId,
  direction: 'egress',
  protocol: 'udp',
  bindSecret: null,
  requireBindProof: false,
  edgeId: 'edge-1',
  softwareVersion: '0.1.0',
};
const address = { ip: '192.0.2.9', port: 4433 };

/** The relay's end of one connection: what it heard, and a way to answer. */
class RelayEnd implements ConnectionHandler {
  readonly connection: QuicConnection;
  readonly heard: string[] = [];
  closed: CloseInfo | null = null;
  #control: QuicStream | null = null;

  constructor(connection: QuicConnection) {
    this.connection = connection;
  }

  say(message: RelayMessage): void {
    this.#control?.write(encodeRelayMessage(message));
  }

  onStream(stream: QuicStream): void {
    this.#control = stream;
    const reader = new FrameReader(65_536);
    const onReadable = (): void => {
      for (let result = stream.read(65_536); result.kind === 'data'; result = stream.read(65_536)) {
        reader.push(result.bytes);
        for (let frame = reader.next(); frame.kind === 'frame'; frame = reader.next()) {
          const parsed = parseEdgeMessage(frame.payload);
          this.heard.push(parsed.kind === 'message' ? parsed.message.type : parsed.kind);
        }
      }
    };
    stream.setHandler({ onReadable, onWritable: () => {}, onStopped: () => {} });
  }

  onDatagram(): void {}
  onAddressChange(): void {}
  onClosed(info: CloseInfo): void {
    this.closed = info;
  }
}

/** A client in a world where time and packets move only by `pass`. */
class World {
  readonly clock = new ManualClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly relayEnds: RelayEnd[] = [];
  readonly changes: RelayChange[] = [];
  readonly client: RelayClient;

  constructor(changes: Partial<BindingSettings> = {}) {
    this.client = new RelayClient(
      {
        engine: this.network.engine(),
        clock: this.clock,
        random: new SeededRandom(),
        logger: silentLogger,
        resolveHost: async () => [address.ip],
        readTextFile: async () => '',
        observer: {
          onChange: (change) => this.changes.push(change),
          onDataStream: () => {},
          onDatagram: () => {},
          onLateDatagram: () => {},
          onConnectionEnd: () => {},
        },
      },
      {
        relay: { host: address.ip, port: address.port },
        identity: { kind: 'none' },
        transport: relayTransport,
        binding: { ...binding, ...changes },
        samplePeriodMs: 500,
      },
    );
  }

  async listen(): Promise<void> {
    await this.network.engine(address.ip).listen(
      {
        address,
        tls: { certificate: '', privateKey: '' },
        transport: relayTransport,
        resetKey: new Uint8Array(32),
        retryAfterHandshakesPerSec: 0,
      },
      {
        onIncoming: () => 'accept',
        onConnection: (connection) => {
          const end = new RelayEnd(connection);
          this.relayEnds.push(end);
          return end;
        },
        onHandshakeFailed: () => {},
        onFailed: () => {},
      },
    );
  }

  /** Lets what follows from the last call happen, then time pass, then what follows from that. */
  async pass(durationMs = 0): Promise<void> {
    await this.#calm();
    for (let leftMs = durationMs; leftMs > 0; leftMs -= 100) {
      this.clock.advance(Math.min(100, leftMs));
      await this.#calm();
    }
  }

  get relayEnd(): RelayEnd {
    const end = this.relayEnds.at(-1);
    if (end === undefined) throw new Error('nobody has connected');
    return end;
  }

  async #calm(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await settle();
      this.network.run();
    }
  }
}

async function openWorld(changes: Partial<BindingSettings> = {}): Promise<World> {
  const world = new World(changes);
  await world.listen();
  world.client.start();
  await world.pass();
  return world;
}

describe('a relay client', () => {
  it('is connecting, then ready, then stopped', async () => {
    const world = new World();
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
    const world = await openWorld({ bindSecret: bindVector.secret });
    await world.pass(1900);
    expect(world.relayEnd.heard).toEqual(['hello', 'identify']);
    await world.pass(200);
    expect(world.relayEnd.heard).toEqual(['hello', 'identify', 'tunnel_bind']);
  });

  it('pings as soon as it is ready and then every 15 s', async () => {
    const world = await openWorld();
    world.relayEnd.say(ready);
    await world.pass();
    const pings = (): number => world.relayEnd.heard.filter((type) => type === 'ping').length;
    expect(pings()).toBe(1);
    await world.pass(14_900);
    expect(pings()).toBe(1);
    await world.pass(200);
    expect(pings()).toBe(2);
  });

  it('tries an absent relay again after 1 s, 2 s, 4 s … 60 s, each a little more or less, and tells it once', async () => {
    const world = new World();
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

  it('is down after a refusal, tells it once, and starts over when the relay takes the bind', async () => {
    const world = await openWorld();
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
    const world = await openWorld();
    world.relayEnd.say(ready);
    world.relayEnd.say({ type: 'tunnel_down', tunnel_id: tunnelId, reason: 'tunnel closed by manager' });
    await world.pass(700);
    expect(world.relayEnds.length).toBe(1);
    await world.pass(600);
    expect(world.relayEnds.length).toBe(2);
    expect(world.changes.at(-1)).toEqual({ kind: 'disconnected', reason: 'tunnel closed by manager' });
  });

  it('tells a loss once when its leg was taken and the connection ends later', async () => {
    const world = await openWorld();
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
    const world = await openWorld();
    world.relayEnd.say(ready);
    await world.pass(1000);
    for (let i = 0; i < 20; i++) {
      expect(world.client.connection?.sendDatagram(Buffer.alloc(60_000), null)).toBe('too_large');
      await world.pass(50);
      world.client.sample(world.clock.monotonicMs(), 10_000);
      expect(world.client.suspect).toBe(false);
    }
  });

  it('tells the next loss when the leg that was taken has come back meanwhile', async () => {
    const world = await openWorld();
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
