import type { TunnelId } from '../../src/protocol/tunnel/tunnel-id.ts';
import type { SocketAddress } from '../../src/quic/types.ts';
import { flood } from '../support/hostile/flood.ts';
import { fuzz, fuzzKinds, type FuzzKind } from '../support/hostile/fuzz-campaign.ts';
import { HostileEdge } from '../support/hostile/hostile-edge.ts';
import { pause } from '../support/pause.ts';
import type { SeededRandom } from '../support/fakes/seeded-random.ts';
import type { EdgeGroup } from './edge-group.ts';

export interface Victims {
  readonly relay: SocketAddress;
  readonly groups: readonly EdgeGroup[];
  /** A tunnel that the attacker may bind with its own secret. */
  readonly ownTunnel: TunnelId;
  readonly ownSecret: string;
  /** A tunnel that it may not. */
  readonly foreignTunnel: TunnelId;
}

export interface MischiefCounts {
  deaths: number;
  migrations: number;
  fuzzedInputs: number;
  strangerDatagrams: number;
  garbagePackets: number;
  /** Rounds of attack that ended early, because the relay or a starved machine did not let the attacker in. */
  lostRounds: number;
}

export type Until = () => boolean;

/** Edges die and return, one group every few seconds. */
export async function killEdges(victims: Victims, random: SeededRandom, counts: MischiefCounts, isOver: Until) {
  while (!isOver()) {
    await pause(4000 + random.float() * 4000);
    const group = victims.groups[Math.floor(random.float() * victims.groups.length)];
    if (isOver() || group === undefined) return;
    await group.dieAndReturn();
    counts.deaths += 1;
  }
}

/** NATs forget their edges, a tenth of them at a time. */
export async function migrate({ groups }: Victims, random: SeededRandom, counts: MischiefCounts, isOver: Until) {
  while (!isOver()) {
    await pause(3000);
    for (const group of groups.filter(() => random.float() < 0.1)) counts.migrations += await group.rebind();
  }
}

/** Strangers and a hostile tenant: fuzzing, foreign datagrams and streams, garbage. */
export async function attack(victims: Victims, random: SeededRandom, counts: MischiefCounts, isOver: Until) {
  for (let round = 0; !isOver(); round++) {
    const kind = fuzzKinds[round % fuzzKinds.length] ?? 'packets';
    try {
      await attackOnce(kind, victims, Math.floor(random.float() * 2 ** 31), counts);
    } catch {
      counts.lostRounds += 1;
    }
    await pause(1000);
  }
}

async function attackOnce(kind: FuzzKind, victims: Victims, seed: number, counts: MischiefCounts): Promise<void> {
  const { relay: remote, ownTunnel: tunnelId, ownSecret: secret } = victims;
  counts.fuzzedInputs += (await fuzz(kind, 500, { remote, tunnelId, secret, seed })).inputs;
  await intrude(victims, counts);
  counts.garbagePackets += (await flood({ target: remote, packetsPerSecond: 3000, durationMs: 1000 })).sent;
}

async function intrude({ relay, ownTunnel, ownSecret, foreignTunnel }: Victims, counts: MischiefCounts): Promise<void> {
  await using tenant = await HostileEdge.bound(
    { remote: relay },
    { tunnelId: ownTunnel, direction: 'egress', protocol: 'tcp', secret: ownSecret },
  );
  for (let n = 0; n < 20; n++) {
    if (tenant.sendDatagram(foreignTunnel, Buffer.alloc(600, n))) counts.strangerDatagrams += 1;
    const id = tenant.openDataStream(foreignTunnel);
    tenant.connection.write(id, Buffer.alloc(600, n), true);
  }
  await pause(50);
  tenant.connection.vanish();
}
