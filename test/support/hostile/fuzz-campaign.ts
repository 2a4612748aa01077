import { createSocket } from 'node:dgram';
import type { SocketAddress } from '../../../src/quic/types.ts';
import type { TunnelId } from '../../../src/protocol/tunnel/tunnel-id.ts';
import { settle } from '../fakes/manual-clock.ts';
import { SeededRandom } from '../fakes/seeded-random.ts';
import { until } from '../until.ts';
import { controlFrames, datagrams, quicFrames, streamHeaders } from './fuzz-corpus.ts';
import type { HostileConnection } from './hostile-connection.ts';
import { HostileEdge } from './hostile-edge.ts';
import { mutations } from './mutate.ts';
import { PacketForge } from './packet-forge.ts';

export interface FuzzTarget {
  readonly remote: SocketAddress;
  /** A tunnel that anybody may bind, or whoever has the secret. */
  readonly tunnelId: TunnelId;
  readonly secret?: string;
  readonly seed: number;
}

/** How many inputs were sent, and over how many connections, since hostile ones do not live long. */
export interface FuzzCount {
  readonly inputs: number;
  readonly connections: number;
}

export type FuzzKind = 'control' | 'bound-control' | 'headers' | 'datagrams' | 'frames' | 'packets';

export const fuzzKinds: readonly FuzzKind[] = ['control', 'bound-control', 'headers', 'datagrams', 'frames', 'packets'];

/** Inputs for one connection before the next one has its turn; one that the relay ends early is replaced earlier. */
const inputsPerConnection = 200;
/** Sent between two turns of the event loop. */
const burst = 25;

interface Attacker extends AsyncDisposable {
  readonly isClosed: boolean;
  send(input: Buffer): void;
}

/** Sends `inputs` mutated inputs of one kind. Rejects when the relay does not let anybody in any more. */
export async function fuzz(kind: FuzzKind, inputs: number, target: FuzzTarget): Promise<FuzzCount> {
  const source = mutations(await corpusOf(kind, target), new SeededRandom(target.seed));
  let sent = 0;
  let connections = 0;
  while (sent < inputs) {
    await using attacker = await attackerOf(kind, target);
    connections += 1;
    for (let own = 0; own < inputsPerConnection && sent < inputs && !attacker.isClosed; own++) {
      attacker.send(source.next().value);
      sent += 1;
      if (own % burst === burst - 1) await settle();
    }
  }
  return { inputs: sent, connections };
}

async function corpusOf(kind: FuzzKind, { remote, tunnelId }: FuzzTarget): Promise<Buffer[]> {
  switch (kind) {
    case 'control':
    case 'bound-control':
      return controlFrames(tunnelId);
    case 'headers':
      return streamHeaders(tunnelId);
    case 'datagrams':
      return datagrams(tunnelId);
    case 'frames':
      return quicFrames();
    case 'packets':
      return recordPackets(remote);
  }
}

async function attackerOf(kind: FuzzKind, target: FuzzTarget): Promise<Attacker> {
  switch (kind) {
    case 'control':
      return controlAttacker(await HostileEdge.connect({ remote: target.remote }));
    case 'bound-control':
      return controlAttacker(await boundEdge(target, 'tcp'));
    case 'headers':
      return headerAttacker(await boundEdge(target, 'tcp'));
    case 'datagrams':
      return datagramAttacker(await boundEdge(target, 'udp'));
    case 'frames':
      return frameAttacker(await PacketForge.connect({ remote: target.remote }));
    case 'packets':
      return packetAttacker(target.remote);
  }
}

async function boundEdge(target: FuzzTarget, protocol: 'tcp' | 'udp'): Promise<HostileEdge> {
  const { remote, tunnelId, secret } = target;
  const right = secret === undefined ? {} : { secret };
  return HostileEdge.bound({ remote }, { tunnelId, direction: 'egress', protocol, ...right });
}

function controlAttacker(edge: HostileEdge): Attacker {
  return attacker(edge.connection, (input) => {
    edge.sayBytes(inStep(input));
    edge.connection.streams.take(edge.controlStream);
  });
}

/** Most inputs get a true length again: after a wrong one the relay reads everything that follows as one long frame. */
function inStep(input: Buffer): Buffer {
  if (((input[0] ?? 0) & 0x80) !== 0 || input.length % 4 === 0) return input;
  const frame = Buffer.concat([Buffer.alloc(4), input.subarray(4)]);
  frame.writeUInt32BE(frame.length - 4);
  return frame;
}

function headerAttacker(edge: HostileEdge): Attacker {
  return attacker(edge.connection, (input) => edge.connection.write(edge.connection.streams.nextBidi(), input, true));
}

function datagramAttacker(edge: HostileEdge): Attacker {
  return attacker(edge.connection, (input) => edge.connection.sendDatagram(input.subarray(0, 1200)));
}

function frameAttacker(forge: PacketForge): Attacker {
  return attacker(forge.connection, (input) => forge.send(input.subarray(0, 1200)));
}

function attacker(connection: HostileConnection, send: (input: Buffer) => void): Attacker {
  return {
    send,
    get isClosed() {
      return connection.isClosed;
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Every packet that a client sends from its first to its close. */
async function recordPackets(remote: SocketAddress): Promise<Buffer[]> {
  const packets: Buffer[] = [];
  await using edge = await HostileEdge.connect({
    remote,
    outgoing: (packet) => {
      packets.push(packet);
      return [packet];
    },
  });
  edge.hello();
  await edge.heard('hello_ack');
  edge.connection.close(0, 'recorded');
  return packets;
}

async function packetAttacker(remote: SocketAddress): Promise<Attacker> {
  const socket = createSocket(remote.ip.includes(':') ? 'udp6' : 'udp4');
  let underWay = 0;
  return {
    isClosed: false,
    send: (input) => {
      underWay += 1;
      socket.send(input.subarray(0, 1472), remote.port, remote.ip, () => {
        underWay -= 1;
      });
    },
    [Symbol.asyncDispose]: async () => {
      await until(() => underWay === 0);
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
