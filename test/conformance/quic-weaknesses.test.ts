import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { bareTransport, BareListener, type BareConnection } from '../support/peers/bare-listener.ts';
import type { QuicEngine } from '../../src/quic/types.ts';
import { builtEngines } from '../support/programs/engines.ts';
import { HostileConnection } from '../support/hostile/hostile-connection.ts';
import { PacketForge } from '../support/hostile/packet-forge.ts';
import { frames } from '../support/hostile/quic-frames.ts';
import { settle } from '../support/fakes/manual-clock.ts';
import { openEngine } from '../support/programs/open-engine.ts';
import { SeededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

/** One packet full of the frames that a weakness feeds on; `n` counts the packets. */
type Attack = (n: number) => Uint8Array[];

const random = new SeededRandom(11);
const many = (count: number, make: (i: number) => Uint8Array): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** What docs/quiche.md lists for quiche 0.18, as packets of at most 1200 bytes. */
const attacks: Readonly<Record<string, Attack>> = {
  'queued path challenges (CVE-2023-6193)': () => many(120, () => frames.pathChallenge(random.bytes(8))),
  'connection ids retired faster than it can say (CVE-2024-1410)': (n) =>
    many(20, (i) => frames.newConnectionId(n * 20 + i + 1, n * 20 + i + 1, random.bytes(16))),
  'CRYPTO after the handshake, with gaps (CVE-2024-1765)': (n) => [frames.crypto(n * 4000 + 1, random.bytes(1000))],
  'acknowledgements of what was never sent (CVE-2025-4820)': (n) => many(40, (i) => frames.ack(0, 10_000 + n * 40 + i)),
  'acknowledgements beyond what can be (CVE-2025-4821)': () => [frames.ack(0, 2 ** 40), frames.padding(1000)],
  'retiring our connection ids over and over (CVE-2025-7054)': (n) => [
    frames.newConnectionId(n + 1, n + 1, random.bytes(16)),
    frames.retireConnectionId(n),
    frames.pathChallenge(random.bytes(8)),
    frames.padding(1000),
  ],
  pings: () => many(1000, () => frames.ping()),
  'limits raised by nothing': (n) => many(150, (i) => frames.maxData(n * 150 + i)),
  'complaints of being blocked': (n) => many(100, (i) => frames.dataBlocked(n * 100 + i)),
};

const largestPacketBytes = 1300;

/** Small windows: an engine may allow for a window of stream data that turns out to be of use only later. */
const transport = { connectionWindowBytes: 256 * 1024, streamWindowBytes: 128 * 1024 };

/**
 * Sends until the relay ends the connection or `bytes` are spent, and hears nothing, so it acknowledges nothing. An
 * attacker that retires the id by which it is known may also end by reaching nobody any more.
 */
async function attackUntilClosed(
  forge: PacketForge,
  attack: Attack,
  { engine, victim, bytes }: { engine: QuicEngine; victim: BareConnection; bytes: number },
): Promise<void> {
  const straysBefore = engine.report().counters.strayPackets;
  forge.connection.incoming = () => false;
  for (let n = 0, spent = 0; spent < bytes && victim.closed === null; n++) {
    const packet = forge.seal(Buffer.concat(attack(n)));
    expect(packet.length).toBeLessThanOrEqual(largestPacketBytes);
    forge.connection.sendPacket(packet);
    spent += packet.length;
    if (n % 20 === 19) await settle();
  }
  const isOver = (): boolean => victim.closed !== null || engine.report().counters.strayPackets > straysBefore;
  await until(isOver, { what: 'the end of the attacker' });
  if (victim.closed !== null) expect(['budget', 'error']).toContain(victim.closed.kind);
}

async function echoes(connection: HostileConnection): Promise<void> {
  const before = connection.datagrams.length;
  await until(
    () => {
      connection.sendDatagram(Buffer.from('shorter than 16 bytes is malformed'));
      return connection.datagrams.length > before;
    },
    { what: 'an echo' },
  );
}

describe.each(await builtEngines())('a peer that knows the weaknesses of QUIC libraries, over %s', (name) => {
  it.each(Object.entries(attacks))('A1 before a bind gets no further than its budget with %s', async (_, attack) => {
    await using engine = await openEngine(name);
    await using listener = await BareListener.start({ engine });
    await using innocent = await HostileConnection.connect({ remote: listener.address });
    await using forge = await PacketForge.connect({ remote: listener.address });
    const victim = await until(() => listener.connections[1]);
    await attackUntilClosed(forge, attack, { engine, victim, bytes: 4 * bareTransport.unprovenBytes });
    await echoes(innocent);
  });

  it.each(Object.entries(attacks))('A1 with a bind gets no more than its useless bytes with %s', async (_, attack) => {
    await using engine = await openEngine(name);
    await using listener = await BareListener.start({ engine, transport });
    await using innocent = await HostileConnection.connect({ remote: listener.address });
    await using forge = await PacketForge.connect({ remote: listener.address });
    const victim = await until(() => listener.connections[1]);
    victim.connection.markProven();
    const rssBefore = process.memoryUsage.rss();
    await attackUntilClosed(forge, attack, { engine, victim, bytes: 8 * bareTransport.uselessBytes });
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(96 * 1_048_576);
    await echoes(innocent);
  });

  it('A1 a peer that hides useless frames behind useful ones costs no more memory than it sends', async () => {
    await using engine = await openEngine(name);
    await using listener = await BareListener.start({ engine });
    await using innocent = await HostileConnection.connect({ remote: listener.address });
    await using forge = await PacketForge.connect({ remote: listener.address });
    const victim = await until(() => listener.connections[1]);
    victim.connection.markProven();
    forge.connection.incoming = () => false;
    const rssBefore = process.memoryUsage.rss();
    for (let n = 0, spent = 0; spent < 16 * 1_048_576 && victim.closed === null; n++) {
      const challenges = many(115, () => frames.pathChallenge(random.bytes(8)));
      const packet = forge.seal(Buffer.concat([frames.datagram(random.bytes(24)), ...challenges]));
      forge.connection.sendPacket(packet);
      spent += packet.length;
      if (n % 20 === 19) await settle();
    }
    await echoes(innocent);
    expect(process.memoryUsage.rss() - rssBefore).toBeLessThan(96 * 1_048_576);
  });

  it('A1 changing its address for ever keeps one path, and the loop turns (CVE-2025-7054)', async () => {
    await using engine = await openEngine(name);
    await using listener = await BareListener.start({ engine });
    await using innocent = await HostileConnection.connect({ remote: listener.address });
    await using forge = await PacketForge.connect({ remote: listener.address });
    const victim = await until(() => listener.connections[1]);
    victim.connection.markProven();
    for (let round = 0; round < 50 && !forge.connection.isClosed; round++) {
      forge.send(frames.newConnectionId(round + 1, round + 1, random.bytes(16)), frames.ping());
      await forge.connection.rebind(`127.0.0.${2 + (round % 200)}`);
      forge.send(frames.retireConnectionId(round), frames.pathChallenge(random.bytes(8)), frames.ping());
      await settle();
    }
    await echoes(innocent);
  });

  it('A1 a connection moves 50 times and still carries what it is sent', async () => {
    await using engine = await openEngine(name);
    await using listener = await BareListener.start({ engine });
    await using mover = await HostileConnection.connect({ remote: listener.address });
    for (let move = 0; move < 50; move++) {
      await mover.rebind();
      await echoes(mover);
    }
    const bare = listener.connections[0];
    await until(() => (bare?.addresses.length ?? 0) >= 50);
    expect(bare?.connection.remote.port).toBe(mover.localPort);
  });
});
